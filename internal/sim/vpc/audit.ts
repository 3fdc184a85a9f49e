// What exists in the cloud and who owns it, and whether the cloud itself is consistent.
import type { Database } from '../../sqlite/database.ts'
import type { Ipv4 } from '../../value/ipv4.ts'
import type { Millis } from '../../value/millis.ts'
import type { World } from './world.ts'

export interface AuditEni {
  readonly id: string
  readonly name: string
  readonly vpcId: string
  readonly subnetId: string
  readonly instanceId: string | null
  readonly primary: boolean
  readonly state: string
  readonly tags: Readonly<Record<string, string>>
}

export interface AuditIp {
  readonly vpcId: string
  readonly address: Ipv4
  readonly eniId: string
  readonly primary: boolean
  readonly state: string
  readonly description: string
}

export interface AuditReservation {
  readonly id: string
  readonly vpcId: string
  readonly subnetId: string
  readonly address: Ipv4
  readonly name: string
  /** The ENI that has the address. */
  readonly eniId: string | null
  readonly tags: Readonly<Record<string, string>>
}

export interface AuditEip {
  readonly id: string
  readonly address: Ipv4
  readonly name: string
  readonly state: string
  readonly isp: string
  readonly bandwidth: number
  readonly chargeType: string
  /** What it is bound to, or on its way to or from. */
  readonly eniId: string | null
  readonly privateIp: Ipv4 | null
  readonly instanceId: string | null
  readonly arrears: boolean
  readonly blocked: boolean
  readonly tags: Readonly<Record<string, string>>
}

export interface Audit {
  readonly at: Millis
  readonly enis: readonly AuditEni[]
  readonly ips: readonly AuditIp[]
  readonly reservations: readonly AuditReservation[]
  readonly eips: readonly AuditEip[]
  /** What the ENIs with a tag hold together, by "key=value". */
  readonly owners: Readonly<Record<string, { readonly enis: number; readonly ips: number }>>
  readonly runningTasks: number
  /** Broken invariants of the cloud's own; empty when all is well. */
  readonly faults: readonly string[]
}

/** The cloud as it is; transitions that are due should be applied before. */
export function audit({ db, settings }: World, at: Millis): Audit {
  const running = db.get<{ n: number }>(
    `SELECT (SELECT count(*) FROM task WHERE state = 'RUNNING')
       + (SELECT count(*) FROM eip_task WHERE state = 'RUNNING') AS n`,
  )
  return {
    at,
    enis: auditEnis(db),
    ips: auditIps(db),
    reservations: auditReservations(db),
    eips: auditEips(db),
    owners: owners(db),
    runningTasks: running?.n ?? 0,
    faults: [...checks, vpcQuota(settings.limits().enisPerVpc)].flatMap((sql) =>
      db.all<{ fault: string }>(sql).map(({ fault }) => fault),
    ),
  }
}

function auditEnis(db: Database): AuditEni[] {
  const rows = db.all<Omit<AuditEni, 'primary' | 'tags'> & { is_primary: number; tags: string }>(
    `SELECT id, name, vpc_id AS vpcId, subnet_id AS subnetId, instance_id AS instanceId, state, is_primary,
       (SELECT json_group_object(key, value) FROM tag WHERE resource = eni.id) AS tags FROM eni ORDER BY seq`,
  )
  return rows.map(({ is_primary, tags, ...eni }) => ({
    ...eni,
    primary: is_primary === 1,
    tags: JSON.parse(tags) as Record<string, string>,
  }))
}

function auditIps(db: Database): AuditIp[] {
  const rows = db.all<Omit<AuditIp, 'primary'> & { is_primary: number }>(
    `SELECT vpc_id AS vpcId, address, eni_id AS eniId, state, description, is_primary FROM ip
     ORDER BY vpc_id, number`,
  )
  return rows.map(({ is_primary, ...ip }) => ({ ...ip, primary: is_primary === 1 }))
}

