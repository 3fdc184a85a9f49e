// Reservations of ours in the cloud against the claims that they are to keep addresses for (R1, R7).
import type { Ipv4 } from '../value/ipv4.ts'
import { podText } from './pod-need.ts'
import { purposeOfReservation, type ReservationPurpose } from './reservation-tags.ts'
import type {
  Judgement,
  Judgements,
  SurveyClaim,
  SurveyPolicy,
  SurveyReservation,
  SurveySnapshot,
} from './survey.ts'

/** Nothing is judged where reservations cannot be seen. */
export function judgeReservations(snapshot: SurveySnapshot, policy: SurveyPolicy): Judgements {
  const { claims, reservations } = snapshot
  if (reservations === undefined) return { found: [], unjudged: new Set() }
  const known = index(claims)
  const unjudged = new Set<string>()
  const found = reservations.flatMap((one) => judgeOne(one, known, snapshot) ?? [])
  const seen = new Set(reservations.map(({ id }) => id))
  // What is found takes the place of what is gone.
  const refound = new Set(
    found.flatMap(({ settle }) => (settle?.kind === 'find-reservation' ? settle.claim : [])),
  )
  for (const claim of claims) {
    const { reservation } = claim
    if (reservation === undefined || seen.has(reservation) || claim.phase === 'Releasing') continue
    if (refound.has(claim)) continue
    // A view from before may not show it yet.
    if (claim.changedAt >= snapshot.readAt - policy.staleFor) unjudged.add(reservation)
    else found.push(missing(claim, reservation))
  }
  return { found, unjudged }
}

interface Known {
  readonly ids: ReadonlySet<string>
  /** Those that are found come to it. */
  readonly tokens: Set<string>
  readonly addresses: ReadonlyMap<Ipv4, SurveyClaim>
}

function index(claims: readonly SurveyClaim[]): Known {
  return {
    ids: new Set(claims.flatMap(({ reservation }) => reservation ?? [])),
    tokens: new Set(claims.flatMap(({ reserveToken }) => reserveToken ?? [])),
    addresses: new Map(claims.flatMap((claim) => (claim.address ? [[claim.address, claim] as const] : []))),
  }
}

function judgeOne(one: SurveyReservation, known: Known, snapshot: SurveySnapshot): Judgement | undefined {
  if (known.ids.has(one.id)) return undefined
  const purpose = purposeOfReservation(one.tags)
  const holder = known.addresses.get(one.address)
  if (holder !== undefined) return ofClaimedAddress(one, purpose, holder, known)
  // The call that made it is the claim's own: whoever waits for its answer finds it.
  if (purpose !== undefined && known.tokens.has(purpose.token)) return undefined
  return orphan(one, purpose, snapshot)
}

function ofClaimedAddress(
  { address, id }: SurveyReservation,
  purpose: ReservationPurpose | undefined,
  claim: SurveyClaim,
  { tokens }: Known,
): Judgement {
  const about = { subject: id, node: claim.node, holds: false }
  const isIts = purpose !== undefined && podText(purpose) === podText(claim)
  if (isIts && claim.phase !== 'Releasing') {
    // One token is of one call: with that of another claim it has tags that somebody has copied.
    const token = tokens.has(purpose.token) ? claim.reserveToken : purpose.token
    tokens.add(purpose.token)
    return {
      ...about,
      kind: 'reservation-unknown',
      reason: `it keeps ${address} for ${podText(claim)}, and the claim does not know it`,
      remedy: 'none: noted when another view agrees',
      settle: { kind: 'find-reservation', claim, id, token, node: claim.node },
    }
  }
  const whose = purpose === undefined ? 'nobody can tell whom' : podText(purpose)
  return {
    ...about,
    kind: 'reservation-doubled',
    reason: `it keeps ${address} for ${whose}, and ${podText(claim)} has that address`,
    remedy: `delete the claim of one of the two, or correct the tags of the reservation`,
    settle: undefined,
  }
}

function orphan(
  { address, bound, id, vpcId }: SurveyReservation,
  purpose: ReservationPurpose | undefined,
  { cloud, enis, pods }: SurveySnapshot,
): Judgement {
  const place = enis.find(({ ips }) => ips.some((ip) => ip.address === address))
  const about = { kind: 'reservation-orphan', subject: id, node: place?.node, holds: false } as const
  const so = `it keeps ${address} for no claim`
  const never = (why: string, remedy: string): Judgement => ({
    ...about,
    reason: `${so}; ${why}`,
    remedy,
    settle: undefined,
  })
  if (purpose === undefined)
    return never('its tags do not say whose it is', 'release it in the console, or give it its tags back')
  if (place !== undefined)
    return never(`it is on ENI "${place.id}"`, 'none: released when its ENI has let it go')
  if (pods.some(({ ip, terminal }) => ip === address && !terminal))
    return never('a pod shows it', 'delete that pod: then it is released')
  const ours = cloud.find(({ ips }) => ips.some((ip) => ip.address === address))
  if (ours !== undefined)
    return never(
      `ENI "${ours.id}" has it, and the ledger does not`,
      'none: released when its ENI has let it go',
    )
  if (bound) return never('an ENI that is not ours has it', 'unassign it in the console: then it is released')
  return {
    ...about,
    reason: so,
    remedy: 'none: released when another view agrees',
    settle: { kind: 'release-reservation', id, vpcId, address, node: undefined },
  }
}

function missing(claim: SurveyClaim, id: string): Judgement {
  return {
    kind: 'reservation-missing',
    subject: id,
    node: claim.node,
    reason: `it kept ${claim.address} for ${podText(claim)}, and the cloud does not show it any more`,
    remedy: 'none: made again when another view agrees',
    holds: false,
    settle: { kind: 'lose-reservation', claim, node: claim.node },
  }
}
