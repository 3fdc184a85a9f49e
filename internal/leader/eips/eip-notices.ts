// What pods are told of their EIPs: each trouble once, however often it is met again.
import type { EipClaim, EipTrouble } from '../../ipam/eip-claim.ts'
import { eipOfPod } from '../../ipam/eip-wish.ts'
import type { PodFact, PodUid } from '../../ipam/types.ts'
import type { LeaderKube, LeaderLedger } from '../../ports.ts'
import { claimNotice, isSameTrouble, podNotice } from '../pod-notice.ts'

export interface EipNotices {
  /** Stores in the claim why it is not as it should be, and tells its pod. Throws `storage`, `conflict`. */
  trouble(claim: EipClaim, trouble: EipTrouble): Promise<void>
  /** What its annotations say wrong. */
  fault(pod: PodFact): void
  forget(uid: PodUid): void
}

export function createEipNotices(
  kube: Pick<LeaderKube, 'notify'>,
  ledger: Pick<LeaderLedger, 'write'>,
): EipNotices {
  const told = new Map<PodUid, string>()
  return {
    async trouble(claim, { message, reason }) {
      if (isSameTrouble(claim, { message, reason })) return
      await ledger.write((tx) => tx.changeEipClaim(claim, { reason, message }))
      kube.notify(claimNotice(claim, reason, message))
    },
    fault(pod) {
      const eip = eipOfPod(pod)
      if (eip === undefined || !('fault' in eip)) {
        told.delete(pod.uid)
        return
      }
      const message = `Cannot give the pod an EIP: ${eip.fault}`
      if (told.get(pod.uid) === message) return
      told.set(pod.uid, message)
      kube.notify(podNotice(pod, 'EIPRefused', message))
    },
    forget: (uid) => void told.delete(uid),
  }
}