function auditReservations(db: Database): AuditReservation[] {
  const rows = db.all<Omit<AuditReservation, 'tags'> & { tags: string }>(
    `SELECT r.id AS id, r.vpc_id AS vpcId, r.subnet_id AS subnetId, r.address AS address, r.name AS name, ip.eni_id AS eniId,
       (SELECT json_group_object(key, value) FROM tag WHERE resource = r.id) AS tags
     FROM reservation r LEFT JOIN ip ON ip.vpc_id = r.vpc_id AND ip.number = r.number ORDER BY r.seq`,
  )
  return rows.map(({ tags, ...one }) => ({ ...one, tags: JSON.parse(tags) as Record<string, string> }))
}

type EipRow = Omit<AuditEip, 'arrears' | 'blocked' | 'tags'> & {
  readonly is_arrears: number
  readonly is_blocked: number
  readonly tags: string
}

function auditEips(db: Database): AuditEip[] {
  const rows = db.all<EipRow>(
    `SELECT e.id AS id, e.address AS address, e.name AS name, e.state AS state, e.isp AS isp, e.bandwidth AS bandwidth,
       e.charge_type AS chargeType, e.eni_id AS eniId, ip.address AS privateIp, eni.instance_id AS instanceId,
       e.is_arrears AS is_arrears, e.is_blocked AS is_blocked,
       (SELECT json_group_object(key, value) FROM tag WHERE resource = e.id) AS tags
     FROM eip e LEFT JOIN ip ON ip.vpc_id = e.vpc_id AND ip.number = e.private_number
     LEFT JOIN eni ON eni.id = e.eni_id ORDER BY e.seq`,
  )
  return rows.map(({ is_arrears, is_blocked, tags, ...eip }) => ({
    ...eip,
    arrears: is_arrears === 1,
    blocked: is_blocked === 1,
    tags: JSON.parse(tags) as Record<string, string>,
  }))
}

function owners(db: Database): Audit['owners'] {
  const rows = db.all<{ tag: string; enis: number; ips: number }>(
    `SELECT key || '=' || value AS tag, count(*) AS enis,
       sum((SELECT count(*) FROM ip WHERE eni_id = resource)) AS ips
     FROM tag JOIN eni ON eni.id = tag.resource GROUP BY key, value ORDER BY key, value`,
  )
  return Object.fromEntries(rows.map(({ tag, enis, ips }) => [tag, { enis, ips }]))
}

