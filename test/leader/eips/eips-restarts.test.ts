// Leaders that die in the middle of each act on an EIP, calls that are lost, and ledgers that are: no EIP is lost, doubled or left behind.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { intentTag } from '../../../internal/ipam/eni-tags.ts'
import { noFaults } from '../../../internal/sim/vpc/settings.ts'
import type { Transport } from '../../../internal/vpc/transport.ts'
import { known } from '../../given.ts'
import { podOn } from '../leader-world.ts'
import { EipWorld, minute, second } from './eip-world.ts'

const kept = { attributes: '', policy: 'Never' }

type Moment = 'before' | 'after'

/** Dies once at the next call of that action: before it leaves, or when it has arrived and nobody knows. */
function dieAt(world: EipWorld, action: string, moment: Moment): { died: boolean } {
  const state = { died: false }
  world.between = (cloud): Transport => ({
    async request(product, asked, params, options) {
      const isIt = asked === action && !state.died
      if (isIt && moment === 'before') return die(world, state)
      const answer = await cloud.request(product, asked, params, options)
      return isIt ? die(world, state) : answer
    },
  })
  return state
}

function die(world: EipWorld, state: { died: boolean }): Promise<never> {
  state.died = true
  world.crash()
  world.clock.after(3 * second, () => void world.start())
  return new Promise(() => {})
}

async function restarted(t: Parameters<typeof EipWorld.start>[0], action: string, moment: Moment) {
  const world = EipWorld.of(t)
  const state = dieAt(world, action, moment)
  world.start()
  await world.until(() => world.addresses('node-1').length > 1)
  return { world, state }
}

for (const moment of ['before', 'after'] as const) {
  for (const action of ['AllocateAddresses', 'AssociateAddress'] as const)
    test(`[R1] [R2] the leader dies ${moment} ${action}: the pod has one EIP`, async (t) => {
      const { state, world } = await restarted(t, action, moment)
      const uid = world.run('node-1', 'web-0')
      await world.until(() => state.died)
      await world.until(() => world.leader !== undefined)
      await world.untilEip(uid)
      await world.clock.advance(2 * minute)
      assert.ok(state.died)
      assert.equal(world.eips().length, 1)
    })

  for (const action of ['DisassociateAddress', 'ReleaseAddresses'] as const)
    test(`[R1] [R2] the leader dies ${moment} ${action}: nothing is left`, async (t) => {
      const { state, world } = await restarted(t, action, moment)
      const uid = world.run('node-1', 'web-0')
      await world.untilEip(uid)
      world.stop(uid)
      await world.until(() => state.died)
      await world.until(() => !world.ledger.eips.any(), 4 * minute)
      assert.ok(state.died)
      assert.deepEqual([world.eipState('web-0'), world.eips()], ['none', []])
    })
}

test('[R2] answers that are lost after the effect make no second EIP, and leave none', async (t) => {
  const world = await EipWorld.start(t)
  const names = ['AllocateAddresses', 'AssociateAddress', 'DisassociateAddress', 'ReleaseAddresses']
  world.cloud.setFaults({ loseNextAnswers: Object.fromEntries(names.map((name) => [name, 1])) })
  const uid = world.run('node-1', 'web-0')
  await world.untilEip(uid)
  assert.equal(world.eips().length, 1)
  world.stop(uid)
  await world.until(() => !world.ledger.eips.any(), 5 * minute)
  assert.deepEqual(world.eips(), [])
})

