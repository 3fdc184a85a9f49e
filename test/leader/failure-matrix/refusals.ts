// What comes of each code with which the API may refuse a call: first once, then for three minutes.
import type { ErrorCode } from '../../../internal/ipam/errors.ts'
import type { Measured, Outcome } from './cell.ts'
import type { MatrixKind } from './kinds.ts'

/** `again`: the client sends it again itself. `open`: it says nothing, the cloud is looked at. `final`: nothing has happened. */
export type RefusalClass = 'again' | 'open' | 'final'

export function classOf(kind: MatrixKind, meaning: ErrorCode): RefusalClass {
  switch (meaning) {
    case 'throttled':
    case 'unavailable':
    case 'in_progress':
      return 'again'
    case 'unknown_outcome':
    case 'token_used':
    case 'conflict':
      return 'open'
    case 'not_found':
    case 'invalid_state':
      return kind === 'create' ? 'final' : 'open'
    case 'cloud_fault':
      return kind === 'unassign' ? 'open' : 'final'
    default:
      return 'final'
  }
}

const usual: Readonly<Record<RefusalClass, string>> = {
  again: 'The client sends it again itself, ever more slowly, eight times; then it counts as refused.',
  open: 'It may come from an old view or from a second delivery of the request: the cloud is looked at, and it is sent again after 5 s, 10 s, 20 s and so on. Told when it was sent again twice. After five it fails, and is planned anew.',
  final:
    'Nothing has happened: it fails, is told, and is planned anew after a pause, which doubles up to a minute.',
}

export function wordsFor(kind: MatrixKind, meaning: ErrorCode): string {
  const its = classOf(kind, meaning)
  if (kind === 'attach' && meaning === 'bad_input')
    return 'It can never be attached there: it fails, is told, the ENI is deleted and another one made after a pause, which doubles up to a minute.'
  if (meaning === 'subnet_full')
    return `${usual.final} The subnet counts as full for a while: another one of the zone is taken.`
  if (kind === 'attach' && meaning === 'eni_quota')
    return `${usual.final} The ENI waits, attached to nothing, until the instance has room.`
  if (kind === 'unassign' && its === 'final')
    return 'Nothing has happened: it fails, is told, and the addresses are bound anew under new grants; the node may use them, or return them again.'
  return usual[its]
}

const reasons: Partial<Record<ErrorCode, string>> = {
  denied: 'PermissionDenied',
  unauthenticated: 'PermissionDenied',
  eni_quota: 'ENILimit',
  subnet_full: 'SubnetExhausted',
}

export function reasonOf(meaning: ErrorCode): string {
  return reasons[meaning] ?? 'CloudRefused'
}

/** Refused once, it is sent twice; only what was refused for good is told. */
export function afterOne(
  kind: MatrixKind,
  meaning: ErrorCode,
): Omit<Outcome, 'what' | 'shows'> & {
  readonly told: boolean
} {
  return {
    calls: 2,
    within: meaning === 'subnet_full' ? 70 : kind === 'detach' || kind === 'delete' ? 30 : 15,
    told: classOf(kind, meaning) === 'final',
  }
}

/** Refused for three minutes: no storm, and everybody can see why nothing moves. */
export function afterMany(
  kind: MatrixKind,
  meaning: ErrorCode,
): { readonly atMost: number; readonly within: number } {
  const goesOn = kind === 'detach' || kind === 'delete' ? 90 : 70
  return { atMost: classOf(kind, meaning) === 'again' ? 65 : 13, within: 180 + goesOn }
}

export function isTold({ shows }: Measured, meaning: ErrorCode): boolean {
  return shows.includes(reasonOf(meaning))
}
