// The claims of a ledger with their changes, read only: what is shown of them, and from where watches resume.
import type { Clock } from '../../base/clock.ts'
import type { Claim } from '../../ipam/claim.ts'
import type { PodName } from '../../ipam/types.ts'
import type { AddressPage, ClaimEvent, ClaimFeed, ClaimPage, PodPage } from '../../ports.ts'
import type { Database, SqlValue } from '../../sqlite/database.ts'
import type { Millis } from '../../value/millis.ts'
import { readMeta, writeMeta } from '../meta.ts'
import { type ClaimRow, expiryClock, fromRow } from './claims.ts'

/** Up to which change the log has been cut. */
const oldestKey = 'changes-from'

/** Of `db`, a database of `leaderMigrations`. */
export function claimFeed(db: Database, clock: Pick<Clock, 'now'>): ClaimFeed {
  const one = (condition: string, ...values: readonly SqlValue[]): Claim | undefined => {
    const row = db.get<ClaimRow>(`SELECT * FROM claim WHERE ${condition}`, ...values)
    return row === undefined ? undefined : fromRow(row)
  }
  return {
    version: () => newestChange(db),
    oldest: () => oldestChange(db),
    wallClock: () => wallClock(db, clock.now()),
    claim: ({ namespace, name }) => one('namespace = ? AND name = ?', namespace, name),
    claimOf: (address) => one('address = ?', address),
    claims: (page) => select(db, byPod(page), 'namespace, name', page),
    countClaims: (page) => count(db, byPod(page), 'namespace, name', page.at),
    claimsWithAddress: (page) => select(db, byAddress(page), 'address', page),
    countClaimsWithAddress: (page) => count(db, byAddress(page), 'address', page.at),
    changes(since, limit) {
      const rows = db.all<{ seq: number; before: string | null; after: string | null }>(
        `SELECT seq, before, after FROM change WHERE seq > ? ORDER BY seq LIMIT ?`,
        since,
        limit,
      )
      return rows.map(
        ({ seq, before, after }): ClaimEvent => ({
          version: seq,
          before: before === null ? undefined : fromRow(JSON.parse(before) as ClaimRow),
          after: after === null ? undefined : { ...fromRow(JSON.parse(after) as ClaimRow), version: seq },
        }),
      )
    },
  }
}

/**
 * The first change of a new ledger is numbered by the time, so that it comes after all of a ledger that was lost: whoever watched that
 * one is told to begin anew instead of missing what happened.
 */
export function beginChanges(db: Database, now: Millis): void {
  if (db.get(`SELECT 1 FROM sqlite_sequence WHERE name = 'change'`) !== undefined) return
  db.transaction(() => {
    db.run(`INSERT INTO sqlite_sequence (name, seq) VALUES ('change', ?)`, now)
    writeMeta(db, oldestKey, String(now))
  })
}

export interface ChangesKept {
  readonly atLeast: number
  readonly since: Millis
  /** Of more, also young ones go. */
  readonly atMost?: number
}

/** Forgets changes that are both before `since` and not among the last `atLeast`, a bounded number at a time. Returns how many. */
export function pruneChanges(db: Database, { atLeast, atMost, since }: ChangesKept, most = 1000): number {
  const oldest = db.get<{ seq: number | null }>(`SELECT min(seq) AS seq FROM change`)?.seq ?? null
  if (oldest === null) return 0
  const newest = newestChange(db)
  const bound = Math.min(newest - atLeast, oldest + most - 1)
  const crowded = atMost === undefined ? 0 : Math.min(newest - atMost, oldest + most - 1)
  const young = db.get<{ seq: number | null }>(
    // Times need not rise with numbers: a change that is young enough keeps all after it.
    `SELECT min(seq) - 1 AS seq FROM change WHERE seq <= ? AND at >= ?`,
    bound,
    since,
  )?.seq
  const upTo = Math.max(young ?? bound, crowded)
  if (upTo < oldest) return 0
  return db.transaction(() => {
    writeMeta(db, oldestKey, String(upTo))
    return db.run(`DELETE FROM change WHERE seq <= ?`, upTo)
  })
}

