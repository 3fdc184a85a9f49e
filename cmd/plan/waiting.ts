// Pods that wait for an address have none in the ledger, and nobody else is asked: a plan says where it assumes that there are none.
import type { NodePool } from '../../internal/ipam/pool.ts'
import { type EniMode, eniModes } from '../../internal/ipam/types.ts'
import type { Ipv4 } from '../../internal/value/ipv4.ts'
import { things } from './warnings.ts'

/** A line for each kind that pods may wait for: none of it is idle on some of the nodes. `modes` are those that are looked at. */
export function assumptions(
  pools: readonly NodePool[],
  used: ReadonlySet<Ipv4>,
  modes: (pool: NodePool) => readonly EniMode[],
): readonly string[] {
  return eniModes.flatMap((mode) => {
    const short = pools.filter((pool) => modes(pool).includes(mode) && !hasIdle(pool, mode, used))
    const [first, ...others] = short.map(({ node }) => node)
    if (first === undefined) return []
    const where =
      others.length === 0 ? `${first}, which has` : `${first} and ${others.length} more, which have`
    return [
      `Assumed: no pod waits on ${where} no idle ${things[mode]}. One more is bound for each that does, as far as the maxima allow.`,
    ]
  })
}

function hasIdle({ enis }: NodePool, mode: EniMode, used: ReadonlySet<Ipv4>): boolean {
  const serving = enis.filter((eni) => eni.mode === mode && eni.goal === 'serve')
  return serving.some(({ ips }) => ips.some(({ address }) => !used.has(address)))
}
