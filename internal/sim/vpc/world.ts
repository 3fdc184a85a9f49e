// What an action works on: the database, chance, and the settings, at the moment of one call.
import { type Random, randomInt } from '../../base/random.ts'
import type { Database } from '../../sqlite/database.ts'
import type { Millis } from '../../value/millis.ts'
import type { Settings } from './settings.ts'

export interface LatencyRange {
  readonly minMs: Millis
  readonly maxMs: Millis
}

export interface World {
  readonly db: Database
  readonly random: Random
  readonly settings: Settings
  /** How long asynchronous transitions take. */
  readonly latency: LatencyRange
  readonly region: string
}

/** One accepted request. */
export interface Call extends World {
  readonly at: Millis
  readonly requestId: string
  readonly action: string
  /** ENIs that it changes, or will: told to those who listen. */
  readonly touched: Set<string>
}

export type Fields = Readonly<Record<string, unknown>>

/** When a transition that starts now is done. */
export function transitionEnd(call: Call): Millis {
  const { minMs, maxMs } = call.latency
  return call.at + randomInt(call.random, minMs, maxMs) + call.settings.faults().taskDelayMs
}
