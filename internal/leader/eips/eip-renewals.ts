// An EIP that the cloud agreed to make and did not make is asked for again, under a claim of its own: ever more slowly for one pod.
import type { BackoffPolicy } from '../../base/backoff.ts'
import type { Clock } from '../../base/clock.ts'
import { createPause, type Pause } from '../../base/pause.ts'
import type { Random } from '../../base/random.ts'
import type { PodUid } from '../../ipam/types.ts'
import type { Millis } from '../../value/millis.ts'

export interface EipRenewals {
  /** It came to nothing. */
  failed(pod: PodUid): void
  /** How long the next claim of the pod is to wait. */
  left(pod: PodUid): Millis
  /** The pod has its EIP, or asks for none any more. */
  forget(pod: PodUid): void
}

const most: Millis = 300_000

export function createEipRenewals(clock: Clock, random: Random, retry: BackoffPolicy): EipRenewals {
  const pauses = new Map<PodUid, Pause>()
  return {
    failed(pod) {
      const pause = pauses.get(pod) ?? createPause({ ...retry, maxMs: most }, clock, random)
      pauses.set(pod, pause)
      pause.failed()
    },
    left: (pod) => pauses.get(pod)?.left() ?? 0,
    forget: (pod) => void pauses.delete(pod),
  }
}
