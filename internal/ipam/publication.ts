// What a node's NEC should say, and whether it does.
import { canonicalJson } from '../value/canonical-json.ts'
import type { PoolCondition } from './pool-condition.ts'
import type { Condition, LedgerNodeView, NecPublication, PublishedEni } from './types.ts'

/** The leader's half of the NEC; a condition that did not change keeps its transition time. */
export function publicationOf(
  node: LedgerNodeView,
  enis: readonly PublishedEni[],
  pool: PoolCondition,
  before: readonly Condition[],
  { at, epoch }: { readonly at: string; readonly epoch: number },
): NecPublication {
  const status = pool.ready ? 'True' : 'False'
  const former = before.find(({ type }) => type === 'Ready')
  const lastTransitionTime = former?.status === status ? former.lastTransitionTime : at
  return {
    epoch,
    instanceId: node.instanceId,
    zone: node.zone,
    ...node.limits,
    ...node.targets,
    enis,
    conditions: [{ type: 'Ready', status, reason: pool.reason, message: pool.message, lastTransitionTime }],
  }
}

/** Do both say the same, whatever the order of their keys? */
export function samePublication(a: NecPublication, b: NecPublication): boolean {
  return canonicalJson(a) === canonicalJson(b)
}
