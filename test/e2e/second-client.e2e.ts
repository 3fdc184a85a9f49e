// A second official client: Tencent Cloud's Python SDK, whose signatures and requests differ from the Node one's,
// creates, attaches, assigns and deletes against the simulated VPC, and binds an EIP.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { systemClock } from '../../internal/base/clock.ts'
import { serveVpcSim } from '../../internal/sim/vpc/server.ts'
import { medium, openWorld, subnetA, vpcId } from '../sim/vpc/world.ts'

const run = promisify(execFile)

const sdk = 'tencentcloud-sdk-python-vpc==3.1.193'
const cache = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'tke-eni', 'python-sdk')

test('the Python SDK works against vpc-sim', async (t) => {
  const python = await preparePython().catch((error: Error) => {
    t.skip(
      `no Python SDK: ${error.message.split('\n')[0]}; install python3 with venv and give pip a package index`,
    )
    return undefined
  })
  if (python === undefined) return

  const sim = openWorld({ latency: { minMs: 20, maxMs: 60 } })
  sim.credentials.add('AKIDpython', 'second key')
  const server = await serveVpcSim({ sim, clock: systemClock, tcp: { host: '127.0.0.1', port: 0 } })
  t.after(async () => {
    await server.close()
    sim.close()
  })
  const script = join(import.meta.dirname, 'vpc-second-client.py')
  const endpoint = new URL(server.url).host
  const args = [script, endpoint, 'AKIDpython', 'second key', sim.region, vpcId, subnetA, medium]
  const { stdout } = await run(python, args, { timeout: 120_000, env: withoutProxy() })
  const steps = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { step: string } & Record<string, unknown>)
  t.diagnostic(stdout.trim())

  assert.deepEqual(
    steps.map(({ step }) => step),
    [
      'created',
      'attached',
      'assigned',
      'unassigned',
      'found',
      'allocated',
      'bound',
      'refused',
      'detached',
      'deleted',
      'released',
    ],
  )
  const [created, attached, assigned, , found, allocated, bound, refused] = steps
  assert.equal(attached?.['instance'], medium)
  assert.deepEqual([assigned?.['new'], assigned?.['all']], [3, 5])
  assert.deepEqual(found?.['enis'], [created?.['eni']])
  assert.deepEqual(allocated?.['tasks'], ['SUCCESS', 'SUCCESS'])
  assert.deepEqual(
    [bound?.['eni'], bound?.['instance'], bound?.['private']],
    [created?.['eni'], medium, true],
  )
  assert.equal(refused?.['code'], 'ResourceInUse')

  const audit = sim.admin.audit(systemClock.now())
  assert.deepEqual(audit.faults, [])
  assert.ok(audit.enis.every(({ primary }) => primary))
  assert.deepEqual(audit.eips, [])
})

/** A virtual environment with the SDK, made once and kept in the user's cache. */
async function preparePython(): Promise<string> {
  const python = join(cache, 'bin', 'python')
  if (!existsSync(python)) await run('python3', ['-m', 'venv', cache], { timeout: 120_000 })
  try {
    await run(python, ['-c', 'import tencentcloud.vpc.v20170312.vpc_client'])
  } catch {
    await run(python, ['-m', 'pip', 'install', '--quiet', sdk], { timeout: 300_000 })
  }
  return python
}

/** The simulator is on this machine: no proxy stands before it. */
function withoutProxy(): NodeJS.ProcessEnv {
  const { http_proxy, HTTP_PROXY, https_proxy, HTTPS_PROXY, ...env } = process.env
  return env
}