test('[R4] without its ledger a leader finds what pods have, what is kept, and what is nobody’s', async (t) => {
  const world = await EipWorld.start(t, { claimExpiry: 10 * minute })
  const runs = world.run('node-1', 'web-0', kept)
  const rests = world.run('node-2', 'web-1', kept)
  const goes = world.run('node-2', 'web-2')
  const before = await world.untilEip(runs)
  const retained = await world.untilEip(rests)
  await world.untilEip(goes)
  world.stop(rests)
  await world.until(() => world.eipClaim('web-1')?.privateIp === undefined)
  world.loseLedger()
  world.stop(goes)
  world.start()
  await world.until(() => world.eipClaim('web-2') === undefined && world.eipClaim('web-0')?.phase === 'Bound')
  const again = await world.untilEip(runs)
  assert.deepEqual([again.eipId, again.address, again.policy], [before.eipId, before.address, 'Never'])
  assert.equal(world.eipState('web-1'), `Retained ${retained.eipId}`)
  await world.until(() => world.eips().length === 2)
  assert.equal(world.eips().length, 2)
  await world.until(() => world.eipClaim('web-1') === undefined, 14 * minute)
  assert.deepEqual(world.eips(), [`${before.eipId} BIND ${before.privateIp}`])
})

test('[R4] [E8] without its ledger, and while it may not look at EIPs, a leader makes none; then pods have their own again', async (t) => {
  const world = await EipWorld.start(t)
  const runs = world.run('node-1', 'web-0', kept)
  const before = await world.untilEip(runs)
  world.loseLedger()
  world.cloud.setFaults({ ...noFaults, deny: { DescribeAddresses: 1 } })
  world.start()
  await world.until(() => world.eipClaim('web-0') !== undefined)
  await world.clock.advance(5 * minute)
  assert.deepEqual(world.eips(), [`${before.eipId} BIND ${before.privateIp}`])
  world.cloud.setFaults(noFaults)
  const again = await world.untilEip(runs)
  assert.equal(again.eipId, before.eipId)
  await world.clock.advance(10 * minute)
  assert.deepEqual(world.eips(), [`${before.eipId} BIND ${before.privateIp}`])
})

test('[R4] [E4] without its ledger a leader knows a user’s EIP by where it is', async (t) => {
  const world = await EipWorld.start(t)
  for (const id of ['eip-xxx1', 'eip-xxx2']) world.cloud.admin.createEip({ id }, world.clock.now())
  const uid = world.run('node-1', 'web-0', { ids: 'eip-xxx1,eip-xxx2' })
  await world.untilEip(uid)
  const calls = world.log.count('EIP call accepted')
  world.loseLedger()
  world.start()
  const claim = await world.untilEip(uid)
  assert.equal(claim.eipId, 'eip-xxx1')
  assert.equal(world.log.count('EIP call accepted'), calls, 'nothing was done')
})

test('[R4] [E4] a user’s EIP that a lost ledger has left on an address that no pod has goes to the pod that lists it', async (t) => {
  const world = await EipWorld.start(t)
  world.cloud.admin.createEip({ id: 'eip-xxx1' }, world.clock.now())
  const asked = { ids: 'eip-xxx1' }
  const gone = world.run('node-1', 'web-0', asked)
  await world.untilEip(gone)
  world.loseLedger()
  world.stop(gone)
  world.start()
  await world.until(() => world.addresses('node-2').length > 1)
  const claim = await world.untilEip(world.run('node-2', 'web-0', asked))
  assert.equal(claim.eipId, 'eip-xxx1')
})

test('[R1] an EIP of ours that no claim knows of is nobody’s when two looks agree; others’ are left alone', async (t) => {
  const world = await EipWorld.start(t)
  const tags = {
    'tke-created-eip': 'true',
    'tke-clusterId': 'cls-test',
  }
  const user = world.cloud.admin.createEip({}, world.clock.now())
  const uid = world.run('node-1', 'web-0', kept)
  const claim = await world.untilEip(uid)
  const of = known(world.cloud.admin.audit(world.clock.now()).eips.find(({ id }) => id === claim.eipId)).tags
  const double = world.cloud.admin.createEip(
    { tags: { ...of, ...tags, ...withToken(of, 'x1') } },
    world.clock.now(),
  )
  const orphan = world.cloud.admin.createEip(
    { tags: { ...of, ...renamed(of, 'web-0', 'gone-0'), ...withToken(of, 'x2') } },
    world.clock.now(),
  )
  await world.until(() => !world.eips().some((eip) => eip.startsWith(double.id)), 5 * minute)
  await world.until(() => world.eipClaim('gone-0')?.phase === 'Retained', 5 * minute)
  assert.deepEqual(
    world.eips().map((eip) => eip.split(' ')[0]),
    [user.id, claim.eipId, orphan.id],
  )
  assert.equal((await world.untilEip(uid)).eipId, claim.eipId)
})

