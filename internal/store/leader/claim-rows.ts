// What the two tables of claims have in common: how claims are found, entered and changed.
import { type AnyClaim, mayFollow } from '../../ipam/claim.ts'
import { IpamError } from '../../ipam/errors.ts'
import { podText } from '../../ipam/pod-need.ts'
import type { PodName } from '../../ipam/types.ts'
import type { SeenClaim } from '../../ports.ts'
import type { Database, SqlValue } from '../../sqlite/database.ts'
import type { Millis } from '../../value/millis.ts'
import { expiryClock, startExpiry } from './expiry-clock.ts'

export type Columns = Readonly<Record<string, string | number | null>>

/** `Mutable`: what of a claim may change. */
export interface ClaimTable<Row, C extends AnyClaim & Mutable, Mutable> {
  readonly table: 'claim' | 'eip_claim'
  readonly noun: string
  readonly fromRow: (row: Row) => C
  readonly columnsOf: (claim: Mutable) => Columns
  /** Runs before a change that may be made is. */
  readonly beforeChange?: (db: Database, now: Millis, from: C, to: C & Partial<Mutable>) => void
}

export function claimRows<Row, C extends AnyClaim & Mutable, Mutable>(of: ClaimTable<Row, C, Mutable>) {
  const { beforeChange, columnsOf, fromRow, noun, table } = of

  function one(db: Database, condition: string, ...values: readonly SqlValue[]): C | undefined {
    const row = db.get<Row>(`SELECT * FROM ${table} WHERE ${condition}`, ...values)
    return row && fromRow(row)
  }

  function all(db: Database, condition: string, ...values: readonly SqlValue[]): readonly C[] {
    return db.all<Row>(`SELECT * FROM ${table} WHERE ${condition} ORDER BY key`, ...values).map(fromRow)
  }

  function names(db: Database, condition: string, ...values: readonly SqlValue[]): readonly PodName[] {
    const sql = `SELECT namespace, name FROM ${table} WHERE ${condition} ORDER BY namespace, name`
    return db.all<PodName>(sql, ...values)
  }

  function expect(db: Database, key: number): C {
    const claim = one(db, 'key = ?', key)
    if (claim === undefined) throw new IpamError('conflict', `Cannot change ${noun} ${key}: it is gone`)
    return claim
  }

  function unchanged(db: Database, claim: SeenClaim): C {
    const current = expect(db, claim.key)
    if (current.version === claim.version) return current
    const message = `Cannot change the ${noun} of ${podText(claim)}: it has changed meanwhile`
    throw new IpamError('conflict', message)
  }

  return {
    one,
    all,
    names,
    /** As it is now. Throws `conflict` when it has changed since `claim` was read. */
    unchanged,
    ofOwner: (db: Database, uid: string) =>
      all(db, `owner IS NOT NULL AND json_extract(owner, '$.uid') = ?`, uid),
    /** Whose time is over, of those the first `limit`. */
    expired(db: Database, limit: number): readonly C[] {
      const sql = `SELECT * FROM ${table} WHERE expires_at <= ? ORDER BY expires_at, key LIMIT ?`
      return db.all<Row>(sql, expiryClock(db).now, limit).map(fromRow)
    },
    /** `fixed`: what never changes. */
    insert(db: Database, now: Millis, fixed: Columns, claim: Mutable & Pick<AnyClaim, 'expiresAt'>): C {
      if (claim.expiresAt !== undefined) startExpiry(db)
      const columns = { ...fixed, ...columnsOf(claim), created_at: now, changed_at: now }
      const places = Object.keys(columns).map(() => '?')
      const row = db.get<{ key: number }>(
        `INSERT INTO ${table} (${Object.keys(columns).join(', ')}) VALUES (${places.join(', ')}) RETURNING key`,
        ...Object.values(columns),
      )
      return expect(db, row?.key ?? 0)
    },
    /**
     * Only what differs is written. Throws `conflict` when it has changed since `claim` was read, when its phase may not follow, or when
     * what it is to is another's.
     */
    change(db: Database, now: Millis, claim: SeenClaim, change: Partial<Mutable>): C {
      const current = unchanged(db, claim)
      const wanted = { ...current, ...change }
      if (!mayFollow(current.phase, wanted.phase)) {
        const message = `Cannot make the ${noun} of ${podText(claim)} ${wanted.phase}: it is ${current.phase}`
        throw new IpamError('conflict', message)
      }
      beforeChange?.(db, now, current, wanted)
      if (wanted.expiresAt !== undefined && current.expiresAt === undefined) startExpiry(db)
      const before = columnsOf(current)
      const different = Object.entries(columnsOf(wanted)).filter(([name, value]) => before[name] !== value)
      if (different.length === 0) return current
      db.run(
        `UPDATE ${table} SET ${different.map(([name]) => `${name} = ?`).join(', ')}, changed_at = ? WHERE key = ?`,
        ...different.map(([, value]) => value),
        now,
        claim.key,
      )
      return expect(db, claim.key)
    },
  }
}
