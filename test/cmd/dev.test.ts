// What `tke-eni dev` refuses, seen from outside; what it does is shown in test/e2e.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { runCommand } from '../../internal/linux/command.ts'
import { sandboxFault } from '../../internal/linux/sandbox.ts'
import { lockFile } from '../../internal/sqlite/lock-file.ts'

const main = new URL('../../cmd/main.ts', import.meta.url).pathname
const directory = mkdtempSync(join(tmpdir(), 'tke-eni-dev-test-'))
after(() => rmSync(directory, { recursive: true }))
const skip = (await sandboxFault(runCommand)) ?? false

function dev(path: string) {
  const { status, stderr } = spawnSync(process.execPath, [main, 'dev', '--directory', path], {
    encoding: 'utf8',
    env: process.env,
  })
  return { status, stderr }
}

test('[R6] dev leaves a cluster alone that runs in its directory', { skip }, () => {
  // A second one took over the first one's API socket, and deleted it when it gave up.
  const path = join(directory, 'running')
  mkdirSync(path)
  const lock = lockFile(join(path, 'dev.lock'))
  const { status, stderr } = dev(path)
  lock.release()
  assert.equal(status, 1)
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
