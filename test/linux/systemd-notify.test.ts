import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { silentLog } from '../../internal/base/log.ts'
import {
  type ServiceManagerOptions,
  serviceManager,
  systemdNotify,
} from '../../internal/linux/systemd-notify.ts'
import { VirtualClock } from '../fake/virtual-clock.ts'

function service(options: Partial<ServiceManagerOptions> = {}) {
  const sent: string[] = []
  const clock = new VirtualClock()
  /** Runs what is due next, and tells after how long that was. */
  const tick = async () => {
    const before = clock.now()
    return (await clock.step()) ? clock.now() - before : undefined
  }
  const manager = serviceManager({
    env: { NOTIFY_SOCKET: '/run/x', WATCHDOG_USEC: '60000000', WATCHDOG_PID: '7' },
    pid: 7,
    clock,
    log: silentLog,
    alive: () => true,
    notify: (assignments) => {
      sent.push(assignments.join(' '))
      return Promise.resolve()
    },
    ...options,
  })
  return { manager, sent, tick }
}

test('serviceManager() tells systemd of start, life and end', async () => {
  const { manager, sent, tick } = service()
  assert.equal(await tick(), undefined)
  await manager.ready('serving\n3 nodes')
  assert.equal(await tick(), 30_000)
  await manager.status('serving')
  assert.equal(await tick(), 30_000)
  await manager.stopping()
  assert.equal(await tick(), undefined)
  assert.deepEqual(sent, [
    'READY=1 STATUS=serving 3 nodes',
    'WATCHDOG=1',
    'STATUS=serving',
    'WATCHDOG=1',
    'STOPPING=1',
  ])
})

test('serviceManager() gives no sign of life while the service is stuck', async () => {
  let alive = false
  const { manager, sent, tick } = service({ alive: () => alive })
  await manager.ready('')
  await tick()
  assert.deepEqual(sent, ['READY=1 STATUS='])
  alive = true
  await tick()
  assert.deepEqual(sent.slice(1), ['WATCHDOG=1'])
})

test('serviceManager() does nothing where no systemd waits for it', async () => {
  const { manager, sent, tick } = service({ env: { WATCHDOG_USEC: '1000' } })
  await manager.ready('')
  await manager.stopping()
  assert.equal(await tick(), undefined)
  assert.deepEqual(sent, [])
})

test('serviceManager() gives no sign of life that another process owes', async () => {
  const { manager, tick } = service({ pid: 8 })
  await manager.ready('')
  assert.equal(await tick(), undefined)
})

test('serviceManager() lives on when systemd cannot be told', async () => {
  const { manager, tick } = service({ notify: () => Promise.reject(new Error('no such program')) })
  await manager.ready('')
  assert.equal(await tick(), 30_000)
  assert.equal(await tick(), 30_000)
})

const receiver = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print("bound", flush=True)
while True:
    print(s.recv(4096).decode().replace("\\n", " "), flush=True)
`
const lacks = ['systemd-notify', 'python3'].filter(
  (name) => spawnSync(name, ['--version']).error !== undefined,
)
const skip = lacks.length > 0 && `not installed: ${lacks.join(', ')}`

test('systemdNotify() reaches a real notification socket', { skip }, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tke-eni-notify-'))
  const NOTIFY_SOCKET = join(directory, 'socket')
  const child = spawn('python3', ['-c', receiver, NOTIFY_SOCKET], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  const closed = once(child, 'close')
  await new Promise<void>((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
      resolve()
    })
  })
  await systemdNotify({ NOTIFY_SOCKET, PATH: process.env['PATH'] })(['READY=1', 'STATUS=well'])
  child.kill() // not before: systemd-notify waits until its message is read
  await closed
  rmSync(directory, { recursive: true })
  assert.match(output, /READY=1 STATUS=well/)
})
