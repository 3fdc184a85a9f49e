// How many EIPs the account may have, and apply for in a day. Those of one operator's line have quotas of their own beside the common one.
import type { Database } from '../../sqlite/database.ts'
import type { Millis } from '../../value/millis.ts'
import { ApiError } from './api-error.ts'
import type { Isp } from './eip-table.ts'
import type { Limits } from './settings.ts'
import type { Fields, World } from './world.ts'

interface Quota {
  readonly id: string
  readonly used: number
  readonly limit: number
}

const dayMs = 86_400_000

/** A day begins at midnight in UTC+8. */
function dayOf(at: Millis): number {
  return Math.floor((at + 8 * 3_600_000) / dayMs)
}

const lines = { all: 'TRUE', single: `isp <> 'BGP'` } as const

function countEips(db: Database, line: keyof typeof lines): number {
  return db.get<{ n: number }>(`SELECT count(*) AS n FROM eip WHERE ${lines[line]}`)?.n ?? 0
}

function appliedFor(db: Database, at: Millis, singleLine: boolean): number {
  const row = db.get<{ applied: number }>(
    'SELECT applied FROM eip_day WHERE day = ? AND single_line = ?',
    dayOf(at),
    singleLine ? 1 : 0,
  )
  return row?.applied ?? 0
}

function quotasOf(db: Database, limits: Limits, at: Millis): Record<'all' | 'single', [Quota, Quota]> {
  return {
    all: [
      { id: 'TOTAL_EIP_QUOTA', used: countEips(db, 'all'), limit: limits.eips },
      { id: 'DAILY_EIP_APPLY', used: appliedFor(db, at, false), limit: limits.eipsPerDay },
    ],
    single: [
      { id: 'SINGLEISP_EIP_QUOTA', used: countEips(db, 'single'), limit: limits.singleLineEips },
      { id: 'DAILY_SINGLEISP_APPLY', used: appliedFor(db, at, true), limit: limits.singleLineEipsPerDay },
    ],
  }
}

/** `count` more are applied for. Throws AddressQuotaLimitExceeded and AddressQuotaLimitExceeded.DailyAllocate. */
export function applyForEips(
  { db, settings }: World,
  { isp, count, at }: { isp: Isp; count: number; at: Millis },
): void {
  const singleLine = isp !== 'BGP'
  const { all, single } = quotasOf(db, settings.limits(), at)
  const totals = singleLine ? [all[0], single[0]] : [all[0]]
  const daily = singleLine ? single[1] : all[1]
  for (const { id, used, limit } of totals)
    if (used + count > limit)
      throw new ApiError('AddressQuotaLimitExceeded', `The quota ${id} of ${limit} EIPs is used up.`)
  if (daily.used + count > daily.limit)
    throw new ApiError(
      'AddressQuotaLimitExceeded.DailyAllocate',
      `The quota ${daily.id} of ${daily.limit} EIPs a day is used up.`,
    )
  db.run(
    `INSERT INTO eip_day (day, single_line, applied) VALUES (?, ?, ?)
     ON CONFLICT (day, single_line) DO UPDATE SET applied = applied + excluded.applied`,
    dayOf(at),
    singleLine ? 1 : 0,
    count,
  )
}

/** The QuotaSet of the API. */
export function renderQuotas({ db, settings, region }: World, at: Millis): Fields[] {
  const { all, single } = quotasOf(db, settings.limits(), at)
  const others: Quota[] = [
    { id: 'DAILY_PUBLIC_IP_ASSIGN', used: 0, limit: 10 },
    { id: 'MONTHLY_RECOVER_QUOTA', used: 0, limit: 3 },
  ]
  return [...all, ...single, ...others].map(({ id, used, limit }) => ({
    QuotaId: id,
    QuotaCurrent: used,
    QuotaLimit: limit,
    QuotaGroup: region,
  }))
}
