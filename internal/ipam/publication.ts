// What a node's NEC should say, and whether it does.
import { canonicalJson } from '../value/canonical-json.ts'
import type { Condition, LedgerNodeView, NecPublication, PublishedEni } from './types.ts'

/** What the leader says of a node, in a stable reason and a sentence with what is so and what to do. */
export interface NecCondition {
  readonly type: 'Ready' | 'SettingsApplied'
  readonly ok: boolean
  readonly reason: string
  readonly message: string
}

/** The leader's half of the NEC, ENIs and addresses in the order that a NEC has them: shared ENIs first, claimed addresses last. A condition that did not change keeps its transition time. */
export function publicationOf(
  node: LedgerNodeView,
  enis: readonly PublishedEni[],
  conditions: readonly NecCondition[],
  before: readonly Condition[],
  {
    at,
    epoch,
    eips = 0,
    staticIps = false,
  }: {
    readonly at: string
    readonly epoch: number
    readonly eips?: number
    readonly staticIps?: boolean
  },
): NecPublication {
  return {
    epoch,
    instanceId: node.instanceId,
    zone: node.zone,
    shared: node.shared,
    exclusive: node.exclusive,
    instanceEnis: node.instanceEnis,
    defaults: node.defaults,
    overrides: node.overrides,
    staticIps,
    eips,
    enis: [
      ...enis.filter(({ mode }) => mode === 'shared').map(claimedLast),
      // An exclusive ENI without an address for pods is nothing that an agent could use.
      ...enis.filter(({ mode, ips }) => mode === 'exclusive' && ips.length > 0),
    ],
    conditions: conditions.map(({ type, ok, reason, message }) => {
      const status = ok ? 'True' : 'False'
      const former = before.find((each) => each.type === type)
      const lastTransitionTime = former?.status === status ? former.lastTransitionTime : at
      return { type, status, reason, message, lastTransitionTime }
    }),
  }
}

function claimedLast(eni: PublishedEni): PublishedEni {
  const pool = eni.ips.filter(({ claim }) => claim === undefined)
  if (pool.length === eni.ips.length) return eni
  return { ...eni, ips: [...pool, ...eni.ips.filter(({ claim }) => claim !== undefined)] }
}

/** Do both say the same, whatever the order of their keys? */
export function samePublication(a: NecPublication, b: NecPublication): boolean {
  return canonicalJson(a) === canonicalJson(b)
}
