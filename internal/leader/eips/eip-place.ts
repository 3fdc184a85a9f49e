// Where a pod's address is, by the ledger: there, and nowhere else, its EIP may be.
import type { EipClaim } from '../../ipam/eip-claim.ts'
import type { EipView } from '../../ipam/plan-eip.ts'
import type { PodFact } from '../../ipam/types.ts'
import type { LeaderLedger } from '../../ports.ts'
import type { Ipv4 } from '../../value/ipv4.ts'
import type { ClusterFacts } from '../facts.ts'

export interface PlaceOptions {
  readonly ledger: Pick<LeaderLedger, 'claim' | 'eips' | 'nodeOf' | 'pool'>
  readonly facts: Pick<ClusterFacts, 'podsOn'>
}

/** As `EipView.place`. */
export function placeOf(
  row: EipClaim,
  pod: PodFact | undefined,
  { facts, ledger }: PlaceOptions,
): EipView['place'] {
  if (pod?.node === undefined || pod.uid !== row.podUid) return 'none'
  const pool = ledger.pool(pod.node)
  if (pool === undefined) return 'elsewhere'
  const address = addressOf(pod, ledger)
  if (address === undefined || pool.phase === 'leaving') return 'none'
  const eni = pool.enis.find(({ ips }) => ips.some((ip) => ip.address === address))
  const ip = eni?.ips.find((one) => one.address === address)
  if (ip === undefined && pod.ip === address && ledger.nodeOf(address) === undefined) return 'elsewhere'
  if (eni?.id === undefined || ip === undefined) return 'none'
  if (eni.held === true || ip.state === 'held') return 'unknown'
  if (eni.state !== 'attached' || eni.goal !== 'serve' || ip.state !== 'bound') return 'none'
  // The EIP of the pod that had the address before goes first.
  const holder = ledger.eips.onAddress(address)
  if (holder !== undefined && holder.key !== row.key) return 'unknown'
  // Whose it is will be seen when the other one has shown what it has now.
  const others = facts.podsOn(pod.node).filter(({ terminal, uid }) => !terminal && uid !== pod.uid)
  if (others.some((other) => other.ip === address)) return 'unknown'
  return { address, eniId: eni.id }
}

/** That of a static pod is known before the pod shows it. */
function addressOf(pod: PodFact, ledger: PlaceOptions['ledger']): Ipv4 | undefined {
  if (pod.ip !== undefined) return pod.ip
  const claim = ledger.claim(pod)
  return claim?.policy === 'Never' && claim.podUid === pod.uid ? claim.address : undefined
}
