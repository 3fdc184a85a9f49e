// What becomes of an EIP that bears our tags, and that no claim knows of: an allocation whose answer was lost with its claim, or what is left
// of a lost ledger. A claim is made for it again, and does the rest; where its pod's name has another, it is released. Pure.
import { eipDefaults, isChargeType } from './eip-attributes.ts'
import { type EipPurpose, purposeOfEip } from './eip-tags.ts'
import { asksForEip, type EipWish, eipOfPod } from './eip-wish.ts'
import { podText } from './pod-need.ts'
import {
  type CloudEip,
  type EipId,
  isps,
  type NodeName,
  type OwnerRef,
  type PodFact,
  type PodName,
  type PodUid,
} from './types.ts'

export interface EipsView {
  readonly clusterId: string
  /** Those with tags of the cluster. */
  readonly eips: readonly CloudEip[]
  /** Whose they are by the ledger. */
  readonly holders: ReadonlyMap<EipId, PodName>
  /** Of the allocations of claims, with what each has brought: of others more may come. */
  readonly tokens: ReadonlyMap<string, EipId | undefined>
  /** Pods, by name, that have a claim. */
  readonly claimed: ReadonlySet<string>
  /** Those of them whose claim has none yet, and has asked for none: it takes what leftFor() finds. */
  readonly waiting: ReadonlySet<string>
  readonly pods: readonly PodFact[]
}

/** A claim that is made for one again. */
export interface RefoundEip extends PodName {
  readonly eip: CloudEip
  readonly phase: 'Attaching' | 'Retained' | 'Releasing'
  readonly wish: EipWish
  /** Of its allocation; undefined when another has it: somebody has copied its tags. */
  readonly token: string | undefined
  readonly podUid: PodUid | undefined
  readonly node: NodeName | undefined
  readonly owner: OwnerRef | undefined
}

export interface JudgedEips {
  readonly claims: readonly RefoundEip[]
  /** Of names that have a claim to another. */
  readonly orphans: readonly CloudEip[]
}

export function judgeEips(view: EipsView): JudgedEips {
  const pods = new Map(view.pods.filter(asksForEip).map((pod) => [podText(pod), pod]))
  const claims: RefoundEip[] = []
  const orphans: CloudEip[] = []
  const claimed = new Set(view.claimed)
  const tokens = new Set(view.tokens.keys())
  for (const { eip, purpose } of unknown(view).toSorted(boundFirst)) {
    const name = podText(purpose)
    if (view.waiting.has(name)) continue
    if (claimed.has(name)) orphans.push(eip)
    else claims.push(refound(eip, purpose, pods.get(name), unlessTaken(purpose.token, tokens)))
    claimed.add(name)
    tokens.add(purpose.token)
  }
  return { claims, orphans }
}

/** Of those of the cluster the one that was made for a pod of that name, and that no claim knows of: what a ledger that was lost has left. */
export function leftFor(
  { name, namespace }: PodName,
  view: Known,
): { readonly eip: CloudEip; readonly token: string | undefined } | undefined {
  const its = unknown(view).filter(({ purpose }) => purpose.name === name && purpose.namespace === namespace)
  const [first] = its.toSorted(boundFirst)
  return first && { eip: first.eip, token: unlessTaken(first.purpose.token, view.tokens) }
}

function unlessTaken(token: string, taken: Pick<ReadonlySet<string>, 'has'>): string | undefined {
  return taken.has(token) ? undefined : token
}

type Known = Pick<EipsView, 'clusterId' | 'eips' | 'holders' | 'tokens'>

interface Unknown {
  readonly eip: CloudEip
  readonly purpose: EipPurpose
}

function unknown({ clusterId, eips, holders, tokens }: Known): readonly Unknown[] {
  return eips.flatMap((eip) => {
    const purpose = purposeOfEip(eip.tags)
    if (purpose?.clusterId !== clusterId || holders.has(eip.id)) return []
    if (tokens.has(purpose.token) && tokens.get(purpose.token) === undefined) return []
    return eip.state === 'releasing' ? [] : [{ eip, purpose }]
  })
}

/** Of two of one name the one that carries something is its pod's; else the same always. */
function boundFirst(a: Unknown, b: Unknown): number {
  const [first, second] = [a, b].map(({ eip }) => Number(eip.privateIp === undefined))
  return (first ?? 0) - (second ?? 0) || (a.eip.id < b.eip.id ? -1 : 1)
}

function refound(
  eip: CloudEip,
  purpose: EipPurpose,
  pod: PodFact | undefined,
  token: string | undefined,
): RefoundEip {
  const { name, namespace, owner } = purpose
  const asked = pod && eipOfPod(pod)
  const wish = asked !== undefined && 'wish' in asked ? asked.wish : undefined
  const common = { namespace, name, eip, token, owner }
  // Which pod it was made for nobody knows any more: the one that has its name, and asks for one that is made.
  if (pod !== undefined && wish?.source === 'created')
    return { ...common, phase: 'Attaching', wish, podUid: pod.uid, node: pod.node }
  const phase = purpose.policy === 'Never' ? 'Retained' : 'Releasing'
  return { ...common, phase, wish: wishOf(eip, purpose), podUid: undefined, node: undefined }
}

/** As it would be asked for. */
function wishOf({ bandwidth, chargeType, isp }: CloudEip, { expireAfter, policy }: EipPurpose): EipWish {
  return {
    ...{ source: 'created', policy, expireAfter, label: undefined, tags: {}, raw: {} },
    bandwidth: bandwidth ?? eipDefaults.bandwidth,
    isp: isps.find((one) => one === isp) ?? eipDefaults.isp,
    chargeType: isChargeType(chargeType) ? chargeType : eipDefaults.chargeType,
  }
}
