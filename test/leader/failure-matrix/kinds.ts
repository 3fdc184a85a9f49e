// The kinds of intents that the matrix is about: those of one ENI. A migration is about two, and has tests of its own
// (parked-claims.test.ts, settle-migration.test.ts).
import type { IntentKind } from '../../../internal/ipam/settle-intent.ts'

export type MatrixKind = Exclude<IntentKind, 'migrate'>
