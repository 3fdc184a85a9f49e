// SIGHUP: what changes at once, what needs a restart, and what a wrong file does.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { reloadOnHangup } from '../../cmd/reload.ts'
import { IpamError } from '../../internal/ipam/errors.ts'
import { LogBook } from '../node/log-book.ts'

interface Values {
  readonly warm: number
  readonly region: string
}

function reloading(t: TestContext, reread: () => Promise<Values>) {
  const log = new LogBook()
  const reloads = reloadOnHangup<Values>({ settings: { warm: 5, region: 'a' }, reread, hot: ['warm'], log })
  t.after(reloads.stop)
  const heard: Values[] = []
  reloads.subscribe((now) => heard.push(now))
  const hangUp = async () => {
    process.emit('SIGHUP')
    await turn()
    await turn()
  }
  return { heard, hangUp, log }
}

test('[P9] SIGHUP applies what may change, and says what needs a restart', async (t) => {
  const { heard, hangUp, log } = reloading(t, () => Promise.resolve({ warm: 7, region: 'b' }))
  await hangUp()
  assert.deepEqual(heard, [
    { warm: 5, region: 'a' },
    { warm: 7, region: 'a' },
  ])
  assert.equal(log.count('settings need a restart'), 1)
})

test('[R6] SIGHUP with a wrong file changes nothing', async (t) => {
  const wrong = () => Promise.reject(new IpamError('bad_input', 'Cannot start leader: …'))
  const { heard, hangUp, log } = reloading(t, wrong)
  await hangUp()
  assert.deepEqual(heard, [{ warm: 5, region: 'a' }])
  assert.equal(log.count('settings not read again: those in force stay'), 1)
})

test('[R6] SIGHUP tells of a part that cannot apply the settings, and the others hear of them', async (t) => {
  // It was told as a file that could not be read.
  const log = new LogBook()
  const reread = () => Promise.resolve({ warm: 7, region: 'a' })
  const reloads = reloadOnHangup<Values>({ settings: { warm: 5, region: 'a' }, reread, hot: ['warm'], log })
  t.after(reloads.stop)
  const heard: number[] = []
  reloads.subscribe(({ warm }) => {
    if (warm === 7) throw new Error('no')
  })
  reloads.subscribe(({ warm }) => heard.push(warm))
  process.emit('SIGHUP')
  await turn()
  await turn()
  assert.deepEqual(heard, [5, 7])
  assert.equal(log.count('settings not read again: those in force stay'), 0)
  assert.equal(log.count('settings read again, and not applied everywhere: restart'), 1)
})
