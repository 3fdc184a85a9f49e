// By which claims expire, those to addresses and those to EIPs: what leaders have seen pass.
import type { ExpiryClock } from '../../ports.ts'
import type { Database } from '../../sqlite/database.ts'

export function expiryClock(db: Database): ExpiryClock {
  const row = db.get<{ value: string }>(`SELECT value FROM meta WHERE key = 'expiry-clock'`)
  const { now = 0, mark } = JSON.parse(row?.value ?? '{}') as Partial<ExpiryClock>
  return { now, mark }
}

/** It never goes back. */
export function setExpiryClock(db: Database, { mark, now }: ExpiryClock): void {
  const value = JSON.stringify({ now: Math.max(now, expiryClock(db).now), mark })
  db.run(`UPDATE meta SET value = ? WHERE key = 'expiry-clock'`, value)
}

/** The first to wait begins now: what passed before is nothing to it. */
export function startExpiry(db: Database): void {
  if (!claimsExpire(db)) setExpiryClock(db, { now: expiryClock(db).now, mark: undefined })
}

export function claimsExpire(db: Database): boolean {
  const ofTable = (table: string) => `EXISTS (SELECT 1 FROM ${table} WHERE expires_at IS NOT NULL)`
  return db.get(`SELECT 1 WHERE ${ofTable('claim')} OR ${ofTable('eip_claim')}`) !== undefined
}
