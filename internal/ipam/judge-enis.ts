// ENIs of the ledger against what the cloud shows of them.
import type { Ipv4 } from '../value/ipv4.ts'
import { podIps, purposeOf } from './eni-tags.ts'
import { purposeOfReservation } from './reservation-tags.ts'
import type { Judgement, Judgements, SurveyEni, SurveyIp, SurveyPolicy, SurveySnapshot } from './survey.ts'
import type { CloudEni, EniId, InstanceId, NodeName } from './types.ts'

type Known = SurveyEni & { readonly id: EniId }

export function judgeEnis(snapshot: SurveySnapshot, policy: SurveyPolicy): Judgements {
  const shown = new Map(snapshot.cloud.map((eni) => [eni.id, eni]))
  const everywhere = new Set(snapshot.enis.flatMap(({ ips }) => ips.map(({ address }) => address)))
  const instanceOf = new Map(snapshot.nodes.map(({ name, instanceId }) => [name, instanceId]))
  const unjudged = new Set<string>()
  const found: Judgement[] = []
  const context = { snapshot, policy, everywhere, instanceOf, unjudged, reservedFor: reserved(snapshot) }
  for (const eni of snapshot.enis) {
    if (eni.id === undefined) continue // being made: its intent knows
    const known = { ...eni, id: eni.id }
    const cloud = shown.get(known.id)
    const judgements = isQuiet(known, cloud, snapshot, policy) ? judgeEni(known, cloud, context) : undefined
    if (judgements !== undefined) found.push(...judgements)
    else leaveOut(known, cloud, unjudged)
  }
  return { found, unjudged }
}

/** Neither we nor the cloud is doing anything to it, nor did so within the lag of the answer. */
function isQuiet(
  eni: Known,
  cloud: CloudEni | undefined,
  { touched, readAt }: SurveySnapshot,
  { staleFor }: SurveyPolicy,
): boolean {
  if (eni.busy || touched.has(eni.id) || eni.touchedAt >= readAt - staleFor) return false
  return cloud === undefined || cloud.state === 'available'
}

function leaveOut(eni: Known, cloud: CloudEni | undefined, unjudged: Set<string>): void {
  unjudged.add(eni.id)
  for (const { address } of [...eni.ips, ...(cloud?.ips ?? [])]) unjudged.add(address)
}

interface Context {
  readonly snapshot: SurveySnapshot
  readonly policy: SurveyPolicy
  /** Every address of the ledger. */
  readonly everywhere: ReadonlySet<Ipv4>
  readonly instanceOf: ReadonlyMap<NodeName, InstanceId>
  readonly unjudged: Set<string>
  /** What becomes of an address that is reserved, and that no claim has; undefined: it is not reserved. */
  readonly reservedFor: (address: Ipv4) => ReservedFor | undefined
}

/** `claim`: one that does not know of it yet; `nobody`: its claim is gone, or goes. */
type ReservedFor = keyof typeof left | 'nobody'

/** What is reserved and stays where it is, and what helps. */
const left = {
  claim: 'none: its claim will take it',
  untagged: 'release the reservation, or give it its tags back',
  shown: 'delete the pod that shows it: then it is unassigned, and its reservation is released',
} as const

function judgeEni(eni: Known, cloud: CloudEni | undefined, context: Context): readonly Judgement[] {
  const about = { subject: eni.id, node: eni.node, holds: false }
  if (cloud === undefined) {
    return [
      {
        ...about,
        kind: 'eni-missing',
        reason: 'the cloud does not show it any more',
        remedy: 'none: forgotten when another view agrees; if it exists, check region and credentials',
        settle: { kind: 'forget-eni', eni: eni.key, eniId: eni.id, node: eni.node, ips: eni.ips },
      },
    ]
  }
  const owner = purposeOf(cloud).clusterId
  if (owner !== undefined && owner !== context.snapshot.clusterId) {
    return [
      {
        ...about,
        holds: true,
        kind: 'eni-retagged',
        reason: `its tag says that it is of cluster "${owner}"`,
        remedy: 'give it its tag back, or take it off the instance and delete it',
        settle: undefined,
      },
    ]
  }
  const instance = context.instanceOf.get(eni.node)
  if (cloud.instanceId !== undefined && cloud.instanceId !== instance) {
    return [
      {
        ...about,
        holds: true,
        kind: 'eni-elsewhere',
        reason: `it is attached to "${cloud.instanceId}", and its node is "${instance ?? 'gone'}"`,
        remedy: 'detach it in the console: it is attached to its node again',
        settle: undefined,
      },
    ]
  }
  return [
    ...untagged(eni, owner),
    ...misplaced(eni, cloud),
    ...(eni.goal === 'serve' ? judgeIps(eni, cloud, context) : []),
  ]
}

