// Keeps a node's NEC saying what the ledger says: written when it does not, and not again while the watch is on its way.
import type { Clock } from '../base/clock.ts'
import type { NodePlan } from '../ipam/plan-node.ts'
import type { PoolEni } from '../ipam/pool.ts'
import { nodeLeaves } from '../ipam/pool-condition.ts'
import { type NecCondition, publicationOf, samePublication } from '../ipam/publication.ts'
import type { EniId, NecPublication, NodeName, PublishedEni } from '../ipam/types.ts'
import type { LeaderKube, LeaderLedger, LedgerNode } from '../ports.ts'
import type { Millis } from '../value/millis.ts'
import type { ClusterFacts } from './facts.ts'
import { publishable } from './publishable.ts'
import type { LeaderSettings } from './settings.ts'

/** 'idle': nothing is going to be changed; a NEC that lacks the epoch alone may wait for its turn. */
export type Urgency = 'now' | 'idle'

export interface NecPublisher {
  /** Returns after how long to look again; undefined when the NEC is known to be right. Throws what the API server refuses. */
  publish(
    node: LedgerNode,
    conditions: readonly NecCondition[],
    urgency: Urgency,
    yields?: NodePlan['yields'],
  ): Promise<Millis | undefined>
  /** As `publish`, of what the ledger has; what only a plan says stays as the NEC has it. Nothing while there is none. */
  refresh(node: LedgerNode): Promise<Millis | undefined>
  /** Takes every ENI out of the NEC of a node that is leaving, when there is one. Throws as `publish`. */
  withdraw(node: LedgerNode): Promise<void>
  /** Has the NEC this leader's epoch? Until then one before may still write it, and nothing of the node is changed. */
  claimed(name: NodeName): boolean
  forget(name: NodeName): void
}

/** A write that the watch has not shown after so long is written again; nor is another writer, whoever it is, answered faster. */
const echoWithin = 5000

/** A new leader claims NECs that need nothing else one after the other: thousands at once would keep waiting pods waiting. */
const claimEvery = 200

export function createNecPublisher(
  kube: LeaderKube,
  ledger: LeaderLedger,
  facts: ClusterFacts,
  clock: Clock,
  settings: Pick<LeaderSettings, 'epoch' | 'staticIps'>,
): NecPublisher {
  const { epoch } = settings
  const claimAt = new Map<NodeName, Millis>()
  let lastClaimAt = Number.NEGATIVE_INFINITY
  const written = new Map<NodeName, { publication: NecPublication; at: Millis }>()

  /** How long until it is the turn of this NEC; 0 when it is now. */
  function untilClaim(name: NodeName): Millis {
    const now = clock.now()
    const turn = claimAt.get(name) ?? Math.max(now, lastClaimAt + claimEvery)
    if (!claimAt.has(name)) lastClaimAt = turn
    claimAt.set(name, turn)
    return Math.min(Math.max(0, turn - now), claimAt.size * claimEvery) // the clock may be set back
  }

  /** A later leader's would have ended the term. */
  function tellEdited(name: NodeName, found: number): void {
    const message = `spec.leaderEpoch was ${found}, which no leader has come to: it is ${epoch} again; it is the leader's alone`
    const uid = facts.nec(name)?.uid
    const about = { kind: 'NodeENIConfig', name, ...(uid !== undefined && { uid }) } as const
    kube.notify({ about, type: 'Warning', reason: 'EpochCorrected', message })
  }

  function limitedTo(
    mostOn: ReadonlyMap<EniId | undefined, number | undefined>,
    node: LedgerNode,
  ): readonly PublishedEni[] {
    return publishable(ledger, facts, node.name).map((eni) => {
      const most = mostOn.get(eni.id)
      return most === undefined ? eni : { ...eni, mostOfPool: most }
    })
  }

  async function publishEnis(
    node: LedgerNode,
    conditions: readonly NecCondition[],
    enis: readonly PublishedEni[],
    urgency: Urgency,
  ): Promise<Millis | undefined> {
    const before = latest(node.name)?.conditions ?? []
    return write(node, publicationOf(node, enis, conditions, before, terms(node)), urgency)
  }

  function terms({ quota }: LedgerNode) {
    const at = new Date(clock.now()).toISOString()
    return { at, epoch, staticIps: settings.staticIps, eips: quota.eips }
  }

  /** Also what the watch has not shown yet. */
  function latest(name: NodeName): NecPublication | undefined {
    return written.get(name)?.publication ?? facts.nec(name)?.publication
  }

  async function write(
    node: LedgerNode,
    wanted: NecPublication,
    urgency: Urgency,
  ): Promise<Millis | undefined> {
    const shown = facts.nec(node.name)?.publication
    const last = written.get(node.name)
    if (shown !== undefined && samePublication(shown, wanted)) return undefined
    const onItsWay =
      last !== undefined && samePublication(last.publication, wanted) && clock.now() - last.at < echoWithin
    if (!onItsWay) {
      if (urgency === 'idle' && shown !== undefined && samePublication({ ...shown, epoch }, wanted)) {
        const wait = untilClaim(node.name)
        if (wait > 0) return wait
      }
      claimAt.delete(node.name)
      await kube.publishNec(node.name, wanted)
      if (shown !== undefined && shown.epoch > epoch) tellEdited(node.name, shown.epoch)
      written.set(node.name, { publication: wanted, at: clock.now() })
    }
    return echoWithin
  }

  return {
    publish(node, conditions, urgency, yields = new Map()) {
      const mostOn = yields.size === 0 ? new Map() : mostOfPool(ledger.pool(node.name)?.enis ?? [], yields)
      return publishEnis(node, conditions, limitedTo(mostOn, node), urgency)
    },
    async refresh(node) {
      const before = facts.nec(node.name)?.publication && latest(node.name)
      if (before === undefined) return undefined
      const { conditions, enis } = before
      const mostOn = new Map(enis.map(({ id, mostOfPool }) => [id, mostOfPool]))
      const wanted = publicationOf(node, limitedTo(mostOn, node), [], [], terms(node))
      return write(node, { ...wanted, conditions }, 'idle')
    },
    async withdraw(node) {
      if (facts.nec(node.name) !== undefined) await publishEnis(node, [nodeLeaves], [], 'now')
    },
    claimed: (name) => latest(name)?.epoch === epoch,
    forget(name) {
      written.delete(name)
      claimAt.delete(name)
    },
  }
}

function mostOfPool(
  enis: readonly PoolEni[],
  yields: NodePlan['yields'],
): ReadonlyMap<EniId | undefined, number> {
  return new Map(
    enis.flatMap(({ id, key }) => {
      const most = yields.get(key)
      return most === undefined ? [] : [[id, most]]
    }),
  )
}
