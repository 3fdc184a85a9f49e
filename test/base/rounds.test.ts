import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sleep } from '../../internal/base/clock.ts'
import { startRounds } from '../../internal/base/rounds.ts'
import { VirtualClock } from '../fake/virtual-clock.ts'

function roundsOf({ pause = 100, takes = 10 } = {}) {
  const clock = new VirtualClock(0)
  const begun: number[] = []
  const rounds = startRounds(clock, async () => {
    begun.push(clock.now())
    await sleep(clock, takes)
    return pause
  })
  return { clock, rounds, begun }
}

test('startRounds() begins at once and pauses for as long as each round says', async () => {
  const { clock, begun } = roundsOf()
  await clock.advance(300)
  assert.deepEqual(begun, [0, 110, 220])
})

test('wake() brings the next round nearer, never further away', async () => {
  const { clock, rounds, begun } = roundsOf()
  await clock.advance(50)
  rounds.wake(20)
  rounds.wake(500)
  await clock.advance(50)
  assert.deepEqual(begun, [0, 70])
})

test('wake() during a round makes one more follow it, after the shortest delay of all', async () => {
  const { clock, rounds, begun } = roundsOf()
  await clock.advance(5)
  for (const delay of [50, 20, 500]) rounds.wake(delay)
  await clock.advance(95)
  assert.deepEqual(begun, [0, 30])
  await clock.advance(45)
  rounds.wake()
  await clock.advance(10)
  assert.deepEqual(begun, [0, 30, 140, 150])
})

for (const at of [5, 50])
  test(`stop() at ${at} is followed by no round`, async () => {
    const { clock, rounds, begun } = roundsOf()
    await clock.advance(at)
    rounds.stop()
    rounds.wake()
    await clock.runUntilIdle()
    assert.deepEqual(begun, [0])
  })
