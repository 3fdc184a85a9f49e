// Each pod shows its public address in an annotation, as long as it has one (E11).
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { PodFact, PodUid } from '../../ipam/types.ts'
import type { LeaderKube } from '../../ports.ts'
import type { Ipv4 } from '../../value/ipv4.ts'
import type { Millis } from '../../value/millis.ts'

export interface PublicIpKeeper {
  /** Returns after how long to look again; undefined when the pod shows what it is to show. Never throws. */
  keep(pod: PodFact, address: Ipv4 | undefined): Promise<Millis | undefined>
  forget(uid: PodUid): void
}

/** A write that the watch has not shown after so long is written again. */
const echoWithin: Millis = 5000

export function createPublicIpKeeper(
  kube: Pick<LeaderKube, 'setPublicIp'>,
  clock: Clock,
  log: Log,
): PublicIpKeeper {
  const written = new Map<PodUid, { readonly address: Ipv4 | undefined; readonly at: Millis }>()

  return {
    async keep(pod, address) {
      const { name, namespace, publicIp, uid } = pod
      if (publicIp === address) {
        written.delete(uid)
        return undefined
      }
      const last = written.get(uid)
      const isOnItsWay = last !== undefined && last.address === address && clock.now() - last.at < echoWithin
      if (isOnItsWay) return echoWithin
      written.set(uid, { address, at: clock.now() })
      try {
        await kube.setPublicIp({ namespace, name, uid }, address)
      } catch (error) {
        const fields = { pod: `${namespace}/${name}`, address, error: (error as Error).message }
        log.warn('public address of a pod not shown', fields)
      }
      return echoWithin
    },
    forget: (uid) => void written.delete(uid),
  }
}
