// How the node's own pool follows what the leader publishes. Only what nobody uses is ever forgotten: an address in use
// stays, and stays its pod's, whatever a NEC says (R7).
import type { Ipv4 } from '../value/ipv4.ts'
import type { Millis } from '../value/millis.ts'
import { type LocalIp, samePod } from './choose-address.ts'
import { releasedPod } from './claim.ts'
import type { EniId, PodName, PodUid, PublishedEni } from './types.ts'

export type SyncChange =
  | { readonly kind: 'keep-eni'; readonly eni: PublishedEni }
  | { readonly kind: 'unpublish-eni'; readonly eniId: EniId }
  | ({ readonly kind: 'add-ip' } & BoundIp)
  /** A new binding of an address known here: usable again, on that ENI. */
  | ({ readonly kind: 'renew-ip' } & BoundIp)
  /** The same binding is for another pod, or for any. */
  | { readonly kind: 'claim-ip'; readonly address: Ipv4; readonly claim: PodName | undefined }
  /** The same binding: an EIP is on it, or on its way, for that pod; undefined: none is. */
  | { readonly kind: 'expose-ip'; readonly address: Ipv4; readonly eipFor: PodUid | undefined }
  | { readonly kind: 'forget-ip'; readonly address: Ipv4 }
  | { readonly kind: 'unpublish-ip'; readonly address: Ipv4 }
  | { readonly kind: 'publish-ip'; readonly address: Ipv4 }

export interface BoundIp {
  readonly address: Ipv4
  readonly eniId: EniId
  readonly grant: number
  readonly claim?: PodName
  readonly eipFor?: PodUid
}

/** An address in use whose pod cannot keep it by what is published: two truths, left as they are. */
export interface Dispute {
  readonly address: Ipv4
  /** Set: it is published for that pod. Else it is published on another ENI. */
  readonly claim?: PodName
}

export interface Sync {
  readonly changes: readonly SyncChange[]
  readonly disputed: readonly Dispute[]
}

/** Changes in an order that can be applied one by one. Empty when all is as published. `holderOf` an address in use: its pod, nameless while nobody has told its name. */
export function planSync(
  ips: readonly LocalIp[],
  enis: readonly { readonly id: EniId; readonly published: boolean }[],
  published: readonly PublishedEni[],
  holderOf: (address: Ipv4) => PodName | undefined,
  now: Millis,
): Sync {
  const local = new Map(ips.map((ip) => [ip.address, ip]))
  const wanted = new Map(
    published.flatMap((eni) => eni.ips.map((ip) => [ip.address, { ...ip, eniId: eni.id }])),
  )
  // What went makes room first: the VPC gives the addresses of a deleted ENI to the next one.
  const gone: SyncChange[] = []
  const came: SyncChange[] = []
  /** ENIs that addresses leave: they can be forgotten once they have. */
  const left = new Set<EniId>()
  const disputed: Dispute[] = []
  for (const ip of ips) {
    const there = wanted.get(ip.address)
    if (there === undefined) {
      // Forgotten while it cools, it could be handed out too soon when it is bound again (P16).
      const cools = ip.coolingUntil > now
      if (!ip.inUse && !cools) gone.push({ kind: 'forget-ip', address: ip.address })
      else if (ip.published) gone.push({ kind: 'unpublish-ip', address: ip.address })
      continue
    }
    const { claim } = there
    if (ip.inUse && there.eniId !== ip.eniId) disputed.push({ address: ip.address })
    else if (ip.inUse && claim !== undefined && isOthers(claim, holderOf(ip.address)))
      disputed.push({ address: ip.address, claim })
    else if (there.grant > ip.grant || there.eniId !== ip.eniId) {
      came.push({ kind: 'renew-ip', ...there })
      if (there.eniId !== ip.eniId) left.add(ip.eniId)
    } else {
      if (!samePod(ip.claim, claim)) came.push({ kind: 'claim-ip', address: ip.address, claim })
      if (ip.eipFor !== there.eipFor)
        came.push({ kind: 'expose-ip', address: ip.address, eipFor: there.eipFor })
      if (!ip.published) came.push({ kind: 'publish-ip', address: ip.address })
    }
  }
  for (const ip of wanted.values()) if (!local.has(ip.address)) came.push({ kind: 'add-ip', ...ip })
  const present = new Set(published.map(({ id }) => id))
  const absent = enis.filter(({ id }) => !present.has(id))
  for (const { id } of absent) (left.has(id) ? came : gone).push({ kind: 'unpublish-eni', eniId: id })
  const known = new Map(enis.map((eni) => [eni.id, eni.published]))
  const enisThatCame = published
    .filter(({ id }) => known.get(id) !== true)
    .map((eni): SyncChange => ({ kind: 'keep-eni', eni }))
  return { changes: [...gone, ...enisThatCame, ...came], disputed }
}

/** What is let go stays with who has it until that ends. */
function isOthers(claim: PodName, holder: PodName | undefined): boolean {
  if (holder === undefined || holder.name === '') return false
  return !samePod(claim, holder) && !samePod(claim, releasedPod(holder))
}
