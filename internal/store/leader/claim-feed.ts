// The claims of a ledger with their changes, read only: what is shown of them, and from where watches resume.
import type { Clock } from '../../base/clock.ts'
import type { Claim } from '../../ipam/claim.ts'
import type { EipClaim } from '../../ipam/eip-claim.ts'
import type { PodName } from '../../ipam/types.ts'
import type { AddressPage, ClaimEvent, ClaimFeed, ClaimPage, PodPage } from '../../ports.ts'
import type { Database, SqlValue } from '../../sqlite/database.ts'
import type { Millis } from '../../value/millis.ts'
import { readMeta, writeMeta } from '../meta.ts'
import { type ClaimRow, findClaim, findClaimOf, fromRow } from './claims.ts'
import { type EipClaimRow, findEipClaim, fromEipRow } from './eip-claims.ts'
import { expiryClock } from './expiry-clock.ts'

/** Up to which change the log has been cut. */
const oldestKey = 'changes-from'

/** Of `db`, a database of `leaderMigrations`. */
export function claimFeed(db: Database, clock: Pick<Clock, 'now'>): ClaimFeed {
  return {
    version: () => newestChange(db),
    oldest: () => oldestChange(db),
    wallClock: () => wallClock(db, clock.now()),
    claim: (pod) => findClaim(db, pod),
    claimOf: (address) => findClaimOf(db, address),
    claims: (page) => select(db, claimsBy('namespace, name'), byPod(page), page),
    countClaims: (page) => count(db, claimsBy('namespace, name'), byPod(page), page.at),
    claimsWithAddress: (page) => select(db, claimsBy('address'), byAddress(page), page),
    countClaimsWithAddress: (page) => count(db, claimsBy('address'), byAddress(page), page.at),
    eipClaim: (pod) => findEipClaim(db, pod),
    eipClaims: (page) => select(db, eipClaims, byPod(page), page),
    countEipClaims: (page) => count(db, eipClaims, byPod(page), page.at),
    changes(since, limit) {
      const sql = `SELECT seq, kind, before, after FROM change WHERE seq > ? ORDER BY seq LIMIT ?`
      return db.all<ChangeRow>(sql, since, limit).map(toEvent)
    },
  }
}

interface ChangeRow {
  readonly seq: number
  readonly kind: 'claim' | 'eip'
  readonly before: string | null
  readonly after: string | null
}

function toEvent({ after, before, kind, seq }: ChangeRow): ClaimEvent {
  if (kind === 'claim') return { version: seq, ...bothOf(fromRow, seq, before, after) }
  return { version: seq, before: undefined, after: undefined, eip: bothOf(fromEipRow, seq, before, after) }
}

function bothOf<Row, One>(
  read: (row: Row) => One,
  version: number,
  before: string | null,
  after: string | null,
) {
  return {
    before: before === null ? undefined : read(JSON.parse(before) as Row),
    after: after === null ? undefined : { ...read(JSON.parse(after) as Row), version },
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

/** Whoever begins them next does so as in a new ledger: the next numbers were those of other changes in the one that was lost. */
export function forgetChanges(db: Database): void {
  db.run(`DELETE FROM change`)
  db.run(`DELETE FROM sqlite_sequence WHERE name = 'change'`)
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

/** What is listed: a table, how its rows are kept in changes, and in which order. */
interface Listed<Row, One> {
  readonly table: 'claim' | 'eip_claim'
  readonly kind: ChangeRow['kind']
  readonly order: string
  readonly read: (row: Row) => One
}

function claimsBy(order: string): Listed<ClaimRow, Claim> {
  return { table: 'claim', kind: 'claim', order, read: fromRow }
}

const eipClaims: Listed<EipClaimRow, EipClaim> = {
  ...{ table: 'eip_claim', kind: 'eip', order: 'namespace, name' },
  read: fromEipRow,
}

function select<Row, One>(
  db: Database,
  listed: Listed<Row, One>,
  conditions: Conditions,
  page: ClaimPage,
): readonly One[] {
  const { limit = -1 } = page
  const { sql, values, past } = query(db, listed, conditions, page.at)
  const ordered = `${sql} ORDER BY ${listed.order} LIMIT ?`
  if (!past) return db.all<Row>(ordered, ...values, limit).map(listed.read)
  return db
    .all<{ body: string }>(ordered, ...values, limit)
    .map(({ body }) => listed.read(JSON.parse(body) as Row))
}

function count<Row, One>(
  db: Database,
  listed: Listed<Row, One>,
  conditions: Conditions,
  at: number | undefined,
): number {
  const { sql, values } = query(db, listed, conditions, at)
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
  { kind, order, table }: Pick<Listed<never, never>, 'kind' | 'order' | 'table'>,
  { now, past, values }: Conditions,
  at: number | undefined,
): Query {
  if (at === undefined || at >= newestChange(db)) {
    const where = now.length === 0 ? '' : `WHERE ${now.join(' AND ')}`
    return { sql: `SELECT * FROM ${table} ${where}`, values, past: false }
  }
  const columns = order.split(', ')
  // What has not changed since then, and of what has, the state before its first change.
  const sql = `SELECT ${order}, (SELECT body FROM ${table}_json WHERE ${table}_json.key = ${table}.key) AS body
     FROM ${table} WHERE ${[...now, 'version <= ?'].join(' AND ')}
     UNION ALL
     SELECT ${columns.map((column) => `json_extract(before, '$.${column}') AS ${column}`).join(', ')}, before AS body
     FROM change AS later WHERE ${[...past, `kind = '${kind}'`, 'seq > ?', 'before IS NOT NULL'].join(' AND ')}
       AND NOT EXISTS (SELECT 1 FROM change AS earlier
         WHERE earlier.kind = later.kind AND earlier.claim = later.claim AND earlier.seq > ? AND earlier.seq < later.seq)`
  return { sql, values: [...values, at, ...values, at, at], past: true }
}
