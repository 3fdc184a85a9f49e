// Which addresses an agent gives back (P12): seen as it says so, and judged by the naive reading of the rule.
import { isIdle, type LocalIp, usedPerEni } from '../../../internal/ipam/choose-address.ts'
import type { EniId, NodeBounds } from '../../../internal/ipam/types.ts'
import type { NodeLedger } from '../../../internal/ports.ts'
import type { Ipv4 } from '../../../internal/value/ipv4.ts'
import type { Millis } from '../../../internal/value/millis.ts'

/** `ledger`, telling of addresses that are given back though an emptier ENI has some that nobody needs. */
export function watchReleases(
  ledger: NodeLedger,
  bounds: () => NodeBounds | undefined,
  mostOn: () => ReadonlyMap<EniId, number>,
  tell: (fault: string) => void,
): NodeLedger {
  function look(ips: readonly LocalIp[], given: ReadonlySet<Ipv4>, now: Millis): void {
    const modes = new Map(ledger.enis().map(({ id, mode }) => [id, mode]))
    const shared = ips.filter(({ eniId }) => modes.get(eniId) === 'shared')
    if (isBeyond(shared, bounds())) return // a maximum was lowered: then it is another ENI's turn
    // What is claimed stays there as what is in use does.
    const used = usedPerEni(ips.map((ip) => (ip.claim === undefined ? ip : { ...ip, inUse: true })))
    const usedOn = ({ eniId }: LocalIp) => used.get(eniId) ?? 0
    // Where claims wait for places, they are asked for on one ENI.
    const asked = mostOn()
    const released = shared.filter(
      ({ address, claim, eniId }) => given.has(address) && claim === undefined && !asked.has(eniId),
    )
    const fullest = released.toSorted((a, b) => usedOn(b) - usedOn(a))[0]
    const spared = shared.find(
      (ip) =>
        fullest !== undefined &&
        isIdle(ip) &&
        ip.coolingUntil <= now &&
        !given.has(ip.address) &&
        usedOn(ip) < usedOn(fullest),
    )
    if (fullest === undefined || spared === undefined) return
    tell(
      `${fullest.address} is given back, of an ENI with ${usedOn(fullest)} in use, before ${spared.address}, of one with ${usedOn(spared)}`,
    )
  }

  return {
    ...ledger,
    write: (change) =>
      ledger.write((tx) =>
        change({
          ...tx,
          giveBack(addresses, reason) {
            look(tx.ips(), new Set(addresses), tx.now)
            tx.giveBack(addresses, reason)
          },
        }),
      ),
  }
}

function isBeyond(ips: readonly LocalIp[], bounds: NodeBounds | undefined): boolean {
  if (bounds === undefined) return true
  const { ipsPerEni, maxEnis } = bounds.shared
  const perEni = [...Map.groupBy(ips, ({ eniId }) => eniId).values()]
  return perEni.length > maxEnis || perEni.some((all) => all.length > ipsPerEni)
}
