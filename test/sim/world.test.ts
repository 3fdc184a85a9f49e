// The whole system under a few seeds, as npm run sim does with many; and the proof that it would notice a mistake.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plantNamed } from './world/plants.ts'
import { runSeed } from './world/run-plan.ts'

const seeds = 10

test(`[R1][R2][R3][R7][R9] ${seeds} seeds keep every invariant through crashes, outages and lost answers`, async () => {
  for (let seed = 1; seed <= seeds; seed++) {
    const { faults, trace } = await runSeed(seed)
    assert.deepEqual(
      faults,
      [],
      `seed ${seed} fails; npm run sim -- --seed ${seed}\n${trace.slice(-20).join('\n')}`,
    )
  }
})

test('runSeed() replays a seed exactly', async () => {
  const [one, two] = [await runSeed(seeds + 1), await runSeed(seeds + 1)]
  assert.deepEqual(one, two)
  assert.ok(one.trace.length > 10 && one.steps > 1000)
})

/** Those that few seeds find; npm run sim -- --plants looks for all, and says how many seeds each takes. */
const soonFound = [
  'intent-not-stored-before-call',
  'release-without-proof',
  'cooldown-ignored',
  'rules-left-behind',
  'rules-of-former-link',
  'released-before-teardown',
  'eni-cap-ignored',
  'announcement-believed',
  'fullest-eni-first',
  'exclusive-eni-not-cleaned',
]
const within = 40

for (const name of soonFound) {
  test(`a planted mistake is found: ${name}`, async () => {
    for (let seed = 1; seed <= within; seed++) {
      if ((await runSeed(seed, plantNamed(name))).faults.length > 0) return
    }
    assert.fail(`${within} seeds find nothing: the invariants no longer see it`)
  })
}
