// What the daemons do about an address that they cannot have, seen from outside.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, test } from 'node:test'

const main = new URL('../../cmd/main.ts', import.meta.url).pathname
const directory = mkdtempSync(join(tmpdir(), 'tke-eni-listening-'))
const taken = createServer().listen(0, '127.0.0.1')
await once(taken, 'listening')
const { port } = taken.address() as AddressInfo
after(() => {
  taken.close()
  rmSync(directory, { recursive: true })
})

const common = ['--kube-server=http://127.0.0.1:1', `--listen-health=127.0.0.1:${port}`, '--log-level=error']
for (const [name, ...args] of [
  ['leader', '--cluster-id=cls-test', '--region=ap-guangzhou', '--subnets=subnet-aaaaaaaa'],
  ['node', '--node-name=n1', `--run-dir=${directory}`],
] as const) {
  test(`[R6] ${name} whose health address is taken says so and ends, before it has begun`, async () => {
    const env = { PATH: process.env['PATH'], TENCENTCLOUD_SECRET_ID: 'id', TENCENTCLOUD_SECRET_KEY: 'key' }
    const child = spawn(process.execPath, [main, name, ...args, ...common, `--state-dir=${directory}`], {
      env,
    })
    const [said, [status]] = await Promise.all([text(child.stderr), once(child, 'exit')])
    assert.match(said, /^tke-eni: Cannot listen on "127\.0\.0\.1:\d+": [^\n]*EADDRINUSE[^\n]*\n$/)
    assert.equal(status, 1)
  })
}
