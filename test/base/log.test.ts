import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { test } from 'node:test'

const program = (level: string) => `
import { createLog } from ${JSON.stringify(new URL('../../internal/base/log.ts', import.meta.url).href)}
const log = createLog(${JSON.stringify(level)}).child({ node: 'n1' })
log.debug('reasons', { reason: 'why' })
log.info('made', { secretKey: 'hush', token: 'hush', cloud: { secretId: 'hush' }, eni: 'eni-1' })
log.error('bad')
`

function linesAt(level: string): Record<string, unknown>[] {
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program(level)], {
    encoding: 'utf8',
  })
  assert.equal(stdout, '', 'standard output belongs to results')
  return stderr
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

test('createLog() writes JSON lines on standard error, without credentials', () => {
  const lines = linesAt('info')
  assert.deepEqual(
    lines.map(({ level, msg, node }) => ({ level, msg, node })),
    [
      { level: 'info', msg: 'made', node: 'n1' },
      { level: 'error', msg: 'bad', node: 'n1' },
    ],
  )
  assert.equal(lines[0]?.['eni'], 'eni-1')
  assert.ok(!JSON.stringify(lines).includes('hush'))
})

test('createLog() says what its level asks for', () => {
  assert.deepEqual(
    linesAt('debug').map(({ msg }) => msg),
    ['reasons', 'made', 'bad'],
  )
  assert.deepEqual(
    linesAt('error').map(({ msg }) => msg),
    ['bad'],
  )
})

test('[R6] createLog() goes on where standard error takes nothing: a full disk', () => {
  const full = openSync('/dev/full', 'w')
  const script = `${program('info')}
    for (let i = 0; i < 20_000; i++) log.info('more', { text: 'x'.repeat(500) })
    console.log(process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed < 60e6 ? 'goes on' : 'keeps all')`
  const { stdout, status } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', full],
  })
  closeSync(full)
  assert.deepEqual([stdout, status], ['goes on\n', 0])
})
