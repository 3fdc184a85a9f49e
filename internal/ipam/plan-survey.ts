// Three views compared: the ledger, the cloud, Kubernetes. What disagrees is suspected first; it is settled when a second
// view, further away than the cloud's answers may lag, says the same (R7). What is ours in no view is never touched.

import type { Ipv4 } from '../value/ipv4.ts'
import { podIps, purposeOf } from './eni-tags.ts'
import { judgeEnis } from './judge-enis.ts'
import { judgeOrphans } from './judge-orphans.ts'
import { judgePods } from './judge-pods.ts'
import { judgeReservations } from './judge-reservations.ts'
import { isConfirmed, type Suspect, suspectKey, weigh } from './quarantine.ts'
import type {
  Judgement,
  OrphanCase,
  SurveyPlan,
  SurveyPolicy,
  SurveySettlement,
  SurveySnapshot,
} from './survey.ts'
import type { EniMode } from './types.ts'

/** So few missing ENIs are never a wrong view of the whole cloud. */
const fewEnis = 3

/** A view that lacks most of these is hardly the truth. */
const losses = ['eni-missing', 'reservation-missing'] as const
type Loss = (typeof losses)[number]

/** `suspects` is what is in quarantine so far. */
export function planSurvey(
  snapshot: SurveySnapshot,
  suspects: readonly Suspect[],
  policy: SurveyPolicy,
): SurveyPlan {
  const before = new Map(suspects.map((suspect) => [suspectKey(suspect), suspect]))
  const parts = [
    judgeEnis(snapshot, policy),
    judgeOrphans(snapshot),
    judgePods(snapshot),
    judgeReservations(snapshot, policy),
  ]
  const unjudged = new Set(parts.flatMap((part) => [...part.unjudged]))
  const judged = parts
    .flatMap(({ found }) => found)
    .map((judgement) => {
      const { settle: _, ...finding } = judgement
      const suspect = weigh(finding, before.get(suspectKey(finding)), snapshot.readAt, policy.staleFor)
      return { judgement, suspect }
    })
  const massive = new Set<string>(losses.filter((loss) => isMassLoss(loss, snapshot, judged)))
  const ripe = ({ judgement, suspect }: (typeof judged)[number]) =>
    judgement.settle !== undefined &&
    isConfirmed(suspect) &&
    (!massive.has(judgement.kind) || suspect.lastSeen - suspect.firstSeen >= policy.massLossAfter)
  const due = judged.filter(ripe)
  const found = new Set(judged.map(({ suspect }) => suspectKey(suspect)))
  const waiting = judged.filter((one) => !ripe(one)).map(({ suspect }) => suspect)
  const kept = suspects.filter((suspect) => !found.has(suspectKey(suspect)) && unjudged.has(suspect.subject))
  return {
    suspects: [...waiting, ...kept],
    settlements: settle(
      due.map(({ judgement }) => judgement),
      snapshot,
    ),
    again: [...waiting, ...kept].some((suspect) => !isConfirmed(suspect)),
  }
}

function isMassLoss(
  loss: Loss,
  { claims, enis }: SurveySnapshot,
  judged: readonly { readonly judgement: Judgement }[],
): boolean {
  const missing = judged.filter(({ judgement }) => judgement.kind === loss).length
  const all =
    loss === 'eni-missing'
      ? enis.length
      : claims.filter(({ reservation }) => reservation !== undefined).length
  return missing > fewEnis && missing * 2 > all
}

/** Claims first, which are as they were seen: what comes changes those that have its addresses. Then what goes makes room for what comes. */
const order: Readonly<Record<SurveySettlement['kind'] | 'orphan', number>> = {
  'find-reservation': 0,
  'lose-reservation': 0,
  'release-reservation': 0,
  'drop-ip': 1,
  'forget-eni': 2,
  'correct-eni': 3,
  'adopt-ip': 4,
  orphan: 5,
  'adopt-eni': 5,
  // An ENI with something under way is not changed any more.
  'unassign-ip': 6,
}

