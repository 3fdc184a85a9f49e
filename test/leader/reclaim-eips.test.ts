// A cluster that is taken apart gives its EIPs back, and nobody else's.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { silentLog } from '../../internal/base/log.ts'
import { seededRandom } from '../../internal/base/random.ts'
import { clusterEips } from '../../internal/ipam/eip-tags.ts'
import { IpamError } from '../../internal/ipam/errors.ts'
import { listReclaimable, type ReclaimParts, reclaimEips } from '../../internal/leader/reclaim-eips.ts'
import type { Cloud } from '../../internal/ports.ts'
import { createCloud } from '../../internal/vpc/cloud.ts'
import { cloudLink } from '../sim/world/cloud-link.ts'
import { immortal, newMachine, Process } from '../sim/world/process.ts'
import { EipWorld, minute } from './eips/eip-world.ts'

/** Two pods with EIPs of ours, one with its user's, one that is kept; and the leader is gone. */
async function abandoned(t: TestContext) {
  const world = await EipWorld.start(t)
  const users = world.cloud.admin.createEip({ id: 'eip-000users' }, world.clock.now()).id
  const uids = [
    world.run('node-1', 'web-0'),
    world.run('node-2', 'kept-0', { attributes: '', policy: 'Never' }),
    world.run('node-2', 'own-0', { ids: users }),
  ]
  for (const uid of uids.slice(0, 2)) await world.untilEip(uid)
  await world.clock.advance(2 * minute)
  world.crash()
  const process = new Process(newMachine('person', seededRandom(3)), world.clock, immortal, () => {})
  const { clock } = process
  const transport = cloudLink(world.cloud, process)
  const cloud: Cloud = createCloud({ transport, clock, random: seededRandom(4), log: silentLog })
  const told: string[] = []
  const parts: ReclaimParts = {
    ...{ cloud, clock, clusterId: 'cls-test' },
    tell: ({ eip, outcome }) => void told.push(`${eip.id} ${outcome}`),
  }
  const run = (more: Partial<ReclaimParts> = {}, signal = new AbortController().signal) =>
    world.clock.runUntil(reclaimEips({ ...parts, ...more }, signal))
  return { world, users, cloud, parts, told, run, clock: world.clock }
}

test('[E10] every EIP that was made for a pod is released, bound or not; the user keeps his', async (t) => {
  const { clock, parts, run, told, users, world } = await abandoned(t)
  const listed = await clock.runUntil(listReclaimable(parts))
  assert.deepEqual(new Set(listed.map(({ step }) => step.kind)), new Set(['disassociate']))
  const done = await run()
  assert.deepEqual(
    done.map(({ outcome }) => outcome),
    ['released', 'released'],
  )
  assert.equal(told.length, 2)
  const left = world.eips()
  assert.equal(left.length, 1)
  assert.ok(left[0]?.startsWith(users))
  assert.deepEqual(await run(), [], 'it may be run again')
})

test('[E10] what another cluster has made, or cannot be told, stays', async (t) => {
  const { parts, run, world } = await abandoned(t)
  assert.deepEqual(await run({ clusterId: 'cls-other' }), [])
  const odd = world.cloud.admin.createEip(
    { id: 'eip-00000odd', tags: clusterEips('cls-test') },
    world.clock.now(),
  ).id
  await world.clock.advance(10_000)
  const done = await run(parts)
  const kept = done.filter(({ outcome }) => outcome === 'kept')
  assert.deepEqual(
    kept.map(({ eip, why }) => [eip.id, why]),
    [[odd, 'its tags do not say for which pod it was made']],
  )
  assert.ok(world.eips().some((eip) => eip.startsWith(odd)))
})

test('[E10] [R2] answers that are lost, and a run that is broken off, lose nothing', async (t) => {
  const { cloud, run, world } = await abandoned(t)
  let lost = 0
  const lossy = {
    ...cloud,
    async disassociateEip(...args: Parameters<Cloud['disassociateEip']>) {
      await cloud.disassociateEip(...args)
      if (lost++ < 2) throw new IpamError('unknown_outcome', 'Cannot disassociate: no answer')
    },
  }
  const ends = new AbortController()
  ends.abort()
  assert.deepEqual(
    (await run({ cloud: lossy }, ends.signal)).map(({ outcome }) => outcome),
    ['failed', 'failed'],
  )
  const done = await run({ cloud: lossy })
  assert.ok(done.every(({ outcome }) => outcome === 'released'))
  assert.equal(world.eips().length, 1)
})

test('[E8] [E10] what the role may not release is told, and the others are released', async (t) => {
  const { cloud, run } = await abandoned(t)
  let first: string | undefined
  const refusing = {
    ...cloud,
    async releaseEip(...args: Parameters<Cloud['releaseEip']>) {
      first ??= args[0]
      if (args[0] === first) throw new IpamError('denied', 'Cannot release: denied', { hint: 'Allow it' })
      await cloud.releaseEip(...args)
    },
  }
  const done = await run({ cloud: refusing })
  assert.deepEqual(
    done.map(({ outcome, why }) => [outcome, why]).toSorted(([a = ''], [b = '']) => a.localeCompare(b)),
    [
      ['failed', 'Cannot release: denied; Allow it'],
      ['released', ''],
    ],
  )
})
