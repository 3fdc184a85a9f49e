// The kinds of intents that the matrix of pools is about: those of one ENI. A migration is about two, and belongs to static addresses
// (claims/).
import type { IntentKind } from '../../../internal/ipam/settle-intent.ts'

export type MatrixKind = Exclude<IntentKind, 'migrate'>
