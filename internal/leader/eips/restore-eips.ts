// Claims that are made again for EIPs that nobody knew of.
import type { Random } from '../../base/random.ts'
import { randomUuid } from '../../base/random-uuid.ts'
import type { RefoundEip } from '../../ipam/judge-eips.ts'
import type { LeaderLedger, LeaderTx } from '../../ports.ts'
import { unknownUid } from '../claims/owners.ts'
import type { LeaderSettings } from '../settings.ts'
import { isLeaving } from './held-addresses.ts'

export interface RestoreTools {
  readonly ledger: LeaderLedger
  readonly random: Random
  readonly settings: Pick<LeaderSettings, 'claimExpiry'>
}

/** Since when a kept one has had no pod is not known: its time begins now. Throws `conflict`. */
export function restoreEip(
  tx: LeaderTx,
  { eip, name, namespace, node, owner, phase, podUid, token, wish }: RefoundEip,
  { ledger, random, settings }: RestoreTools,
): void {
  const after = phase === 'Retained' ? (wish.expireAfter ?? settings.claimExpiry) : undefined
  // Bound to something else it is unbound from that: it was made for pods.
  const isOn = eip.eniId !== undefined && eip.privateIp !== undefined
  const isFree =
    isOn && ledger.eips.onAddress(eip.privateIp) === undefined && !isLeaving(eip.privateIp, ledger)
  tx.restoreEipClaim({
    ...{ namespace, name, node, podUid, phase, wish, allocateToken: token },
    ...{ eipId: eip.id, address: eip.address, uid: randomUuid(random) },
    privateIp: isFree ? eip.privateIp : undefined,
    eniId: isFree ? eip.eniId : undefined,
    // The tags say which it was when the EIP was made: a later one of that name may have it by now.
    owner: owner && { ...owner, uid: unknownUid },
    expiresAt: after === undefined ? undefined : ledger.expiryClock().now + after,
  })
}
