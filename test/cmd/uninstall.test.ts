// `tke-eni uninstall --reclaim` as a person sees it; what it does to EIPs is in test/leader/reclaim-eips.test.ts.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { refuseWhileLed } from '../../cmd/uninstall/reclaim.ts'
import { systemClock } from '../../internal/base/clock.ts'
import { seededRandom } from '../../internal/base/random.ts'
import { eipTags } from '../../internal/ipam/eip-tags.ts'
import { serveVpcSim } from '../../internal/sim/vpc/server.ts'
import { openVpcSim } from '../../internal/sim/vpc/sim.ts'
import { VirtualClock } from '../fake/virtual-clock.ts'
import { command } from './get-process.ts'

const purpose = { clusterId: 'cls-1', namespace: 'default', policy: 'Never', token: 'token-1' } as const

async function setUp(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'uninstall-'))
  const latency = { minMs: 10, maxMs: 20 }
  const sim = openVpcSim({ path: ':memory:', random: seededRandom(1), latency })
  sim.credentials.add('AKIDuninstall', 'secret')
  const server = await serveVpcSim({ sim, clock: systemClock, tcp: { host: '127.0.0.1', port: 0 } })
  t.after(async () => {
    await server.close()
    sim.close()
    rmSync(folder, { recursive: true })
  })
  const make = (id: string, tags: Record<string, string> = {}) =>
    sim.admin.createEip({ id, tags }, systemClock.now()).id
  make('eip-00000001', eipTags({ ...purpose, name: 'web-0', expireAfter: undefined, owner: undefined }))
  make('eip-0000user')
  const keys = join(folder, 'keys.yaml')
  writeFileSync(keys, 'secret-id: AKIDuninstall\nsecret-key: secret\n', { mode: 0o600 })
  const config = join(folder, 'leader.yaml')
  const settings = { 'cluster-id': 'cls-1', region: 'ap-guangzhou', subnets: ['subnet-a'] }
  const cloud = { 'vpc-endpoint': server.url, credentials: 'file', 'credentials-file': keys }
  writeFileSync(config, JSON.stringify({ ...settings, ...cloud }))
  const uninstall = (...args: readonly string[]) => command('uninstall', '--config', config, ...args).ended
  return { uninstall, eips: () => sim.admin.audit(systemClock.now()).eips.map(({ id }) => id) }
}

test('[E10] tke-eni uninstall --reclaim says what it would release, and releases it', async (t) => {
  const { eips, uninstall } = await setUp(t)
  const dry = await uninstall('--reclaim', '--dry-run')
  assert.deepEqual([dry.status, dry.stderr], [0, ''])
  assert.match(
    dry.stdout,
    /^EIP +ADDRESS +POD +BOUND-TO +BANDWIDTH +ISP +OUTCOME +WHY\neip-00000001 +\S+ +default\/web-0 +<none> .* would-release +<none>\n$/,
  )
  assert.deepEqual(eips(), ['eip-00000001', 'eip-0000user'])
  const done = await uninstall('--reclaim', '--cluster-gone', '-o', 'json')
  assert.deepEqual([done.status, done.stderr], [0, 'eip-00000001 released\n'])
  assert.partialDeepStrictEqual(JSON.parse(done.stdout), [
    { eip: 'eip-00000001', pod: 'default/web-0', outcome: 'released', why: '' },
  ])
  assert.deepEqual(eips(), ['eip-0000user'])
})

test('[R6] tke-eni uninstall does nothing without --reclaim', async () => {
  const { status, stderr } = await command('uninstall').ended
  assert.equal(status, 2)
  assert.match(stderr, /--reclaim/)
})

test('[E10] [K1] refuseWhileLed() lets nobody reclaim what a leader would make anew', async () => {
  const clock = new VirtualClock()
  const none = new AbortController().signal
  const lease = (holder: string | undefined, version: string) => ({
    ...{ holder, version, duration: 15_000, epoch: 3, ledgerId: undefined },
  })
  const after = (...versions: readonly string[]) => {
    let reads = 0
    const read = async () => lease('leader-1', versions[Math.min(reads++, versions.length - 1)] ?? '')
    return clock.runUntil(refuseWhileLed({ read }, clock, none))
  }
  await assert.rejects(after('1', '2'), { code: 'conflict', message: /"leader-1" leads/ })
  await after('1', '1')
  await clock.runUntil(refuseWhileLed({ read: async () => lease(undefined, '1') }, clock, none))
  await clock.runUntil(refuseWhileLed({ read: async () => undefined }, clock, none))
})
