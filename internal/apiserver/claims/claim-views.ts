// How rows of the ledger are seen as resources: each view reads those of one kind and shows them as objects. All else about them is the
// same for all (claim-storage.ts, claims-api.ts).
import type { Claim } from '../../ipam/claim.ts'
import type { EipClaim } from '../../ipam/eip-claim.ts'
import type { PodName } from '../../ipam/types.ts'
import type { ClaimEvent, ClaimFeed, ReleaseRequest } from '../../ports.ts'
import type { Ipv4 } from '../../value/ipv4.ts'
import type { KubeObject } from '../object.ts'
import type { ResourceType } from '../resource.ts'
import type { Collection, Key, PageRequest } from '../storage.ts'
import { addressObject, claimObject, eipClaimObject, type WallClock } from './claim-objects.ts'
import { addressResource, claimResource, eipClaimResource } from './claim-resources.ts'

/** Of claims: to an address, or to an EIP. */
export type ClaimKind = 'claim' | 'eip'

/** undefined: it is not there, or not to be seen in this view. */
type Seen = KubeObject | undefined

/** What is asked to be released: a claim as it was when it was looked at. */
export type Releasable = Pick<Claim, 'uid' | 'phase'> & Pick<ReleaseRequest, 'key' | 'generation'> & PodName

export interface ClaimView {
  readonly resource: ResourceType
  readonly kind: ClaimKind
  get(feed: ClaimFeed, key: Key): Seen
  /** By the order of their names; some may not be seen, which count for the limit. */
  list(feed: ClaimFeed, collection: Collection, page: PageRequest): readonly Seen[]
  count(feed: ClaimFeed, collection: Collection, page: PageRequest): number
  /** Both sides of a change. */
  change(feed: ClaimFeed): (event: ClaimEvent) => { readonly before: Seen; readonly after: Seen }
  /** The claim that is given back when the object of that name is deleted. */
  claim(feed: ClaimFeed, pod: PodName): Releasable | undefined
}

/** Rows of one kind. */
interface Source<Row> {
  readonly resource: ResourceType
  readonly kind: ClaimKind
  readonly one: (feed: ClaimFeed, key: Key) => Row | undefined
  readonly page: (feed: ClaimFeed, collection: Collection, page: PageRequest) => readonly Row[]
  readonly count: (feed: ClaimFeed, collection: Collection, page: PageRequest) => number
  readonly sides: (event: ClaimEvent) => { readonly before: Row | undefined; readonly after: Row | undefined }
  readonly show: (row: Row, wall: WallClock) => Seen
  readonly claim: (feed: ClaimFeed, pod: PodName) => Releasable | undefined
}

function viewOf<Row>({ one, page, sides, show, ...source }: Source<Row>): ClaimView {
  const shownBy = (feed: ClaimFeed) => {
    const wall = feed.wallClock()
    return (row: Row | undefined) => (row === undefined ? undefined : show(row, wall))
  }
  return {
    ...source,
    get: (feed, key) => shownBy(feed)(one(feed, key)),
    list: (feed, collection, request) => page(feed, collection, request).map(shownBy(feed)),
    change(feed) {
      const shown = shownBy(feed)
      return (event) => {
        const { before, after } = sides(event)
        return { before: shown(before), after: shown(after) }
      }
    },
  }
}

const none = { before: undefined, after: undefined }

const addresses = viewOf<Claim>({
  resource: addressResource,
  kind: 'claim',
  one: (feed, { name }) => feed.claimOf(name as Ipv4),
  page: (feed, _all, { at, after, limit }) => feed.claimsWithAddress({ at, after: after?.name, limit }),
  count: (feed, _all, { at, after }) => feed.countClaimsWithAddress({ at, after: after?.name }),
  sides: (event) => event,
  show: addressObject,
  claim: () => undefined,
})

const claims = viewOf<Claim>({
  resource: claimResource,
  kind: 'claim',
  one: (feed, key) => feed.claim(key),
  page: (feed, { namespace }, { at, after, limit }) => feed.claims({ namespace, at, after, limit }),
  count: (feed, { namespace }, { at, after }) => feed.countClaims({ namespace, at, after }),
  sides: (event) => event,
  show: claimObject,
  claim: (feed, pod) => feed.claim(pod),
})

const eipClaims = viewOf<EipClaim>({
  resource: eipClaimResource,
  kind: 'eip',
  one: (feed, key) => feed.eipClaim(key),
  page: (feed, { namespace }, { at, after, limit }) => feed.eipClaims({ namespace, at, after, limit }),
  count: (feed, { namespace }, { at, after }) => feed.countEipClaims({ namespace, at, after }),
  sides: ({ eip = none }) => eip,
  show: eipClaimObject,
  claim: (feed, pod) => feed.eipClaim(pod),
})

const views: ReadonlyMap<string, ClaimView> = new Map(
  [addresses, claims, eipClaims].map((view) => [view.resource.resource, view]),
)

export function viewNamed({ resource }: { readonly resource: string }): ClaimView {
  const view = views.get(resource)
  if (view === undefined) throw new Error(`Cannot show "${resource}": there is no such resource of claims`)
  return view
}