/** As far as nobody sets a clock meanwhile; the same from one look to the next while a leader counts. */
export function wallClock(db: Database, now: Millis): (ledgerTime: Millis) => Millis {
  const { now: counted, mark } = expiryClock(db)
  const offset = mark === undefined ? now - counted : mark.local - mark.now
  return (ledgerTime) => ledgerTime + offset
}

function newestChange(db: Database): number {
  return db.get<{ seq: number }>(`SELECT seq FROM sqlite_sequence WHERE name = 'change'`)?.seq ?? 0
}

function oldestChange(db: Database): number {
  return Number(readMeta(db, oldestKey) ?? 0)
}

/** The same conditions twice: for the table, and for the rows that changes keep. */
interface Conditions {
  readonly now: string[]
  readonly past: string[]
  readonly values: SqlValue[]
}

function byPod({ namespace, after }: PodPage): Conditions {
  const conditions: Conditions = { now: [], past: [], values: [] }
  if (namespace !== undefined) add(conditions, 'namespace', '=', namespace)
  // Within a namespace the index finds the place by the name alone.
  if (after?.namespace === namespace && after !== undefined) add(conditions, 'name', '>', after.name)
  else if (after !== undefined) addPosition(conditions, after)
  return conditions
}

function byAddress({ after = '' }: AddressPage): Conditions {
  const conditions: Conditions = { now: [], past: [], values: [] }
  add(conditions, 'address', '>', after) // every text is greater than none, and NULL is not
  return conditions
}

function add({ now, past, values }: Conditions, column: string, test: '=' | '>', value: string): void {
  now.push(`${column} ${test} ?`)
  past.push(`json_extract(before, '$.${column}') ${test} ?`)
  values.push(value)
}

function addPosition({ now, past, values }: Conditions, { namespace, name }: PodName): void {
  now.push('(namespace, name) > (?, ?)')
  past.push(`(json_extract(before, '$.namespace'), json_extract(before, '$.name')) > (?, ?)`)
  values.push(namespace, name)
}

function select(db: Database, conditions: Conditions, order: string, page: ClaimPage): readonly Claim[] {
  const { limit = -1 } = page
  const { sql, values, past } = query(db, conditions, order, page.at)
  const ordered = `${sql} ORDER BY ${order} LIMIT ?`
  if (!past) return db.all<ClaimRow>(ordered, ...values, limit).map(fromRow)
  return db
    .all<{ body: string }>(ordered, ...values, limit)
    .map(({ body }) => fromRow(JSON.parse(body) as ClaimRow))
}

function count(db: Database, conditions: Conditions, order: string, at: number | undefined): number {
  const { sql, values } = query(db, conditions, order, at)
  return db.get<{ n: number }>(`SELECT count(*) AS n FROM (${sql})`, ...values)?.n ?? 0
}

interface Query {
  readonly sql: string
  readonly values: readonly SqlValue[]
  /** Its rows have the claim as JSON in `body`. */
  readonly past: boolean
}

function query(
  db: Database,
  { now, past, values }: Conditions,
  order: string,
  at: number | undefined,
): Query {
  if (at === undefined || at >= newestChange(db)) {
    const where = now.length === 0 ? '' : `WHERE ${now.join(' AND ')}`
    return { sql: `SELECT * FROM claim ${where}`, values, past: false }
  }
  const columns = order.split(', ')
  // What has not changed since then, and of what has, the state before its first change.
  const sql = `SELECT ${order}, (SELECT body FROM claim_json WHERE claim_json.key = claim.key) AS body
     FROM claim WHERE ${[...now, 'version <= ?'].join(' AND ')}
     UNION ALL
     SELECT ${columns.map((column) => `json_extract(before, '$.${column}') AS ${column}`).join(', ')}, before AS body
     FROM change AS later WHERE ${[...past, 'seq > ?', 'before IS NOT NULL'].join(' AND ')}
       AND NOT EXISTS (SELECT 1 FROM change AS earlier
         WHERE earlier.claim = later.claim AND earlier.seq > ? AND earlier.seq < later.seq)`
  return { sql, values: [...values, at, ...values, at, at], past: true }
}
