// Points in time as people and their programs read them.
import { formatMillis, type Millis } from '../../value/millis.ts'

/** "2026-01-31T12:00:00.000Z" */
export type Timestamp = string

export function timestamp(at: Millis): Timestamp {
  return formatMillis(at)
}

/** Of a column that may be NULL. */
export function timestampOrNull(at: Millis | null): Timestamp | null {
  return at === null ? null : timestamp(at)
}
