// How a daemon ends when something fails that nobody waits for, seen from outside.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'

const from = (path: string) => JSON.stringify(new URL(`../../${path}`, import.meta.url).href)

function runUntilSignal(work: string) {
  const script = `
    import { untilSignal } from ${from('cmd/until-signal.ts')}
    import { IpamError } from ${from('internal/ipam/errors.ts')}
    const damaged = () => new IpamError('storage', 'Cannot use "leader.db": it is damaged', { hint: 'move it away' })
    await untilSignal(() => new Promise(() => { ${work} }))`
  return spawnSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' })
}

for (const [where, work] of [
  ['a timer', 'setImmediate(() => { throw damaged() })'],
  ['a promise', 'setImmediate(() => void Promise.reject(damaged()))'],
] as const) {
  test(`[R6] untilSignal() ends the process with 1 and a sentence when ${where} fails that nobody waits for`, () => {
    const { status, stderr } = runUntilSignal(work)
    assert.equal(stderr, 'tke-eni: Cannot use "leader.db": it is damaged\n  move it away\n')
    assert.equal(status, 1)
  })
}

test('untilSignal() ends the process with 1 and the stack of a bug', () => {
  const { status, stderr } = runUntilSignal(`setImmediate(() => { throw new TypeError('a bug') })`)
  assert.match(stderr, /^tke-eni: TypeError: a bug\n {4}at /)
  assert.equal(status, 1)
})
