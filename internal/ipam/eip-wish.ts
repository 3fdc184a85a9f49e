// What a pod's annotations ask for: a public address that is made for it (E1), or one of a list (E4), kept after it or not (E2, E3). What is
// not exactly right is refused whole: an address that somebody pays for is never made by guessing.
import type { ClaimPolicy } from './claim.ts'
import { expiryKey, notExpiry, notPolicy, parseClaimExpiry } from './claim-expiry.ts'
import { type CreatedWish, parseEipAttributes } from './eip-attributes.ts'
import { isEipId } from './eip-claim.ts'
import { keyPrefix } from './names.ts'
import { shownText } from './shown-text.ts'
import type { EipId, PodEip, PodFact } from './types.ts'

/** Annotations; with `keyPrefix` before. */
export const eipKeys = {
  attributes: 'eip-attributes',
  ids: 'eip-id-list',
  policy: 'eip-claim-delete-policy',
  expiry: expiryKey,
} as const

export interface SpecifiedWish {
  readonly source: 'specified'
  readonly ids: readonly EipId[]
  /** The pod is the n-th of its set, from 0, and takes that entry; undefined: any that is free. */
  readonly ordinal: number | undefined
}

export type EipWish = (CreatedWish | SpecifiedWish) & {
  readonly policy: ClaimPolicy
  /** It is kept so long after its pod; undefined: as long as the leader's setting says. */
  readonly expireAfter: number | undefined
}

/** Continues "Cannot give the pod an EIP: ". */
export interface EipFault {
  readonly fault: string
}

/** As they are written, without space around; undefined: not there. */
export interface EipAnnotations {
  readonly attributes: string | undefined
  readonly ids: string | undefined
  readonly policy: string | undefined
  readonly expiry: string | undefined
}

export interface NamedPod {
  readonly name: string
  /** Of the workload that made it. */
  readonly controllerKind: string | undefined
}

/** undefined for the many pods that ask for none. */
export function eipWishOf(said: EipAnnotations, pod: NamedPod): EipWish | EipFault | undefined {
  const { attributes, ids, policy } = said
  if (attributes === undefined && ids === undefined) {
    if (policy === undefined) return undefined
    return faultOf('policy', policy, `it goes with ${keyPrefix}${eipKeys.attributes} or ${eipKeys.ids}`)
  }
  if (attributes !== undefined && ids !== undefined)
    return faultOf('ids', ids, `it does not go with ${keyPrefix}${eipKeys.attributes}: one of the two`)
  const keeping = keepingOf(said)
  if ('fault' in keeping) return keeping
  const wish = attributes === undefined ? specifiedOf(ids ?? '', pod) : createdOf(attributes)
  return 'fault' in wish ? wish : { ...wish, ...keeping }
}

/** One that is on a node, and asks for one, be it in vain. */
export function asksForEip({ eip, node, terminal }: Pick<PodFact, 'eip' | 'node' | 'terminal'>): boolean {
  return eip !== undefined && node !== undefined && !terminal
}

/** In both modes, of addresses that are kept and of others (E7); a pod without an address of ours cannot have one. */
export function eipOfPod({
  eip,
  hostNetwork,
  wants,
}: Pick<PodFact, 'eip' | 'hostNetwork' | 'wants'>): PodEip | undefined {
  if (eip === undefined || 'fault' in eip) return eip
  if (hostNetwork)
    return { fault: "it has the node's network; allowed are pods with an address of the VPC of their own" }
  if (wants !== undefined) return eip
  return {
    fault: 'it has no address of the VPC; allowed are pods of the networks tke-route-eni and tke-direct-eni',
  }
}

function faultOf(key: keyof typeof eipKeys, value: string, why: string): EipFault {
  return { fault: `annotation ${keyPrefix}${eipKeys[key]} "${shownText(value)}": ${why}` }
}

function keepingOf({ expiry, policy = 'Immediate' }: EipAnnotations) {
  if (policy === 'Immediate') return { policy, expireAfter: undefined } as const
  if (policy !== 'Never') return faultOf('policy', policy, notPolicy)
  const expireAfter = expiry === undefined ? undefined : parseClaimExpiry(expiry)
  // Kept for ever by a slip of the pen, it would be paid for ever.
  if (expiry !== undefined && expireAfter === undefined) return faultOf('expiry', expiry, notExpiry)
  return { policy, expireAfter } as const
}

function createdOf(text: string): CreatedWish | EipFault {
  const wish = parseEipAttributes(text)
  return typeof wish === 'string' ? faultOf('attributes', text, wish) : wish
}

/** More than an account can have. */
const mostIds = 1000

function specifiedOf(text: string, pod: NamedPod): SpecifiedWish | EipFault {
  const ids = text.split(',').map((id) => id.trim())
  const odd = ids.find((id) => !isEipId(id))
  if (odd !== undefined)
    return faultOf(
      'ids',
      text,
      `"${shownText(odd)}" is no id of an EIP; allowed are ids such as eip-1a2b3c4d, with commas between`,
    )
  if (ids.length > mostIds)
    return faultOf('ids', text, `it has ${ids.length} ids, ${mostIds} are allowed at most`)
  const again = ids.find((id, i) => ids.indexOf(id) < i)
  if (again !== undefined)
    return faultOf('ids', text, `it has "${again}" twice; allowed is each id once, for one pod`)
  return { source: 'specified', ids, ordinal: ordinalOf(pod) }
}

/** What these make has a random end, which may be digits alone. */
const randomlyNaming = new Set(['ReplicaSet', 'ReplicationController', 'DaemonSet', 'Job'])

/** The number that a pod's name ends in: "web-2" is the third. */
export function ordinalOf({ controllerKind, name }: NamedPod): number | undefined {
  if (controllerKind !== undefined && randomlyNaming.has(controllerKind)) return undefined
  const digits = /-(0|[1-9][0-9]{0,8})$/.exec(name)?.[1]
  return digits === undefined ? undefined : Number(digits)
}
