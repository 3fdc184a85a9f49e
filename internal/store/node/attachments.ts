// Table `attachment`: which sandbox has which address.
import type { Attachment, SandboxKey } from '../../ports.ts'
import type { Database } from '../../sqlite/database.ts'
import type { Ipv4 } from '../../value/ipv4.ts'
import type { Millis } from '../../value/millis.ts'
import { remember } from './history.ts'
import { coolIp } from './ips.ts'

interface AttachmentRow {
  readonly container_id: string
  readonly ifname: string
  readonly address: Ipv4
  readonly pod_namespace: string
  readonly pod_name: string
  readonly pod_uid: string
  readonly netns: string
  readonly host_link: string
}

export function listAttachments(db: Database): readonly Attachment[] {
  return db
    .all<AttachmentRow>(`SELECT * FROM attachment ORDER BY created_at, container_id, ifname`)
    .map(fromRow)
}

export function findAttachment(db: Database, key: SandboxKey): Attachment | undefined {
  const row = db.get<AttachmentRow>(
    `SELECT * FROM attachment WHERE container_id = ? AND ifname = ?`,
    key.containerId,
    key.ifname,
  )
  return row === undefined ? undefined : fromRow(row)
}

export function podAttachments(db: Database, uid: string, ifname: string): readonly Attachment[] {
  return db
    .all<AttachmentRow>(
      `SELECT * FROM attachment WHERE pod_uid = ? AND ifname = ? ORDER BY created_at`,
      uid,
      ifname,
    )
    .map(fromRow)
}

export function addAttachment(db: Database, now: Millis, attachment: Attachment, reason = 'CNI ADD'): void {
  const { containerId, ifname, address, pod, netns, hostLink } = attachment
  db.run(
    `INSERT INTO attachment (container_id, ifname, address, pod_namespace, pod_name, pod_uid, netns, host_link, created_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    containerId,
    ifname,
    address,
    pod.namespace,
    pod.name,
    pod.uid,
    netns,
    hostLink,
    now,
  )
  remember(db, { at: now, address, event: 'attached', reason, pod, containerId, hostLink })
}

export function removeAttachment(
  db: Database,
  now: Millis,
  key: SandboxKey,
  coolingUntil: Millis,
  reason: string,
): void {
  const attachment = findAttachment(db, key)
  if (attachment === undefined) return
  const { address, pod, containerId, hostLink } = attachment
  db.run(`DELETE FROM attachment WHERE container_id = ? AND ifname = ?`, key.containerId, key.ifname)
  coolIp(db, now, address, coolingUntil)
  remember(db, { at: now, address, event: 'detached', reason, pod, containerId, hostLink, coolingUntil })
}

export function nameAttachments(db: Database, pod: Attachment['pod']): void {
  db.run(
    `UPDATE attachment SET pod_namespace = ?, pod_name = ? WHERE pod_uid = ? AND pod_name = ''`,
    pod.namespace,
    pod.name,
    pod.uid,
  )
}

function fromRow(row: AttachmentRow): Attachment {
  return {
    containerId: row.container_id,
    ifname: row.ifname,
    address: row.address,
    pod: { namespace: row.pod_namespace, name: row.pod_name, uid: row.pod_uid },
    netns: row.netns,
    hostLink: row.host_link,
  }
}