/** One owner per address and per device are constraints of the schema; these are the rest. */
const checks: readonly string[] = [
  `SELECT 'address ' || address || ' is outside subnet ' || subnet.id AS fault FROM ip
     JOIN subnet ON subnet.id = ip.subnet_id
     WHERE number < first_number + 2 OR number > first_number + size - 2`,
  `SELECT 'address ' || address || ' is of another subnet than ' || eni.id AS fault FROM ip
     JOIN eni ON eni.id = ip.eni_id WHERE eni.subnet_id <> ip.subnet_id OR eni.vpc_id <> ip.vpc_id`,
  `SELECT 'reserved address ' || address || ' is outside subnet ' || subnet.id AS fault FROM reservation
     JOIN subnet ON subnet.id = reservation.subnet_id
     WHERE number < first_number + 2 OR number > first_number + size - 2`,
  `SELECT 'address ' || address || ' is reserved twice' AS fault FROM reservation
     GROUP BY vpc_id, address HAVING count(*) > 1`,
  `SELECT 'reserved address ' || r.address || ' is bound as ' || ip.address || ' of ' || ip.subnet_id AS fault
     FROM reservation r JOIN ip ON ip.vpc_id = r.vpc_id AND ip.number = r.number
     WHERE ip.subnet_id <> r.subnet_id OR ip.address <> r.address`,
  `SELECT 'ENI ' || id || ' has no primary address' AS fault FROM eni
     WHERE NOT EXISTS (SELECT 1 FROM ip WHERE eni_id = eni.id AND is_primary = 1)`,
  `SELECT 'instance ' || i.id || ' has more ENIs than its quota' AS fault FROM instance i
     JOIN instance_type t ON t.name = i.type
     WHERE (SELECT count(*) FROM eni WHERE instance_id = i.id) > t.enis`,
  `SELECT 'ENI ' || e.id || ' has more addresses than its quota' AS fault FROM eni e
     JOIN instance i ON i.id = e.instance_id JOIN instance_type t ON t.name = i.type
     WHERE (SELECT count(*) FROM ip WHERE eni_id = e.id) > t.ips_per_eni`,
  `SELECT 'ENI ' || id || ' is ' || state || ' for ever' AS fault FROM eni WHERE state <> 'AVAILABLE'
     AND NOT EXISTS (SELECT 1 FROM task WHERE task.state = 'RUNNING' AND task.eni_id = eni.id)`,
  `SELECT 'address ' || address || ' is ' || state || ' for ever' AS fault FROM ip WHERE state <> 'AVAILABLE'
     AND NOT EXISTS (SELECT 1 FROM task WHERE task.state = 'RUNNING' AND task.eni_id = ip.eni_id)`,
  `SELECT 'resource ' || resource || ' is gone and has tags' AS fault FROM tag WHERE resource NOT IN
     (SELECT id FROM eni UNION ALL SELECT id FROM subnet UNION ALL SELECT id FROM instance UNION ALL SELECT id FROM reservation
      UNION ALL SELECT id FROM eip)`,
  `SELECT 'EIP ' || eip.id || ' is bound to an address that ' || eip.eni_id || ' does not have' AS fault FROM eip
     WHERE eip.eni_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM ip
       WHERE ip.vpc_id = eip.vpc_id AND ip.number = eip.private_number AND ip.eni_id = eip.eni_id)`,
  `SELECT 'private address ' || vpc_id || ' ' || private_number || ' has several EIPs' AS fault FROM eip
     WHERE eni_id IS NOT NULL GROUP BY vpc_id, private_number HAVING count(*) > 1`,
  `SELECT 'public address ' || address || ' is of several EIPs' AS fault FROM eip GROUP BY address HAVING count(*) > 1`,
  `SELECT 'EIP ' || eip.id || ' is ' || eip.state || ', its ENI ' || eni.state AS fault FROM eip JOIN eni ON eni.id = eip.eni_id
     WHERE eip.state IN ('BIND', 'BIND_ENI')
       AND (eip.state = 'BIND') <> (eni.instance_id IS NOT NULL AND eni.state <> 'ATTACHING')`,
  `SELECT 'EIP ' || eip.id || ' is ' || eip.state || ', its address ' || ip.state AS fault FROM eip
     JOIN ip ON ip.vpc_id = eip.vpc_id AND ip.number = eip.private_number
     WHERE ip.state <> 'AVAILABLE' AND NOT (eip.state = 'UNBINDING' AND eip.task_id IS NULL)`,
  `SELECT 'EIP ' || eip.id || ' is ' || eip.state || ' for ever' AS fault FROM eip
     WHERE state NOT IN ('UNBIND', 'BIND', 'BIND_ENI')
       AND NOT EXISTS (SELECT 1 FROM eip_task WHERE eip_task.state = 'RUNNING' AND eip_task.id = eip.task_id)
       AND NOT EXISTS (SELECT 1 FROM task WHERE task.state = 'RUNNING' AND task.eni_id = eip.eni_id AND eip.task_id IS NULL)`,
  `SELECT 'instance ' || i.id || ' has more EIPs than its quota' AS fault FROM instance i
     JOIN instance_type t ON t.name = i.type
     WHERE (SELECT count(*) FROM eip JOIN eni ON eni.id = eip.eni_id WHERE eni.instance_id = i.id) > t.eips`,
]

function vpcQuota(limit: number): string {
  return `SELECT 'VPC ' || vpc_id || ' has more ENIs than its quota' AS fault FROM eni WHERE is_primary = 0
    GROUP BY vpc_id HAVING count(*) > ${limit}`
}
