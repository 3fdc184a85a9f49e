// SIGHUP: what changes at once, what needs a restart, and what a wrong file does.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { holdHangups } from '../../cmd/hangups.ts'
import { reloadOnHangup } from '../../cmd/reload.ts'
import { nodeSettings } from '../../cmd/settings/node-settings.ts'
import { readSettings } from '../../cmd/settings-input.ts'
import { IpamError } from '../../internal/ipam/errors.ts'
import { LogBook } from '../node/log-book.ts'

interface Values {
  readonly warm: number
  readonly region: string
}

function reloading(t: TestContext, reread: () => Promise<Values>, early = false) {
  const log = new LogBook()
  const hangups = holdHangups()
  const settings = { warm: 5, region: 'a' }
  if (early) process.emit('SIGHUP')
  const reloads = reloadOnHangup<Values>({ settings, reread, hot: ['warm'], log, hangups })
  t.after(() => {
    reloads.stop()
    hangups.release()
  })
  const heard: Values[] = []
  reloads.subscribe((now) => heard.push(now))
  const hangUp = async () => {
    process.emit('SIGHUP')
    await turn()
    await turn()
  }
  return { heard, hangUp, log, reloads }
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

test('[P9] SIGHUP before anybody hears it is not forgotten', async (t) => {
  const { heard } = reloading(t, () => Promise.resolve({ warm: 7, region: 'a' }), true)
  await turn()
  await turn()
  assert.deepEqual(heard.at(-1), { warm: 7, region: 'a' })
})

test('[R6] settings that are wrong when they are read again do not speak of a start', async () => {
  const again = readSettings(nodeSettings, { mtu: 'x' }, {}, 'read the settings of node again')
  await assert.rejects(again, /^IpamError: Cannot read the settings of node again: setting "mtu" is "x"/)
})

test('[R6] SIGHUP with a wrong file changes nothing', async (t) => {
  const wrong = () => Promise.reject(new IpamError('bad_input', 'Cannot start leader: …'))
  const { heard, hangUp, log } = reloading(t, wrong)
  await hangUp()
  assert.deepEqual(heard, [{ warm: 5, region: 'a' }])
  assert.equal(log.count('settings not read again: those in force stay'), 1)
})

test('[R6] SIGHUP does not end a daemon that is still reading its settings', async () => {
  // `systemctl reload` just after a start killed it, before it listened.
  const folder = mkdtempSync(join(tmpdir(), 'tke-eni-hangup-'))
  const file = join(folder, 'node.yaml')
  spawnSync('mkfifo', [file])
  const main = new URL('../../cmd/main.ts', import.meta.url).pathname
  const child = spawn(process.execPath, [main, 'node', '--config', file], { stdio: 'ignore' })
  const ended = once(child, 'exit')
  const writer = await open(file, 'w') // it reads now
  child.kill('SIGHUP')
  await writer.write('mtu: none\n')
  await writer.close()
  assert.deepEqual(await ended, [2, null])
  rmSync(folder, { recursive: true })
})

test('[R6] SIGHUP tells of a part that cannot apply the settings, and the others hear of them', async (t) => {
  // It was told as a file that could not be read.
  const { hangUp, log, reloads } = reloading(t, () => Promise.resolve({ warm: 7, region: 'a' }))
  const heard: number[] = []
  reloads.subscribe(({ warm }) => {
    if (warm === 7) throw new Error('no')
  })
  reloads.subscribe(({ warm }) => heard.push(warm))
  await hangUp()
  assert.deepEqual(heard, [5, 7])
  assert.equal(log.count('settings not read again: those in force stay'), 0)
  assert.equal(log.count('settings read again, and not applied everywhere: restart'), 1)
})
