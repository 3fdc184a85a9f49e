// `tke-eni plan` as a person sees it; what it forecasts is in test/ipam/forecast.test.ts.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fillLeader, ipv4, openLeader } from './ledger-files.ts'

const main = new URL('../../cmd/main.ts', import.meta.url).pathname
const root = mkdtempSync(join(tmpdir(), 'tke-eni-plan-'))
after(() => rmSync(root, { recursive: true }))

const leader = openLeader(root, Date.UTC(2026, 0, 31, 12))
await fillLeader(leader)
for (const [address, name] of [
  ['10.0.1.9', 'web-1'],
  ['10.0.1.100', 'web-2'],
] as const)
  await leader.write((tx) => tx.setPod(ipv4(address), { namespace: 'default', name, uid: `uid-${name}` }))
leader.close()

function plan(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, 'plan', ...args], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] },
  })
  return { status, stdout, stderr }
}

test('tke-eni plan says that it knows nothing of pods that wait, where some may', () => {
  // Three pods waited; it said 7, and 10 were bound.
  const full = plan('--db', leader.path, 'route-eni-max-attach-', '--node', 'node-a', 'node-b')
  assert.match(full.stdout, /^Assumed: no pod waits on node-a, which has no idle address\./m)
  assert.equal(full.status, 0)
  assert.doesNotMatch(
    plan('--db', leader.path, 'route-eni-max-attach-', '--node', 'node-b').stdout,
    /no idle address\./,
  )
})

test('tke-eni plan shows a node once, however often it is named', () => {
  const { stdout } = plan('--db', leader.path, 'route-eni-max-attach-', '--node', 'node-b', 'node-b')
  assert.equal(stdout.match(/^node-b/gm)?.length, 1)
})

test('[R6] tke-eni plan does not want to rebuild what is no database of ours', () => {
  const path = join(root, 'passwd')
  writeFileSync(path, 'root:x:0:0:root:/root:/bin/bash')
  const { status, stderr } = plan('--db', path, 'route-eni-max-attach-')
  assert.equal(
    stderr,
    `tke-eni: Cannot open leader database "${path}": it is not a SQLite database\n  give the path of a database\n`,
  )
  assert.equal(status, 1)
})
