// What pods are told: a warning, that kubectl describe shows.
import type { Claim } from '../ipam/claim.ts'
import type { Notice, PodName, PodUid } from '../ipam/types.ts'

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
