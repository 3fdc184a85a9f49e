import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pick, randomInt, seededRandom, systemRandom } from '../../internal/base/random.ts'
import { randomToken } from '../../internal/base/random-token.ts'

test('seededRandom() repeats its sequence, and another seed has another one', () => {
  const take = (seed: number) => {
    const random = seededRandom(seed)
    return Array.from({ length: 20 }, () => random.next())
  }
  assert.deepEqual(take(7), take(7))
  assert.notDeepEqual(take(7), take(8))
})

for (const [name, random] of [
  ['seededRandom()', seededRandom(1)],
  ['systemRandom', systemRandom],
] as const) {
  test(`${name} stays in [0, 1)`, () => {
    for (let i = 0; i < 1000; i++) {
      const roll = random.next()
      assert.ok(roll >= 0 && roll < 1)
    }
  })
}

test('randomInt() reaches both ends and nothing beyond', () => {
  const random = seededRandom(2)
  const seen = new Set(Array.from({ length: 300 }, () => randomInt(random, -1, 3)))
  assert.deepEqual(seen, new Set([-1, 0, 1, 2, 3]))
})

test('pick() takes one of the items, and nothing of none', () => {
  const random = seededRandom(3)
  const seen = new Set(Array.from({ length: 100 }, () => pick(random, ['a', 'b'])))
  assert.deepEqual(seen, new Set(['a', 'b']))
  assert.equal(pick(random, []), undefined)
})

test('randomToken() gives 32 hexadecimal digits, each time others', () => {
  const random = seededRandom(4)
  const tokens = Array.from({ length: 100 }, () => randomToken(random))
  for (const token of tokens) assert.match(token, /^[0-9a-f]{32}$/)
  assert.equal(new Set(tokens).size, 100)
})
