// Each pod shows its public address in an annotation, as long as it has one (E11).
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { createPause, type Pause } from '../../base/pause.ts'
import type { Random } from '../../base/random.ts'
import type { PodFact, PodUid } from '../../ipam/types.ts'
import type { LeaderKube } from '../../ports.ts'
import type { Ipv4 } from '../../value/ipv4.ts'
import type { Millis } from '../../value/millis.ts'

export interface PublicIpKeeper {
  /** Returns after how long to look again; undefined when the pod shows what it is to show. Never throws. */
  keep(pod: PodFact, address: Ipv4 | undefined): Promise<Millis | undefined>
  forget(uid: PodUid): void
}

export interface PublicIpOptions {
  readonly kube: Pick<LeaderKube, 'setPublicIp'>
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/** What a pod is to show by the last write, or was, when that was refused. */
interface Written {
  readonly address: Ipv4 | undefined
  /** Until it is written again. */
  readonly pause: Pause
  /** Why it failed last, as was told. */
  cause: string | undefined
}

const rewrite = { firstMs: 5000, maxMs: 60_000 }

export function createPublicIpKeeper({ clock, kube, log, random }: PublicIpOptions): PublicIpKeeper {
  const written = new Map<PodUid, Written>()

  /** Another address than before waits for nothing. */
  function writtenOf(uid: PodUid, address: Ipv4 | undefined): Written {
    const last = written.get(uid)
    if (last !== undefined && last.address === address) return last
    const fresh: Written = { address, pause: createPause(rewrite, clock, random), cause: last?.cause }
    written.set(uid, fresh)
    return fresh
  }

  return {
    async keep(pod, address) {
      const { name, namespace, publicIp, uid } = pod
      if (publicIp === address) {
        // The same is remembered: whoever else writes there is not answered as fast as that.
        if (written.get(uid)?.address !== address) written.delete(uid)
        return undefined
      }
      const its = writtenOf(uid, address)
      const left = its.pause.left()
      if (left > 0) return left
      try {
        await kube.setPublicIp({ namespace, name, uid }, address)
        its.cause = undefined
      } catch (error) {
        const { message } = error as Error
        if (message !== its.cause)
          log.warn('public address of a pod not shown', {
            pod: `${namespace}/${name}`,
            address,
            error: message,
          })
        its.cause = message
      }
      return its.pause.failed()
    },
    forget: (uid) => void written.delete(uid),
  }
}
