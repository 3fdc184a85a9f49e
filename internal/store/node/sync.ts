// Applies what planSync decided.
import type { SyncChange } from '../../ipam/plan-sync.ts'
import type { Database } from '../../sqlite/database.ts'
import type { Millis } from '../../value/millis.ts'
import { keepEni, unpublishEni } from './enis.ts'
import { addIp, claimIp, exposeIp, forgetIp, publishIp, renewIp } from './ips.ts'

export function applySync(db: Database, now: Millis, changes: readonly SyncChange[]): void {
  for (const change of changes) applyChange(db, now, change)
}

function applyChange(db: Database, now: Millis, change: SyncChange): void {
  switch (change.kind) {
    case 'keep-eni':
      return keepEni(db, change.eni)
    case 'unpublish-eni':
      return unpublishEni(db, change.eniId)
    case 'add-ip':
      return addIp(db, now, change)
    case 'renew-ip':
      return renewIp(db, now, change)
    case 'claim-ip':
      return claimIp(db, now, change.address, change.claim)
    case 'expose-ip':
      return exposeIp(db, change.address, change.eipFor)
    case 'forget-ip':
      return forgetIp(db, now, change.address)
    case 'unpublish-ip':
      return publishIp(db, change.address, false)
    case 'publish-ip':
      return publishIp(db, change.address, true)
  }
}