function untagged(eni: Known, owner: string | undefined): readonly Judgement[] {
  if (owner !== undefined) return []
  return [
    {
      kind: 'eni-untagged',
      subject: eni.id,
      node: eni.node,
      reason: 'it has lost the tag of this cluster',
      remedy: 'give it its tag back: without it a lost ledger cannot be rebuilt whole',
      holds: false,
      settle: undefined,
    },
  ]
}

function misplaced(eni: Known, cloud: CloudEni): readonly Judgement[] {
  const isAttached = cloud.instanceId !== undefined
  const about = { subject: eni.id, node: eni.node, holds: false }
  const correct = (state: 'attached' | 'available') =>
    ({ kind: 'correct-eni', eni: eni.key, eniId: eni.id, state, node: eni.node }) as const
  if (eni.state === 'attached' && !isAttached) {
    return [
      {
        ...about,
        kind: 'eni-detached',
        reason: 'it was taken off its node, and not by us',
        remedy: 'none: attached again when another view agrees',
        settle: correct('available'),
      },
    ]
  }
  if (eni.state === 'available' && isAttached) {
    return [
      {
        ...about,
        kind: 'eni-attached',
        reason: 'it is on its node, and the ledger says that it is not',
        remedy: 'none: noted when another view agrees',
        settle: correct('attached'),
      },
    ]
  }
  return []
}

function judgeIps(
  eni: Known,
  cloud: CloudEni,
  { snapshot, policy: { staleFor }, everywhere, unjudged, reservedFor }: Context,
): readonly Judgement[] {
  const { readAt } = snapshot
  const ips = podIps(cloud, eni.mode)
  const shown = new Set(ips.map(({ address }) => address))
  const isOld = (ip: SurveyIp) => ip.state === 'bound' && ip.changedAt < readAt - staleFor
  for (const ip of eni.ips) if (!isOld(ip)) unjudged.add(ip.address)
  const missing = eni.ips.filter((ip) => isOld(ip) && !shown.has(ip.address))
  const unknown = ips.filter(
    ({ address, state }) => state === 'available' && !eni.ips.some((ip) => ip.address === address),
  )
  return [
    ...missing.map(
      (ip): Judgement => ({
        kind: 'ip-missing',
        subject: ip.address,
        node: eni.node,
        reason: `it is not on ENI "${eni.id}" any more`,
        remedy: 'none: forgotten when another view agrees; delete the pod that had it',
        holds: false,
        settle: { kind: 'drop-ip', address: ip.address, eniId: eni.id, node: eni.node, pod: ip.pod },
      }),
    ),
    ...unknown.map(({ address }): Judgement => {
      const place = everywhere.has(address) ? 'has it elsewhere' : 'does not have it'
      const about = {
        kind: 'ip-unknown',
        subject: address,
        node: eni.node,
        reason: `it is on ENI "${eni.id}", and the ledger ${place}`,
        remedy: 'none: taken into the pool when another view agrees',
        holds: false,
      } as const
      if (everywhere.has(address)) return { ...about, settle: undefined }
      const adopted = { kind: 'adopt-ip', eni: eni.key, address, node: eni.node } as const
      const whose = reservedFor(address)
      if (whose === undefined) return { ...about, settle: adopted }
      const reason = `${about.reason}; it is reserved, and no claim has it`
      if (whose === 'nobody')
        return {
          ...about,
          reason,
          remedy: 'none: unassigned when another view agrees, then its reservation is released',
          settle: { kind: 'unassign-ip', address, eni: eni.key, eniId: eni.id, node: eni.node },
        }
      return { ...about, reason, remedy: left[whose], settle: undefined }
    }),
  ]
}

function reserved({ claims, pods, reservations = [] }: SurveySnapshot): Context['reservedFor'] {
  const read = (): ReadonlyMap<Ipv4, ReservedFor> => {
    const claimed = new Set(claims.map(({ address }) => address))
    const waiting = new Set(
      claims.filter(({ phase }) => phase !== 'Releasing').map((claim) => claim.reserveToken),
    )
    const shown = new Set(pods.filter(({ terminal }) => !terminal).map(({ ip }) => ip))
    const free = reservations.filter(({ address }) => !claimed.has(address))
    return new Map(
      free.map(({ address, tags }) => {
        const purpose = purposeOfReservation(tags)
        if (purpose === undefined) return [address, 'untagged']
        if (waiting.has(purpose.token)) return [address, 'claim']
        return [address, shown.has(address) ? 'shown' : 'nobody']
      }),
    )
  }
  let known: ReadonlyMap<Ipv4, ReservedFor> | undefined // rarely asked for
  return (address) => {
    known ??= read()
    return known.get(address)
  }
}
