// One process per directory, however the process before it ended.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { errorCode } from '../../internal/ipam/errors.ts'
import { lockFile } from '../../internal/sqlite/lock-file.ts'
import { newDirectory } from './files.ts'

const children: ChildProcess[] = []
after(() => {
  for (const child of children) child.kill('SIGKILL')
})

/** A process that holds the lock once this resolves. */
async function holdElsewhere(path: string): Promise<ChildProcess> {
  const program = `
    import { lockFile } from ${JSON.stringify(new URL('../../internal/sqlite/lock-file.ts', import.meta.url).href)}
    globalThis.lock = lockFile(${JSON.stringify(path)})
    console.log('held')
    process.stdin.resume()`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  children.push(child)
  let said = ''
  for await (const chunk of child.stdout) {
    said += String(chunk)
    if (said === 'held\n') return child
  }
  throw new Error('the other process did not get the lock')
}

function isRefused(path: string): boolean {
  try {
    lockFile(path).release()
    return false
  } catch (error) {
    assert.equal(errorCode(error), 'storage')
    assert.match((error as Error).message, /^Cannot lock ".*": another process holds it/)
    return true
  }
}

test('[R6] lockFile() refuses a second process until the first is killed', async () => {
  const path = join(newDirectory(), 'test.lock')
  const child = await holdElsewhere(path)
  assert.equal(isRefused(path), true)
  assert.equal(isRefused(path), true, 'asking does not take the lock away from its holder')
  child.kill('SIGKILL')
  await once(child, 'exit')
  assert.equal(isRefused(path), false)
})

test('lockFile() can be taken again after its release', () => {
  const path = join(newDirectory(), 'test.lock')
  lockFile(path).release()
  const lock = lockFile(path)
  assert.equal(statSync(path).mode & 0o777, 0o600)
  lock.release()
})

test('lockFile() keeps the lock when its own process asks for it again', async () => {
  const path = join(newDirectory(), 'test.lock')
  const lock = lockFile(path)
  assert.equal(isRefused(path), true)
  await assert.rejects(holdElsewhere(path), /did not get the lock/)
  lock.release()
})
