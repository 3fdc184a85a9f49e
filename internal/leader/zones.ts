// By which label values the scheduler knows the zones that nodes are in.
import type { Clock } from '../base/clock.ts'
import type { ZoneOfNodes } from '../ipam/zone-affinity.ts'
import { zonesByLabels } from '../ipam/zone-labels.ts'
import type { LeaderLedger } from '../ports.ts'
import type { ClusterFacts } from './facts.ts'

interface ZonesOptions {
  readonly facts: Pick<ClusterFacts, 'node' | 'synced'>
  readonly ledger: Pick<LeaderLedger, 'nodes'>
  readonly clock: Clock
}

/** Thousands of nodes are not looked through for each pod. */
const rememberFor = 5000

export function createZones({
  clock,
  facts,
  ledger,
}: ZonesOptions): (name: string) => ZoneOfNodes | undefined {
  let known: ReadonlyMap<string, ZoneOfNodes> = new Map()
  let until = Number.NEGATIVE_INFINITY
  return (name) => {
    if (clock.now() >= until && facts.synced()) {
      known = zonesByLabels(
        ledger.nodes().map((node) => ({ zone: node.zone, label: facts.node(node.name)?.zoneLabel })),
      )
      until = clock.now() + rememberFor
    }
    return known.get(name)
  }
}
