// Static claims made anew without a ledger (R4): reservations say by their tags whose they are, NECs say what pods were given. Pure.
import type { Ipv4 } from '../value/ipv4.ts'
import { type ClaimOwner, isReleased } from './claim.ts'
import { countedAs } from './count-pod.ts'
import { podText } from './pod-need.ts'
import { purposeOfReservation } from './reservation-tags.ts'
import type { Nec, PodFact, PodName, PublishedClaim, SubnetId } from './types.ts'

/** A reservation as it is of interest here. */
export interface SeenReservation {
  readonly id: string
  readonly subnetId: SubnetId
  readonly address: Ipv4
  readonly bound: boolean
  readonly tags: Readonly<Record<string, string>>
}

export interface RebuiltClaim extends PodName {
  readonly address: Ipv4
  readonly subnetId: SubnetId
  /** As a NEC says; of one that no NEC shows its subnet's must be asked for. */
  readonly zone: string | undefined
  readonly reservation: string | undefined
  readonly reserveToken: string | undefined
  readonly expireAfter: number | undefined
  readonly owner: ClaimOwner | undefined
}

export interface RebuiltClaims {
  readonly claims: readonly RebuiltClaim[]
  /** Reserved for no claim that is made: they must not come into a pool either. */
  readonly unclaimed: ReadonlySet<Ipv4>
}

export interface ClaimsView {
  readonly clusterId: string
  readonly necs: readonly Nec[]
  readonly reservations: readonly SeenReservation[]
  readonly pods: readonly PodFact[]
}

interface Published {
  readonly claim: PublishedClaim
  readonly address: Ipv4
  readonly subnetId: SubnetId
  readonly zone: string
}

/** One claim for each name, one name for each address. */
export function rebuildClaims(view: ClaimsView): RebuiltClaims {
  const published = publishedClaims(view.necs)
  const held = view.reservations.flatMap((one) => {
    const purpose = purposeOfReservation(one.tags)
    return purpose?.clusterId === view.clusterId ? [{ ...one, purpose }] : []
  })
  const rank = rankOf(view, published)
  const reserved = [...Map.groupBy(held, ({ purpose }) => podText(purpose)).values()].flatMap(
    (ofName) => ofName.toSorted((a, b) => rank(b) - rank(a) || (a.id < b.id ? -1 : 1))[0] ?? [],
  )
  const zones = new Map(published.map(({ address, zone }) => [address, zone]))
  const claims = reserved.map(({ address, id, purpose, subnetId }): RebuiltClaim => {
    const { expireAfter, name, namespace, owner, token } = purpose
    const zone = zones.get(address)
    return {
      namespace,
      name,
      address,
      subnetId,
      zone,
      reservation: id,
      reserveToken: token,
      expireAfter,
      owner,
    }
  })
  const taken = new Set(claims.flatMap((claim) => [podText(claim), claim.address]))
  const parked = published.flatMap(({ address, claim, subnetId, zone }): RebuiltClaim[] => {
    if (isReleased(claim) || taken.has(podText(claim)) || taken.has(address)) return []
    taken.add(podText(claim)).add(address)
    const { expireAfter, name, namespace, owner } = claim
    const unreserved = { reservation: undefined, reserveToken: undefined }
    return [{ namespace, name, address, subnetId, zone, ...unreserved, expireAfter, owner }]
  })
  const all = [...claims, ...parked]
  const kept = new Set(all.map(({ address }) => address))
  const rest = view.reservations.map(({ address }) => address).filter((address) => !kept.has(address))
  return { claims: all, unclaimed: new Set(rest) }
}

function publishedClaims(necs: readonly Nec[]): readonly Published[] {
  return necs
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap(({ publication }) =>
      (publication?.enis ?? []).flatMap(({ ips, subnetId }) =>
        ips.flatMap(({ address, claim }) =>
          claim === undefined ? [] : [{ claim, address, subnetId, zone: publication?.zone ?? '' }],
        ),
      ),
    )
}

/** Of two that say they are of one pod: the one that it has, or was to have. */
function rankOf({ pods }: ClaimsView, published: readonly Published[]) {
  const live = pods.filter((pod) => pod.ip !== undefined && countedAs(pod) !== undefined)
  const shown = new Set(live.map((pod) => `${podText(pod)} ${pod.ip}`))
  const promised = new Set(published.map(({ address, claim }) => `${podText(claim)} ${address}`))
  return ({ address, bound, purpose }: { address: Ipv4; bound: boolean; purpose: PodName }): number => {
    const key = `${podText(purpose)} ${address}`
    if (shown.has(key)) return 3
    return promised.has(key) ? 2 : Number(bound)
  }
}
