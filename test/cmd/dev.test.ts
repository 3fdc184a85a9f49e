// What `tke-eni dev` refuses, seen from outside; what it does is shown in test/e2e.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, test } from 'node:test'
import { runCommand } from '../../internal/linux/command.ts'
import { sandboxFault } from '../../internal/linux/sandbox.ts'
import { lockFile } from '../../internal/sqlite/lock-file.ts'

const main = new URL('../../cmd/main.ts', import.meta.url).pathname
const directory = mkdtempSync(join(tmpdir(), 'tke-eni-dev-test-'))
after(() => rmSync(directory, { recursive: true }))
const skip = (await sandboxFault(runCommand)) ?? false

function dev(path: string, ...more: readonly string[]) {
  const { status, stderr, stdout } = spawnSync(
    process.execPath,
    [main, 'dev', `--directory=${path}`, ...more],
    {
      encoding: 'utf8',
      env: process.env,
    },
  )
  return { status, stderr, stdout }
}

test('[R6] dev leaves a cluster alone that runs in its directory', { skip }, () => {
  // A second one took over the first one's API socket, and deleted it when it gave up.
  const path = join(directory, 'running')
  mkdirSync(path)
  const lock = lockFile(join(path, 'dev.lock'))
  const { status, stderr, stdout } = dev(path)
  lock.release()
  assert.equal(status, 1)
  assert.equal(stdout, '')
  assert.match(stderr, /Cannot lock ".*dev\.lock": another process holds it/)
  assert.equal(readdirSync(path).includes('kube.sock'), false)
})

test('[R6] dev refuses the directory of an earlier cluster, and a file', { skip }, () => {
  const path = join(directory, 'earlier')
  mkdirSync(path)
  writeFileSync(join(path, 'vpc.db'), '')
  const { status, stderr } = dev(path)
  assert.equal(status, 2)
  assert.match(stderr, /Cannot start in ".*earlier": it holds an earlier cluster/)
  const file = dev(join(path, 'vpc.db'))
  assert.equal(file.status, 1)
  assert.match(file.stderr, /^tke-eni: Cannot use directory .*ENOTDIR[^\n]*\n$/)
})

test('[R6] dev ends when its port is taken', { skip }, async () => {
  // It said so, and then never ended: the socket beside the port was open.
  const holder = createServer().listen(0, '127.0.0.1')
  await once(holder, 'listening')
  const { port } = holder.address() as AddressInfo
  const child = spawn(
    process.execPath,
    [main, 'dev', `--directory=${join(directory, 'taken')}`, `--port=${port}`],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  )
  const [said, [status]] = await Promise.all([text(child.stderr), once(child, 'exit')])
  holder.close()
  assert.match(said, /^tke-eni: Cannot listen on "127\.0\.0\.1:\d+": listen EADDRINUSE[^\n]*\n$/)
  assert.equal(status, 1)
})

test('[R6] dev refuses an empty directory', () => {
  assert.deepEqual(dev(''), {
    status: 2,
    stdout: '',
    stderr: 'tke-eni: Cannot start dev: --directory is empty\n',
  })
})

test('dev leaves nothing behind when its terminal is closed', { skip }, async () => {
  const folder = join(directory, 'tmp')
  mkdirSync(folder)
  const child = spawn(process.execPath, [main, 'dev', '--nodes=1'], {
    env: { ...process.env, TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  await once(child.stdout, 'data')
  assert.equal(readdirSync(folder).length, 1)
  child.kill('SIGHUP')
  assert.deepEqual(await ended, [0, null])
  assert.deepEqual(readdirSync(folder), [])
})
