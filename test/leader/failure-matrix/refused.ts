// Tests of what comes of refusals: each code once, and one of each meaning for three minutes.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { ErrorCode } from '../../../internal/ipam/errors.ts'
import type { LeaderWorld } from '../leader-world.ts'
import { type Mishap, minute } from './cell.ts'
import { type Fate, type FateMeasured, fateHoldsTo } from './fate.ts'

export interface Refused {
  /** Refused once: how often it is sent, how soon all is well, and whether people are told. */
  readonly once: { readonly calls: number; readonly within: number; readonly told: boolean }
  /** For three minutes: no storm, and everybody can see why nothing moves. undefined: as with another code. */
  readonly long: { readonly atMost: number; readonly within: number; readonly told: boolean } | undefined
  /** What the claim says once it is told; in part. */
  readonly reason: string
  /** For people. */
  readonly words: string
}

export interface RefusedKind {
  /** In the names of the tests. */
  readonly tags: string
  readonly kind: string
  /** Codes by what they mean. */
  readonly refusals: ReadonlyMap<ErrorCode, readonly string[]>
  readonly refused: (meaning: ErrorCode) => Refused
  readonly address: Fate
  readonly run: (t: TestContext, mishap: Mishap<LeaderWorld>) => Promise<FateMeasured>
}

export function testRefusals({ address, kind, refusals, refused, run, tags }: RefusedKind): void {
  for (const [meaning, codes] of refusals) {
    const { long, once, reason } = refused(meaning)
    const isTold = (said: readonly string[]) => reason !== '' && said.some((one) => one.includes(reason))
    test(`[R2]${tags} ${kind}: refused as ${meaning}, once`, async (t) => {
      for (const code of codes) {
        const measured = await run(t, { treat: (n) => (n === 1 ? { kind: 'refuse', code } : undefined) })
        fateHoldsTo(measured, { ...once, address, shows: measured.shows, what: '' })
        assert.equal(isTold(measured.shows), once.told, `${code}: ${measured.shows}`)
      }
    })
    if (long === undefined) continue
    test(`[R2][K3]${tags} ${kind}: refused as ${meaning}, for three minutes`, async (t) => {
      const [code = ''] = codes
      const measured = await run(t, { treat: () => ({ kind: 'refuse', code }), until: 3 * minute })
      fateHoldsTo(measured, { ...long, address, shows: measured.shows, what: '' })
      assert.equal(isTold(measured.shows), long.told, `it shows ${measured.shows}`)
    })
  }
}
