import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomInt, seededRandom } from '../../internal/base/random.ts'
import { readPages } from '../../internal/vpc/pages.ts'

test('readPages() misses nothing that was there all the time, whatever comes and goes', async () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = seededRandom(seed)
    const list = Array.from({ length: randomInt(random, 0, 900) }, (_, i) => ({ id: `${i}` }))
    const always = new Set(list)
    const found = await readPages(async (offset) => {
      for (let i = randomInt(random, 0, 120); i > 0; i--) {
        const gone = list.splice(randomInt(random, 0, list.length), 1)[0]
        if (gone !== undefined) always.delete(gone)
      }
      for (let i = randomInt(random, 0, 20); i > 0; i--) {
        const place = random.next() < 0.5 ? list.length : 0
        list.splice(place, 0, { id: `new ${random.next()}` })
      }
      return { items: list.slice(offset, offset + 100), total: list.length }
    })
    assert.ok(found !== undefined, `seed ${seed}`)
    const ids = new Set(found.map(({ id }) => id))
    assert.equal(ids.size, found.length, `seed ${seed}`)
    const missed = [...always].filter(({ id }) => !ids.has(id))
    assert.deepEqual(missed, [], `seed ${seed}`)
  }
})

test('readPages() ends when pages are shorter than asked for', async () => {
  const list = Array.from({ length: 45 }, (_, i) => ({ id: `${i}` }))
  const found = await readPages(async (offset) => ({
    items: list.slice(offset, offset + 7),
    total: list.length,
  }))
  assert.equal(found?.length, 45)
})

test('readPages() reads a long list to its end', async () => {
  const list = Array.from({ length: 100_000 }, (_, i) => ({ id: `${i}` }))
  const found = await readPages(async (offset) => ({
    items: list.slice(offset, offset + 100),
    total: list.length,
  }))
  assert.equal(found?.length, list.length)
})

test('readPages() gives up a list that never holds still', async () => {
  let pages = 0
  const found = await readPages(async (offset) => {
    pages++
    return { items: [{ id: `${pages} ${offset}` }], total: 1_000_000 }
  })
  assert.equal(found, undefined)
})

test('readPages() says so when the answer contradicts itself', async () => {
  assert.equal(await readPages(async () => ({ items: [], total: 3 })), undefined)
})