test('[R1] an EIP with the tags of another, and a name of its own, keeps no survey from what is left', async (t) => {
  const world = await EipWorld.start(t)
  const claim = await world.untilEip(world.run('node-1', 'web-0', kept))
  const { tags } = known(world.cloud.admin.audit(world.clock.now()).eips.find(({ id }) => id === claim.eipId))
  const copied = renamed(tags, 'web-0', 'copy-0')
  world.cloud.admin.createEip({ tags: { ...tags, ...copied } }, world.clock.now())
  const left = { ...tags, ...renamed(tags, 'web-0', 'gone-0'), ...withToken(tags, 'x2') }
  world.cloud.admin.createEip({ tags: left }, world.clock.now())
  const phases = () => ['web-0', 'copy-0', 'gone-0'].map((name) => world.eipClaim(name)?.phase)
  await world.until(() => !phases().includes(undefined), 5 * minute)
  assert.deepEqual(phases(), ['Bound', 'Retained', 'Retained'])
  world.loseLedger()
  world.start()
  await world.until(() => phases()[0] === 'Bound')
  assert.deepEqual(phases(), ['Bound', 'Retained', 'Retained'])
})

function renamed(tags: Readonly<Record<string, string>>, from: string, to: string) {
  return Object.fromEntries(
    Object.entries(tags)
      .filter(([, value]) => value === from)
      .map(([key]) => [key, to]),
  )
}

function withToken(tags: Readonly<Record<string, string>>, token: string) {
  const key = Object.keys(tags).find((one) => /intent/.test(one))
  return { [known(key)]: token }
}

test('[R4] [E4] a user’s EIP that a lost ledger has left on the address of a pod that is gone is unbound: the next pod has the address alone', async (t) => {
  const world = await EipWorld.start(t)
  world.cloud.admin.createEip({ id: 'eip-xxx1' }, world.clock.now())
  const uid = world.run('node-1', 'web-0', { ids: 'eip-xxx1' })
  const { privateIp } = await world.untilEip(uid)
  world.loseLedger()
  world.stop(uid)
  world.start()
  await world.until(() => world.published('node-1').length > 0 && world.ledger.complete())
  await world.until(() => world.eips().join().includes('eip-xxx1 UNBIND'), 10 * second)
  const next = { ...podOn('node-1', 'other', { uid: 'uid-other' }), ip: privateIp }
  world.kube.pods.put(next.uid, next)
  await world.clock.advance(5 * minute)
  assert.equal(world.holderOf('eip-xxx1'), undefined)
  await world.untilEip(await world.runSoon('node-2', 'web-0', { ids: 'eip-xxx1' }))
})

test('[R4] [E2] a kept one whose pod has ended while there was no ledger is unbound', async (t) => {
  const world = await EipWorld.start(t)
  const uid = world.run('node-1', 'web-0', kept)
  const { eipId } = await world.untilEip(uid)
  world.loseLedger()
  world.stop(uid)
  world.start()
  await world.until(() => world.eipState('web-0') === `Retained ${eipId}`)
  assert.equal(world.holderOf(eipId), undefined)
})

