// NECs that show other addresses than the ledger has; seen once, one is merely on its way.
import type { SurveyEni } from '../ipam/survey.ts'
import type { NodeName } from '../ipam/types.ts'
import type { LeaderLedger } from '../ports.ts'
import type { ClusterFacts } from './facts.ts'
import { publishable } from './publishable.ts'

/** Of nodes where nothing has been done lately. */
export function differingNecs(
  enis: readonly SurveyEni[],
  touched: ReadonlySet<string>,
  ledger: LeaderLedger,
  facts: ClusterFacts,
): ReadonlyMap<NodeName, string> {
  const differing = new Map<NodeName, string>()
  const ofNode = Map.groupBy(enis, ({ node }) => node)
  for (const { name, phase } of ledger.nodes()) {
    const mine = ofNode.get(name) ?? []
    if (phase !== 'active' || mine.some(({ id, busy }) => busy || id === undefined || touched.has(id)))
      continue
    const nec = facts.nec(name)
    if (nec === undefined) differing.set(name, 'there is none')
    else if (nec.publication === undefined) differing.set(name, `it cannot be read: ${nec.fault ?? 'empty'}`)
    else if (countOf(nec.publication.enis) !== boundOn(mine)) {
      // Counting is cheap: only where the numbers differ the ledger is asked what exactly it has.
      const shown = nec.publication.enis.flatMap(({ ips }) => ips.map(({ address }) => address))
      const wanted = publishable(ledger, facts, name).flatMap(({ ips }) => ips.map(({ address }) => address))
      const same = shown.length === wanted.length && new Set([...shown, ...wanted]).size === shown.length
      if (!same) differing.set(name, 'it shows other addresses than the ledger has')
    }
  }
  return differing
}

function countOf(enis: readonly { readonly ips: readonly unknown[] }[]): number {
  return enis.reduce((sum, { ips }) => sum + ips.length, 0)
}

function boundOn(enis: readonly SurveyEni[]): number {
  const serving = enis.filter(({ state, goal }) => state === 'attached' && goal === 'serve')
  return serving.reduce((sum, { ips }) => sum + ips.filter(({ state }) => state === 'bound').length, 0)
}
