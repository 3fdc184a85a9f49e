// Static claims made anew without a ledger (R4): reservations say by their tags whose they are, NECs say what pods were given. Pure.
import type { Ipv4 } from '../value/ipv4.ts'
import { isReleased } from './claim.ts'
import { countedAs } from './count-pod.ts'
import { podText } from './pod-need.ts'
import { purposeOfReservation } from './reservation-tags.ts'
import type { Nec, OwnerRef, PodFact, PodName, PublishedClaim, SubnetId } from './types.ts'

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
  readonly owner: OwnerRef | undefined
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

interface Candidate extends RebuiltClaim {
  /** By its reservation to an ENI. */
  readonly bound: boolean
}

interface Published {
  readonly claim: PublishedClaim
  readonly address: Ipv4
  readonly subnetId: SubnetId
  readonly zone: string
}

/**
 * One claim for each name, one name for each address. What a pod was given goes before what is only reserved: of a call that a leader gave
 * up, for another address, the reservation may be there for as long as nobody may release it.
 */
export function rebuildClaims(view: ClaimsView): RebuiltClaims {
  const published = publishedClaims(view.necs)
  const zones = new Map(published.map(({ address, zone }) => [address, zone]))
  const rank = rankOf(view, published)
  const candidates = [...reserved(view, zones), ...parked(published)].toSorted((a, b) => rank(b) - rank(a))
  const taken = new Set<string | Ipv4>()
  const tokens = new Set<string>()
  const claims = candidates.flatMap(({ bound, reserveToken: token, ...claim }): RebuiltClaim[] => {
    if (taken.has(podText(claim)) || taken.has(claim.address)) return []
    taken.add(podText(claim)).add(claim.address)
    // One token is of one call: what else bears it has tags that somebody has copied.
    const reserveToken = token === undefined || tokens.has(token) ? undefined : token
    if (reserveToken !== undefined) tokens.add(reserveToken)
    return [{ ...claim, reserveToken }]
  })
  const rest = view.reservations.map(({ address }) => address).filter((address) => !taken.has(address))
  return { claims, unclaimed: new Set(rest) }
}

function reserved(
  { clusterId, reservations }: ClaimsView,
  zones: ReadonlyMap<Ipv4, string>,
): readonly Candidate[] {
  return reservations
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
    .flatMap(({ address, bound, id, subnetId, tags }): Candidate[] => {
      const purpose = purposeOfReservation(tags)
      if (purpose?.clusterId !== clusterId) return []
      const { expireAfter, name, namespace, owner, token } = purpose
      const of = { namespace, name, address, subnetId, zone: zones.get(address) }
      return [{ ...of, reservation: id, reserveToken: token, expireAfter, owner, bound }]
    })
}

/** Where a reservation keeps it too, that comes first. */
function parked(published: readonly Published[]): readonly Candidate[] {
  return published.flatMap(({ address, claim, subnetId, zone }): Candidate[] => {
    if (isReleased(claim)) return []
    const { expireAfter, name, namespace, owner } = claim
    const unreserved = { reservation: undefined, reserveToken: undefined, bound: false }
    return [{ namespace, name, address, subnetId, zone, ...unreserved, expireAfter, owner }]
  })
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
  return (claim: Candidate): number => {
    const key = `${podText(claim)} ${claim.address}`
    if (shown.has(key)) return 3
    return promised.has(key) ? 2 : Number(claim.bound)
  }
}
