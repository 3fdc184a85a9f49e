// A node agent's ledger over SQLite: the pool and who has which address.
import type { Clock } from '../../base/clock.ts'
import { isClaimedFor } from '../../ipam/choose-address.ts'
import { IpamError } from '../../ipam/errors.ts'
import { podText } from '../../ipam/pod-need.ts'
import type { NodeLedger, NodeTx } from '../../ports.ts'
import type { Database } from '../../sqlite/database.ts'
import { groupCommit } from '../../sqlite/group-commit.ts'
import type { Millis } from '../../value/millis.ts'
import { readMeta, writeMeta } from '../meta.ts'
import {
  addAttachment,
  findAttachment,
  listAttachments,
  nameAttachments,
  podAttachments,
  removeAttachment,
} from './attachments.ts'
import { findEniOf, listEnis } from './enis.ts'
import { remember, wasLetGo } from './history.ts'
import { coolIp, giveBack, listIps } from './ips.ts'
import { leaveQuarantine, listQuarantine, setQuarantine } from './quarantine.ts'
import { applySync } from './sync.ts'

/** The ledger in `db`, a database of `nodeMigrations`; `newId` names a database that has no name yet. */
export function nodeLedger(db: Database, clock: Clock, newId: () => string): NodeLedger {
  const commits = groupCommit(db, clock)
  const databaseId = db.transaction(
    () => readMeta(db, 'database-id') ?? writeMeta(db, 'database-id', newId()),
  )
  return {
    databaseId,
    write: (change) => commits.write(() => change(nodeTx(db, clock.now()))),
    ips: () => listIps(db),
    enis: () => listEnis(db),
    eniOf: (address) => findEniOf(db, address),
    attachments: () => listAttachments(db),
    attachment: (key) => findAttachment(db, key),
    attachmentsOfPod: (uid, ifname) => podAttachments(db, uid, ifname),
    letGo: (hostLink) => wasLetGo(db, hostLink),
    quarantine: () => listQuarantine(db),
    restored: () => readMeta(db, 'restored') !== undefined,
    isBehindNec: () => readMeta(db, 'behind-nec') !== undefined,
    releaseTimer(mode) {
      const at = readMeta(db, timerKeys[mode])
      return at === undefined ? undefined : Number(at)
    },
    eips() {
      const most = readMeta(db, 'eips')
      return most === undefined ? undefined : Number(most)
    },
    staticIps() {
      const said = readMeta(db, 'static-ips')
      return said === undefined ? undefined : said === 'yes'
    },
    bootId: () => readMeta(db, 'boot-id'),
    obstacle: commits.obstacle,
  }
}

const timerKeys = { shared: 'release-timer', exclusive: 'exclusive-release-timer' } as const

function nodeTx(db: Database, now: Millis): NodeTx {
  return {
    now,
    ips: () => listIps(db),
    sync: (changes) => applySync(db, now, changes),
    attach(attachment) {
      const ip = listIps(db, attachment.address)[0]
      if (ip === undefined || ip.inUse || ip.state !== 'usable') {
        throw new IpamError('conflict', `Cannot hand out ${attachment.address}: it is not free any more`)
      }
      if (ip.claim !== undefined && !isClaimedFor(ip, attachment.pod)) {
        throw new IpamError(
          'conflict',
          `Cannot hand out ${attachment.address}: it is claimed for pod ${podText(ip.claim)}`,
        )
      }
      addAttachment(db, now, attachment)
    },
    adopt(attachment) {
      const { address, hostLink } = attachment
      const ip = listIps(db, address)[0]
      if (ip === undefined || ip.inUse || ip.state !== 'usable' || wasLetGo(db, hostLink)) return false
      if (findAttachment(db, attachment) !== undefined) return false
      const { pod } = attachment
      if (ip.claim !== undefined && pod.name !== '' && !isClaimedFor(ip, pod)) return false
      addAttachment(db, now, attachment, 'found in the kernel')
      leaveQuarantine(db, hostLink)
      return true
    },
    detach: (key, coolingUntil, reason) => removeAttachment(db, now, key, coolingUntil, reason),
    giveBack: (addresses, reason) => giveBack(db, now, addresses, reason),
    letGo({ address, hostLink }, coolingUntil, reason) {
      leaveQuarantine(db, hostLink)
      db.run(`DELETE FROM attachment WHERE host_link = ?`, hostLink) // adopted a moment ago
      remember(db, {
        at: now,
        address: address ?? 'unknown',
        event: 'detached',
        reason,
        hostLink,
        coolingUntil,
      })
      if (address !== undefined) coolIp(db, now, address, coolingUntil)
    },
    setQuarantine: (entries) => setQuarantine(db, entries),
    namePod: (pod) => nameAttachments(db, pod),
    confirm: () => void writeMeta(db, 'restored', undefined),
    necFollowed: () => void writeMeta(db, 'behind-nec', undefined),
    setReleaseTimer: (mode, from) =>
      void writeMeta(db, timerKeys[mode], from === undefined ? undefined : String(from)),
    leaderEpoch: () => Number(readMeta(db, 'leader-epoch') ?? 0),
    setLeaderEpoch: (epoch) => void writeMeta(db, 'leader-epoch', String(epoch)),
    setEips: (most) => void writeMeta(db, 'eips', String(most)),
    setStaticIps: (served) => void writeMeta(db, 'static-ips', served ? 'yes' : 'no'),
    setBootId: (id) => void writeMeta(db, 'boot-id', id),
    prune(before, coolingUntil) {
      db.run(`DELETE FROM ip_history WHERE at < ?`, before)
      db.run(`UPDATE ip SET cooling_until = ? WHERE cooling_until > ?`, coolingUntil, coolingUntil)
    },
  }
}
