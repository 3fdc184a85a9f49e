// The whole ledger as a survey compares it, and what a survey changes in it.
import { IpamError } from '../../ipam/errors.ts'
import type { SurveyEni, SurveyIp } from '../../ipam/survey.ts'
import type { FoundEni } from '../../ports.ts'
import type { Database } from '../../sqlite/database.ts'
import type { Ipv4 } from '../../value/ipv4.ts'
import type { Millis } from '../../value/millis.ts'
import { type EniRow, enterEni, findEni, removeEni, setEniState } from './enis.ts'
import { addIp, ipsOf, removeIp } from './ips.ts'

interface SurveyedIpRow {
  readonly eni: number
  readonly address: Ipv4
  readonly state: 'bound' | 'unassigning'
  readonly changed_at: Millis
  readonly pod_namespace: string | null
  readonly pod_name: string | null
  readonly pod_uid: string | null
}

export function allEnis(db: Database): readonly SurveyEni[] {
  const ips = Map.groupBy(
    db.all<SurveyedIpRow>(
      `SELECT eni, address, state, changed_at, pod_namespace, pod_name, pod_uid FROM ip ORDER BY number`,
    ),
    ({ eni }) => eni,
  )
  const rows = db.all<EniRow & { busy: 0 | 1; touched_at: Millis }>(
    `SELECT eni.*, EXISTS (SELECT 1 FROM intent WHERE eni.key IN (intent.eni, intent.from_eni) AND intent.state IN ('recorded', 'accepted')) AS busy,
       max(eni.changed_at, coalesce((SELECT max(intent.changed_at) FROM intent WHERE intent.eni = eni.key), 0),
         coalesce((SELECT max(intent.changed_at) FROM intent WHERE intent.from_eni = eni.key), 0)) AS touched_at
     FROM eni ORDER BY key`,
  )
  return rows.map((row) => ({
    key: row.key,
    id: row.id ?? undefined,
    node: row.node,
    slot: row.slot,
    mode: row.mode,
    mac: row.mac ?? undefined,
    primaryIp: row.primary_ip ?? undefined,
    state: row.state,
    goal: row.goal,
    busy: row.busy === 1,
    touchedAt: row.touched_at,
    ips: (ips.get(row.key) ?? []).map(surveyIp),
  }))
}

function surveyIp(row: SurveyedIpRow): SurveyIp {
  const { pod_namespace: namespace, pod_name: name, pod_uid: uid } = row
  const pod = namespace === null || name === null || uid === null ? undefined : { namespace, name, uid }
  return { address: row.address, state: row.state, changedAt: row.changed_at, pod }
}

export function touchedSince(db: Database, from: Millis): ReadonlySet<string> {
  const rows = db.all<{ eni_id: string | null; from_eni_id: string | null; token: string }>(
    `SELECT eni_id, from_eni_id, token FROM intent WHERE state IN ('recorded', 'accepted')
     UNION ALL SELECT eni_id, from_eni_id, token FROM intent WHERE state IN ('done', 'failed') AND changed_at >= ?`,
    from,
  )
  return new Set(
    rows.flatMap(({ eni_id, from_eni_id, token }) => [token, eni_id ?? [], from_eni_id ?? []].flat()),
  )
}

export function adoptEni(db: Database, now: Millis, eni: FoundEni, reason: string): void {
  const key = enterEni(db, now, eni)
  for (const { address, grant } of eni.ips) addIp(db, now, { address, grant, eni: key }, reason)
}

export function correctEni(db: Database, now: Millis, key: number, state: 'attached' | 'available'): void {
  refuseBusy(db, key)
  setEniState(db, now, key, state)
}

export function forgetEni(db: Database, now: Millis, key: number, reason: string): void {
  refuseBusy(db, key)
  for (const { address } of ipsOf(db, key)) removeIp(db, now, address, reason)
  removeEni(db, key)
}

function refuseBusy(db: Database, key: number): void {
  const { id } = findEni(db, key)
  const open = db.get(
    `SELECT 1 FROM intent WHERE ? IN (eni, from_eni) AND state IN ('recorded', 'accepted')`,
    key,
  )
  if (open !== undefined)
    throw new IpamError('conflict', `Cannot change ENI "${id}" after a survey: an intent on it is open`)
}

/** What bears a time to come (the clock was set back) was done now. */
export function rewindLedger(db: Database, now: Millis): void {
  for (const table of ['eni', 'ip', 'claim', 'eip_claim']) {
    db.run(`UPDATE ${table} SET changed_at = ? WHERE changed_at > ?`, now, now)
  }
  db.run(`UPDATE eip_claim SET acted_at = ? WHERE acted_at > ?`, now, now)
  db.run(`UPDATE intent SET changed_at = ? WHERE state IN ('done', 'failed') AND changed_at > ?`, now, now)
}

/** History stays; an intent that was open when the file was copied is nobody's any more. */
export function clearLedger(db: Database, now: Millis): void {
  for (const table of ['quarantine', 'claim', 'eip_claim', 'ip', 'eni', 'node'])
    db.run(`DELETE FROM ${table}`)
  db.run(
    `UPDATE intent SET state = 'failed', error = 'the ledger was rebuilt', changed_at = ? WHERE state IN ('recorded', 'accepted')`,
    now,
  )
}
