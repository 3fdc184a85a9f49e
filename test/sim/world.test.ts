// The whole system under a few seeds, as npm run sim does with many; and the proof that it would notice a mistake.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plants } from './world/plants.ts'
import { runSeed } from './world/workload.ts'

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

/** Where the search begins: a seed not far from one that finds it. */
const beginAt: Readonly<Record<string, number>> = {
  'outcome-not-recorded': 1,
  'cooldown-ignored': 1,
  'release-without-proof': 1,
  'released-by-pod-name': 20,
}
const within = 40

for (const [name, plant] of Object.entries(plants)) {
  test(`a planted mistake is found: ${name}`, async () => {
    const from = beginAt[name] ?? 1
    for (let seed = from; seed < from + within; seed++) {
      if ((await runSeed(seed, plant)).faults.length > 0) return
    }
    assert.fail(`seeds ${from} to ${from + within - 1} find nothing: the invariants no longer see it`)
  })
}
