// A node leaves, and with its ENIs the parked addresses on them: each is moved to an ENI of another node first. One that finds no place
// is let go, and its claim says so.
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { createPause, type Pause } from '../../base/pause.ts'
import type { Random } from '../../base/random.ts'
import { podText } from '../../ipam/pod-need.ts'
import type { NodePool } from '../../ipam/pool.ts'
import type { NodeName } from '../../ipam/types.ts'
import type { LeaderKube, LeaderLedger, LedgerNode, PlacedClaim } from '../../ports.ts'
import type { Ipv4 } from '../../value/ipv4.ts'
import type { ClusterFacts } from '../facts.ts'
import type { IntentRunner } from '../intent-runner.ts'
import { claimNotice } from '../pod-notice.ts'
import type { LeaderSettings } from '../settings.ts'
import { isFree, refugeFor } from './parked.ts'

export interface Evacuation {
  /** Begins what can be done now. The ENIs of the answer must stay until addresses have left them. Throws `storage`, `conflict`. */
  move(node: LedgerNode): Promise<ReadonlySet<number>>
  /** What became of moving them; refused, it is tried again later and later. */
  moved(addresses: readonly Ipv4[], failed: boolean): void
}

export interface EvacuationOptions {
  readonly kube: Pick<LeaderKube, 'notify'>
  readonly ledger: LeaderLedger
  readonly facts: ClusterFacts
  readonly runner: IntentRunner
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly settings: Pick<LeaderSettings, 'retry'>
}

export function createEvacuation(options: EvacuationOptions): Evacuation {
  const { clock, facts, kube, ledger, log, random, runner, settings } = options
  const told = new Map<number, string>()
  /**
   * Of addresses that were refused. An ENI that is tried without a pause is never surveyed, and what fills it never seen. One each: what one
   * address is refused another may be given.
   */
  const pauses = new Map<Ipv4, Pause>()

  function lose(claim: PlacedClaim, node: LedgerNode): void {
    const { address, key } = claim
    if (told.get(key) === address) return
    told.set(key, address ?? '')
    const message = `address ${address} was parked on node ${node.name}, which left, and no ENI of subnet ${claim.subnetId} has room for it: nothing keeps it any more`
    log.warn('parked address let go', { pod: podText(claim), address, node: node.name })
    kube.notify(claimNotice(claim, 'StaticIPUnreserved', message))
  }

  return {
    async move(node) {
      const stay = new Set<number>()
      const nodes = ledger.nodes()
      // Many addresses leave a node, and there may be thousands of others: each is read once, until something is done.
      const pools = new Map<NodeName, NodePool | undefined>()
      const poolOf = (name: NodeName): NodePool | undefined => {
        if (!pools.has(name)) pools.set(name, ledger.pool(name))
        return pools.get(name)
      }
      for (const claim of ledger.placedClaims(node.name)) {
        const { address, phase, placedEni, placedOn, reservation } = claim
        if (placedOn !== node.name || placedEni === undefined || address === undefined) continue
        if (reservation !== undefined || phase === 'Releasing') continue
        const pool = poolOf(node.name)
        const eni = pool?.enis.find(({ key }) => key === placedEni)
        if (pool === undefined || eni === undefined || eni.state === 'deleting') continue
        const refuge = refugeFor(claim, node.name, nodes, poolOf)
        if (refuge === undefined) {
          lose(claim, node)
          continue
        }
        stay.add(placedEni)
        // A pod of a node that left may be shown for a while yet; what is under way on the ENI comes first.
        if (refuge === 'later' || !isFree(claim, { ...pool, phase: 'leaving' }, eni, facts)) continue
        if ((pauses.get(address)?.left() ?? 0) > 0) continue
        const action = {
          kind: 'migrate',
          eni: refuge.eni,
          from: placedEni,
          address,
          reason: 'its node leaves',
        } as const
        await runner.start(refuge.node, action, undefined, 'release')
        pools.clear() // other things were done meanwhile
      }
      return stay
    },
    moved(addresses, failed) {
      for (const address of addresses) {
        const pause = pauses.get(address) ?? createPause(settings.retry, clock, random)
        pauses.delete(address)
        if (!failed) continue
        pause.failed()
        pauses.set(address, pause)
      }
    },
  }
}
