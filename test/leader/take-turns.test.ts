import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sleep } from '../../internal/base/clock.ts'
import { takeTurns } from '../../internal/leader/take-turns.ts'
import { VirtualClock } from '../fake/virtual-clock.ts'
import { LogBook } from '../node/log-book.ts'

const minute = 60_000

test('[R8] takeTurns() stands aside after each turn that came to nothing, and is more patient the next time', async () => {
  const clock = new VirtualClock()
  const log = new LogBook()
  const begin = clock.now()
  const turns: number[][] = []
  const told: string[] = []
  const options = { clock, log, asideFor: minute / 2, tell: (status: string) => told.push(status) }
  const over = takeTurns(
    options,
    async (patience) => {
      turns.push([(clock.now() - begin) / minute, patience / minute])
      if (turns.length === 7) return undefined
      await sleep(clock, patience)
      return 'a wrong setting'
    },
    new AbortController().signal,
  )
  await clock.runUntil(over)
  assert.deepEqual(turns, [
    [0, 2],
    [2.5, 4],
    [7, 8],
    [15.5, 16],
    [32, 32],
    [64.5, 32],
    [97, 32],
  ])
  assert.equal(told[0], 'stands aside for others, it could not get ready: a wrong setting')
  assert.equal(log.count('stands aside'), 6)
})

test('takeTurns() ends with the process, also while it stands aside', async () => {
  const clock = new VirtualClock()
  const ended = new AbortController()
  let turns = 0
  const options = { clock, log: new LogBook(), asideFor: minute, tell() {} }
  const over = takeTurns(options, () => Promise.resolve(`turn ${++turns}`), ended.signal)
  await clock.advance(minute / 2)
  ended.abort()
  await over
  assert.equal(turns, 1)
})
