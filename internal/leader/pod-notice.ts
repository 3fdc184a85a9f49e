// What pods are told: a warning, that kubectl describe shows.
import type { Claim } from '../ipam/claim.ts'
import type { Notice, PodName, PodUid } from '../ipam/types.ts'

/** What a claim says of why it is not as it should be. */
type Trouble = Pick<Claim, 'reason' | 'message'>

/** Each refusal has a request id in it: the same trouble is not told anew for that. */
export function isSameTrouble(a: Trouble, b: Trouble): boolean {
  return a.reason === b.reason && withoutRequest(a.message) === withoutRequest(b.message)
}

function withoutRequest(message: string): string {
  return message.replaceAll(/\(request [^)]*\)|\[request id:[^\]]*\]/g, '')
}

export function podNotice(
  { name, namespace, uid }: PodName & { readonly uid?: PodUid | undefined },
  reason: string,
  message: string,
): Notice {
  const about = { kind: 'Pod', namespace, name, ...(uid !== undefined && { uid }) } as const
  return { about, type: 'Warning', reason, message }
}

/** For the pod of the claim, or whoever asks for one of that name when there is none. */
export function claimNotice(
  { name, namespace, podUid: uid }: Pick<Claim, 'name' | 'namespace' | 'podUid'>,
  reason: string,
  message: string,
): Notice {
  return podNotice({ name, namespace, uid }, reason, message)
}
