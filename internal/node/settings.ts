// What an operator can set for a node agent.
import type { BackoffPolicy } from '../base/backoff.ts'
import type { NodeName } from '../ipam/types.ts'
import type { Millis } from '../value/millis.ts'

export interface NodeSettings {
  readonly nodeName: NodeName
  readonly version: string
  /** Of the running kernel: another one than last time means that every sandbox is gone. */
  readonly bootId: string
  readonly quickRelease: boolean
  /** Pause before a freed address gets a new owner (P16). */
  readonly cooldown: Millis
  readonly releaseEvery: Millis
  readonly routeTableBase: number
  readonly primaryLink: string
  readonly mtu: number
  /** How long an ADD waits for an address. */
  readonly addTimeout: Millis
  readonly repairEvery: Millis
  /** What is not urgent is looked after so often: sandboxes that are gone, history. */
  readonly roundEvery: Millis
  /** Between two looks that agree that a link is gone. */
  readonly linkGoneAfter: Millis
  /** Counts in the NEC are renewed so often at most; returned addresses at once. */
  readonly reportEvery: Millis
  readonly historyFor: Millis
  readonly retry: BackoffPolicy
}

export const nodeDefaults = {
  quickRelease: false,
  cooldown: 30_000,
  releaseEvery: 120_000,
  routeTableBase: 2000,
  primaryLink: 'eth0',
  mtu: 1500,
  addTimeout: 30_000,
  repairEvery: 30_000,
  roundEvery: 10_000,
  linkGoneAfter: 10_000,
  reportEvery: 60_000,
  historyFor: 30 * 86_400_000,
  retry: { firstMs: 500, maxMs: 30_000 },
} satisfies Omit<NodeSettings, 'nodeName' | 'version' | 'bootId'>