function settle(due: readonly Judgement[], snapshot: SurveySnapshot): readonly SurveySettlement[] {
  const places = new Places(snapshot)
  return due
    .flatMap(({ settle: what }) => what ?? [])
    .toSorted((a, b) => order[a.kind] - order[b.kind])
    .flatMap((what) => (what.kind === 'orphan' ? (places.adopt(what) ?? []) : what))
}

/** Slots and room of the nodes while orphans are given places, one after the other. */
class Places {
  readonly #snapshot: SurveySnapshot
  readonly #slots = new Map<string, Set<number>>()
  readonly #room = new Map<string, Record<EniMode, number>>()
  /** ENIs of each kind. */
  readonly #count = new Map<string, Record<EniMode, number>>()
  readonly #former = new Map<string, string>()
  readonly #shown: ReadonlySet<Ipv4>

  constructor(snapshot: SurveySnapshot) {
    this.#snapshot = snapshot
    const live = snapshot.pods.filter(({ terminal, hostNetwork }) => !terminal && !hostNetwork)
    this.#shown = new Set(live.flatMap(({ ip }) => ip ?? []))
    for (const { name, room } of snapshot.nodes) this.#room.set(name, { ...room })
    for (const { mode, node, slot } of snapshot.enis) this.#take(node, mode, slot)
  }

  /** An ENI that nobody can use now, and that is attached to nothing, is given back; one that pods use serves, be there a place for it or not. */
  adopt({ eni, node: name, formerInstance }: OrphanCase): SurveySettlement | undefined {
    const cidr = this.#snapshot.cidrs.get(eni.subnetId)
    if (cidr === undefined) return undefined
    const node = this.#snapshot.nodes.find((one) => one.name === name)
    const attached = eni.instanceId !== undefined
    const purpose = purposeOf(eni)
    const { mode } = purpose
    const ips = podIps(eni, mode)
    const room = this.#room.get(name)
    const former = this.#former.get(name) ?? formerInstance
    if (former !== formerInstance) return undefined // one instance after the other
    if (former !== undefined) this.#former.set(name, former)
    const isActive = node?.phase === 'active'
    const used = attached && isActive && ips.some(({ address }) => this.#shown.has(address))
    const fits = purpose.instanceId === node?.instanceId && ips.length <= (room?.[mode] ?? 0)
    const most = isActive ? node.bounds.instanceEnis : 0
    const slots = this.#slotsOf(name)
    const hasPlace = isActive && slots.size < most && this.#countOf(name)[mode] < node.bounds[mode].maxEnis
    const serves = used || (hasPlace && (attached || fits))
    const slot = freeSlot(slots, purpose.slot, serves ? most : Number.POSITIVE_INFINITY)
    this.#take(name, mode, slot)
    if (serves && room !== undefined) room[mode] -= ips.length
    return {
      kind: 'adopt-eni',
      eni,
      cidr,
      slot,
      mode,
      state: attached ? 'attached' : 'available',
      goal: serves ? 'serve' : 'delete',
      node: name,
      formerInstance,
    }
  }

  #take(node: string, mode: EniMode, slot: number): void {
    this.#slotsOf(node).add(slot)
    this.#countOf(node)[mode]++
  }

  #countOf(node: string): Record<EniMode, number> {
    const known = this.#count.get(node) ?? { shared: 0, exclusive: 0 }
    this.#count.set(node, known)
    return known
  }

  #slotsOf(node: string): Set<number> {
    const known = this.#slots.get(node) ?? new Set<number>()
    this.#slots.set(node, known)
    return known
  }
}

/** The slot it had, when it is free; else the lowest free one. */
function freeSlot(taken: ReadonlySet<number>, wanted: number | undefined, most: number): number {
  if (wanted !== undefined && wanted <= most && !taken.has(wanted)) return wanted
  let slot = 1
  while (taken.has(slot)) slot++
  return slot
}