test('[R1] [R7] what a survey would give back is asked about again before it goes: a claim may have it by then', async (t) => {
  const world = EipWorld.of(t)
  let slow = ''
  const released: string[] = []
  world.between = (cloud): Transport => ({
    async request(product, action, params, options) {
      const { AddressIds = [] } = params as { readonly AddressIds?: readonly string[] }
      if (action === 'ReleaseAddresses') released.push(...AddressIds)
      if (action === 'ReleaseAddresses' && AddressIds.includes(slow))
        await new Promise<void>((resolve) => world.clock.after(90 * second, resolve))
      return cloud.request(product, action, params, options)
    },
  })
  world.start()
  await world.until(() => world.addresses('node-1').length > 1 && world.addresses('node-2').length > 1)
  const [one, two] = [world.run('node-1', 'aa-0'), world.run('node-2', 'web-0')]
  const claims = [await world.untilEip(one), await world.untilEip(two)]
  const [first, other] = claims.map(({ eipId }, i) => {
    const { tags } = known(world.cloud.admin.audit(world.clock.now()).eips.find(({ id }) => id === eipId))
    const id = `eip-0000000${i}`
    world.cloud.admin.createEip({ id, tags: { ...tags, [intentTag]: `another-${i}` } }, world.clock.now())
    return id
  })
  slow = known(first)
  await world.until(() => released.includes(slow))
  world.stop(two)
  const next = world.run('node-2', 'web-0', kept, { ip: undefined })
  await world.until(
    () => world.eipClaim('web-0')?.podUid === next && world.eipClaim('web-0')?.eipId === other,
  )
  await world.clock.advance(5 * minute)
  assert.ok(!released.includes(known(other)))
  assert.equal(world.eipClaim('web-0')?.eipId, other)
})

/** One beside that of web-0. */
async function withDouble(t: Parameters<typeof EipWorld.start>[0]) {
  const world = await EipWorld.start(t, { surveyEvery: 5 * minute })
  const { eipId } = await world.untilEip(world.run('node-1', 'web-0'))
  const { tags } = known(world.cloud.admin.audit(world.clock.now()).eips.find(({ id }) => id === eipId))
  const id = 'eip-dddddddd'
  world.cloud.admin.createEip({ id, tags: { ...tags, ...withToken(tags, 'x1') } }, world.clock.now())
  return { world, isThere: () => world.eips().some((eip) => eip.startsWith(id)), id }
}

test('[R1] one of nobody that the cloud does not take back is tried again with each survey, and no sooner', async (t) => {
  const { isThere, world } = await withDouble(t)
  const calls = () => world.cloud.stats()['ReleaseAddresses']?.calls ?? 0
  world.cloud.setFaults({ ...noFaults, deny: { ReleaseAddresses: 1 } })
  await world.until(() => calls() > 0, 6 * minute)
  await world.clock.advance(2 * minute)
  const before = calls()
  await world.clock.advance(60 * minute)
  assert.ok(calls() - before >= 10 && calls() - before <= 13, `${calls() - before} in an hour`)
  world.cloud.setFaults(noFaults)
  await world.until(() => !isThere(), 6 * minute)
})

test('[R1] of one of nobody the log says what was done: unbound once, released once', async (t) => {
  const { id, isThere, world } = await withDouble(t)
  const [eni] = world.published('node-2')
  const on = known(eni?.ips[0]?.address)
  assert.ok(world.console.bindEipTo(id, known(eni).id, on))
  await world.until(() => !isThere(), 7 * minute)
  const counts = ['unbound', 'released'].map((what) => world.log.count(`EIP of nobody ${what}`))
  assert.deepEqual(counts, [1, 1])
})

test('[R1] one that has come of a token beside the one that its claim has is nobody’s', async (t) => {
  const world = await EipWorld.start(t)
  const { eipId } = await world.untilEip(world.run('node-1', 'web-0'))
  const { tags } = known(world.cloud.admin.audit(world.clock.now()).eips.find(({ id }) => id === eipId))
  world.cloud.admin.createEip({ id: 'eip-dddddddd', tags }, world.clock.now())
  await world.until(() => !world.eips().some((eip) => eip.startsWith('eip-dddddddd')), 20 * minute)
  assert.equal(world.eipClaim('web-0')?.eipId, eipId)
})
