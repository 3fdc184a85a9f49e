// Which link of a namespace is an ENI's, when a pod with CAP_NET_ADMIN was at work there: what it puts on top of the ENI (a VLAN, a bridge)
// has its MAC, any link can be given that, and names change. Hardware has no kind, and in `dev` an ENI's other end is the VPC's. Pure.
import type { ExclusiveWiring } from '../ipam/types.ts'
import { type Mac, parseMac } from '../value/mac.ts'
import { rows } from './read-kernel.ts'

export interface EniLink {
  readonly name: string
  readonly index: number
  /** As it is now, not as the hardware came. */
  readonly mac: Mac | undefined
  /** Other names that it has. No two links of a namespace share one, so that they are in the way of a move. */
  readonly altNames: readonly string[]
}

type Fields = ReturnType<typeof rows>[number]

/** Of the answer to `-d link show` or `-d address show`. */
export function findEniLink(
  answer: unknown,
  { ifname, mac }: Pick<ExclusiveWiring, 'mac' | 'ifname'>,
): EniLink | undefined {
  const [best] = rows(answer)
    .filter((row) => macOf(row) === mac && (isHardware(row) || isFromElsewhere(row)))
    .toSorted((a, b) => rank(a) - rank(b))
  return best === undefined ? undefined : readEniLink(best)

  /** A MAC that was changed is certain: nobody but the driver says which one it was. */
  function rank(row: Fields): number {
    const hardware = row['permaddr'] !== undefined ? 0 : 2
    return (isHardware(row) ? hardware : 4) + (row['ifname'] === ifname ? 0 : 1)
  }
}

/** The one link of the answer to `address show dev …`. */
export function readEniLink({ address, altnames, ifindex, ifname }: Fields): EniLink {
  const names: readonly unknown[] = Array.isArray(altnames) ? altnames : []
  return {
    name: String(ifname),
    index: Number(ifindex),
    mac: parseMac(String(address)),
    altNames: names.filter((name) => typeof name === 'string'),
  }
}

/** Its word in an `ip` line. A pod may name it `a#b`, which is a comment there. */
export function wordOf({ index, name }: Pick<EniLink, 'index' | 'name'>): string {
  return isPlain(name) ? name : `if${index}`
}

/** Can `name` stand in an `ip` line as it is? The kernel takes all but blanks, `/` and `:`, and of other names not even these. */
export function isPlain(name: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9_.@-]*$/.test(name)
}

function macOf({ address, permaddr }: Fields): Mac | undefined {
  return parseMac(String(permaddr ?? address))
}

function isHardware({ link, linkinfo }: Fields): boolean {
  const kind = (linkinfo as Fields | undefined)?.['info_kind']
  return link === undefined && kind === undefined
}

/** Its peer or parent is in another namespace: that of a pod's own is in the pod's. */
function isFromElsewhere({ link_netnsid: namespace }: Fields): boolean {
  return namespace !== undefined
}
