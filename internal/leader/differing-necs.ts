// NECs that show other addresses than the ledger has; seen once, one is merely on its way.
import type { SurveyEni } from '../ipam/survey.ts'
import type { NodeName } from '../ipam/types.ts'
import type { LeaderLedger } from '../ports.ts'
import type { ClusterFacts } from './facts.ts'

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
    else {
      const shown = nec.publication.enis.flatMap(({ ips }) => ips.map(({ address }) => address))
      const wanted = ledger.publishedEnis(name).flatMap(({ ips }) => ips.map(({ address }) => address))
      const same = shown.length === wanted.length && new Set([...shown, ...wanted]).size === shown.length
      if (!same) differing.set(name, 'it shows other addresses than the ledger has')
    }
  }
  return differing
}
