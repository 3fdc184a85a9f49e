// How a node's quarantine follows what its agent sees: what is seen stays, what is gone leaves it only when a later look agrees.
import type { Ipv4 } from '../value/ipv4.ts'
import type { Millis } from '../value/millis.ts'

/** What kernel, leader and database disagree about. */
export interface Suspect {
  readonly kind: 'pod-link' | 'address'
  /** Name of the link, or the address. */
  readonly subject: string
  /** The address that it seems to have. */
  readonly address: Ipv4 | undefined
  readonly reason: string
  /** What a person can do about it. */
  readonly remedy: string
}

export interface Quarantined extends Suspect {
  readonly firstSeen: Millis
  readonly lastSeen: Millis
  readonly reads: number
  readonly missingSince: Millis | undefined
}

export interface QuarantinePlan {
  readonly keep: readonly Quarantined[]
  readonly fresh: readonly Suspect[]
  readonly settled: readonly Quarantined[]
}

/** `goneAfter` lies at least between two looks that agree that something is gone. */
export function planQuarantine(
  before: readonly Quarantined[],
  seen: readonly Suspect[],
  now: Millis,
  goneAfter: Millis,
): QuarantinePlan {
  const known = new Map(before.map((entry) => [keyOf(entry), entry]))
  const shown = new Set(seen.map(keyOf))
  const stay = seen.map((suspect): Quarantined => {
    const entry = known.get(keyOf(suspect))
    // The clock may have been set back.
    const firstSeen = Math.min(entry?.firstSeen ?? now, now)
    return { ...suspect, firstSeen, lastSeen: now, reads: (entry?.reads ?? 0) + 1, missingSince: undefined }
  })
  const away = before
    .filter((entry) => !shown.has(keyOf(entry)))
    .map((entry) => ({ ...entry, missingSince: Math.min(entry.missingSince ?? now, now) }))
  const isSettled = ({ kind, missingSince }: (typeof away)[number]) =>
    kind === 'address' || now - missingSince >= goneAfter
  return {
    keep: [...stay, ...away.filter((entry) => !isSettled(entry))],
    fresh: seen.filter((suspect) => !known.has(keyOf(suspect))),
    settled: away.filter(isSettled),
  }
}

function keyOf({ kind, subject }: Pick<Suspect, 'kind' | 'subject'>): string {
  return `${kind} ${subject}`
}
