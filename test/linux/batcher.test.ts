import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { systemClock } from '../../internal/base/clock.ts'
import { firstFault } from '../../internal/linux/batch.ts'
import { createBatcher } from '../../internal/linux/batcher.ts'
import { createLane } from '../../internal/linux/lane.ts'
import { sandboxed } from './sandboxed.ts'

sandboxed(import.meta.url, () => {
  const batcher = createBatcher({ lane: createLane(systemClock), maxShared: 8 })
  after(() => batcher.close())

  test('run() gives each of many callers the faults of its own lines', async () => {
    const callers = [
      ['link add name a type veth peer name b'],
      ['link set dev nosuch up', 'link set dev lo up'],
      ['link set dev b up'],
    ].map((texts) => texts.map((text) => ({ text })))
    const results = await Promise.all(callers.map((lines) => batcher.run(lines)))
    assert.deepEqual(
      results.map((result, index) => firstFault(callers[index] ?? [], result)),
      [undefined, '"ip link set dev nosuch up": Cannot find device "nosuch"', undefined],
    )
  })

  // `ip` exits at once at some faults, and the lines of all later callers were lost with it.
  test('run() serves the others when ip gives up at the lines of one', async () => {
    const callers = [
      ['link add name c type veth peer name d'],
      ['link add name e type veth peer name f netns /run/netns/nosuch'],
      ['link add name g type veth peer name h'],
      ['link set dev g up'],
    ].map((texts) => texts.map((text) => ({ text, tolerates: /File exists/ })))
    const faults = (await Promise.all(callers.map((lines) => batcher.run(lines)))).map((result, index) =>
      firstFault(callers[index] ?? [], result),
    )
    assert.match(faults[1] ?? '', /Invalid "netns" value/)
    assert.deepEqual([faults[0], faults[2], faults[3]], [undefined, undefined, undefined])
  })

  test('run() takes many lines at once', async () => {
    const lines = Array.from({ length: 2000 }, (_, index) => ({
      text: `route replace 10.9.${index >> 8}.${index & 255} dev lo table 77`,
    }))
    assert.equal(firstFault(lines, await batcher.run(lines)), undefined)
  })
})
