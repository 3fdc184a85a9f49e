// Static addresses from pod to pod: reserved, bound where the pod is, kept when it ends, moved when it comes back elsewhere.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TencentError } from '../../internal/vpc/transport.ts'
import { known } from '../given.ts'
import { ClaimWorld, minute, second } from './claim-world.ts'
import { podOn } from './leader-world.ts'

test('[S1][S4] a static pod gets an address that is reserved for it and shown to its node alone', async (t) => {
  const world = await ClaimWorld.start(t)
  assert.deepEqual(world.cloudEnis(), [])
  world.put('node-1', 'web-0')
  const address = await world.untilBound('web-0', 'node-1')
  assert.deepEqual(world.addresses('node-1'), [address])
  assert.deepEqual(world.differences(), [])
  const claim = known(world.claim('web-0'))
  assert.match(claim.reservation ?? '', /^rsvip-/)
})

test('[S4] when the pod ends its address stays, and the next of its name on the node has it at once', async (t) => {
  const world = await ClaimWorld.start(t)
  const uid = world.put('node-1', 'web-0')
  const address = await world.untilBound('web-0', 'node-1')
  const [before] = world.publishedFor('node-1', 'web-0')
  world.kube.pods.remove(uid)
  await world.clock.advance(second)
  const retained = known(world.claim('web-0'))
  assert.deepEqual([retained.phase, retained.address, retained.podUid], ['Retained', address, undefined])
  world.giveBack('node-1', [known(before)])
  await world.clock.advance(10 * second)
  world.put('node-1', 'web-0', 2)
  assert.equal(await world.untilBound('web-0', 'node-1'), address)
  const [after] = world.publishedFor('node-1', 'web-0')
  assert.ok(known(after).grant > known(before).grant, 'what was returned is granted anew')
  assert.equal(world.claim('web-0')?.generation, 2)
})

test('[S4][R7] on another node it has the same address, once the node before has given that back', async (t) => {
  const world = await ClaimWorld.start(t)
  const uid = world.put('node-1', 'web-0')
  const address = await world.untilBound('web-0', 'node-1')
  const [before] = world.publishedFor('node-1', 'web-0')
  world.kube.pods.remove(uid)
  world.put('node-2', 'web-0', 2)
  await world.clock.advance(minute)
  const waiting = known(world.claim('web-0'))
  assert.deepEqual([waiting.phase, waiting.reason], ['Attaching', 'StaticIPInUse'])
  assert.match(waiting.message, /node node-1 has not given it back/)
  world.giveBack('node-1', [known(before)])
  assert.equal(await world.untilBound('web-0', 'node-2'), address)
  assert.deepEqual(world.publishedFor('node-1', 'web-0'), [])
  await world.clock.advance(30 * second)
  assert.deepEqual(world.differences(), [])
})

test('[S13] without a pod it leaves its ENI after a while, and is kept by its reservation alone', async (t) => {
  const world = await ClaimWorld.start(t)
  const uid = world.put('node-1', 'web-0')
  const address = await world.untilBound('web-0', 'node-1')
  const [before] = world.publishedFor('node-1', 'web-0')
  world.kube.pods.remove(uid)
  await world.clock.advance(second)
  world.giveBack('node-1', [known(before)])
  await world.clock.advance(10 * minute)
  assert.deepEqual(world.cloudEnis(), [], 'its ENI has nothing to carry any more')
  const retained = known(world.claim('web-0'))
  assert.deepEqual([retained.phase, retained.address, retained.eniId], ['Retained', address, undefined])
  world.put('node-2', 'web-0', 2)
  assert.equal(await world.untilBound('web-0', 'node-2'), address)
})

test('[S3] a pod that keeps nothing has a claim as long as it lives', async (t) => {
  const world = await ClaimWorld.start(t)
  world.addPods('node-1', 'job')
  await world.clock.advance(20 * second)
  const [address] = world.addresses('node-1')
  assert.equal(world.claim('job')?.phase, 'Pending')
  world.kube.pods.put('uid-job', podOn('node-1', 'job', { ip: known(address) }))
  await world.clock.advance(second)
  const bound = known(world.claim('job'))
  assert.deepEqual([bound.phase, bound.policy, bound.address], ['Bound', 'Immediate', address])
  world.kube.pods.remove('uid-job')
  await world.clock.advance(second)
  assert.equal(world.claim('job'), undefined)
})

test('[S5] it is given up when its time is over, and not before', async (t) => {
  const world = await ClaimWorld.start(t, { claimExpiry: 10 * minute })
  const uid = world.put('node-1', 'web-0')
  const other = world.put('node-1', 'web-1', 1, { claim: { expireAfter: 60 * minute } })
  await world.untilBound('web-0', 'node-1')
  await world.untilBound('web-1', 'node-1')
  const all = world.published('node-1').flatMap(({ ips }) => ips)
  world.kube.pods.remove(uid)
  world.kube.pods.remove(other)
  await world.clock.advance(second)
  world.giveBack('node-1', all)
  await world.clock.advance(9 * minute)
  assert.equal(world.claim('web-0')?.phase, 'Retained')
  await world.clock.advance(3 * minute)
  assert.equal(world.claim('web-0'), undefined)
  assert.equal(world.claim('web-1')?.phase, 'Retained')
})

test('[S5] time without a leader counts as far as two clocks agree on it; a clock that was set a year ahead takes nothing', async (t) => {
  const world = await ClaimWorld.start(t, { claimExpiry: 10 * minute })
  const uid = world.put('node-1', 'web-0')
  await world.untilBound('web-0', 'node-1')
  world.kube.pods.remove(uid)
  await world.clock.advance(2 * minute)
  world.crash()
  await world.clock.advance(4 * minute)
  world.start()
  await world.clock.advance(minute)
  const { now } = world.ledger.expiryClock()
  assert.ok(now > 6 * minute && now <= 8 * minute, `${now} ms have passed`)
  world.crash()
  world.machine.skewMs += 365 * 24 * 60 * minute
  world.start()
  await world.clock.advance(minute)
  assert.equal(world.claim('web-0')?.phase, 'Retained')
  await world.clock.advance(5 * minute)
  assert.notEqual(world.claim('web-0')?.phase, 'Retained')
})

/** Refuses reservations as `refuse` says; returns the tokens that they were asked for with. */
function refuseReservations(world: ClaimWorld, refuse: (tokens: readonly unknown[]) => string | undefined) {
  const tokens: unknown[] = []
  world.between = (transport) => ({
    async request(product, action, params, options) {
      if (action !== 'CreateReserveIpAddresses') return transport.request(product, action, params, options)
      tokens.push((params as Readonly<Record<string, unknown>>)['ClientToken'])
      const code = refuse(tokens)
      if (code !== undefined) throw new TencentError({ message: 'no', code, sent: true })
      return transport.request(product, action, params, options)
    },
  })
  return tokens
}

test('[S13] after a refusal another subnet is asked under another token, which the cloud would not take twice', async (t) => {
  const world = ClaimWorld.of(t)
  const tokens = refuseReservations(world, ({ length }) =>
    length === 1 ? 'ResourceInsufficient.Subnet' : undefined,
  )
  world.start()
  world.put('node-1', 'web-0')
  await world.untilBound('web-0', 'node-1')
  assert.equal(new Set(tokens).size, 2)
})

test('[R2][S13] a token that the cloud knows for something else that is no more is given up, and no sooner', async (t) => {
  // The claim asked with it for ever.
  const world = ClaimWorld.of(t)
  const tokens = refuseReservations(world, (all) =>
    all.at(-1) === all[0] ? 'UnsupportedOperation.IdempotentParameterMismatch' : undefined,
  )
  world.start()
  world.put('node-1', 'web-0')
  await world.clock.advance(5 * second)
  assert.equal(new Set(tokens).size, 1)
  await world.untilBound('web-0', 'node-1')
  assert.equal(new Set(tokens).size, 2)
})

test('[R2][R7] what a lost call has reserved is found when the clock was set back meanwhile, and the subnet has nothing left', async (t) => {
  const world = ClaimWorld.of(t)
  let isLast = false
  world.between = (transport) => ({
    async request(product, action, params, options) {
      const answer = await transport.request(product, action, params, options)
      if (!isLast) return answer
      if (action === 'CreateReserveIpAddresses')
        throw new TencentError({ message: 'lost', code: 'timeout', sent: true })
      if (action !== 'DescribeSubnets') return answer
      const { SubnetSet } = answer as { readonly SubnetSet: readonly object[] }
      return { ...answer, SubnetSet: SubnetSet.map((subnet) => ({ ...subnet, AvailableIpAddressCount: 0 })) }
    },
  })
  world.start()
  world.put('node-1', 'web-1')
  await world.untilBound('web-1', 'node-1')
  isLast = true
  world.put('node-1', 'web-0')
  await world.until(() => world.reserved().length === 2)
  world.crash()
  assert.deepEqual([world.reserved().length, world.claim('web-0')?.address], [2, undefined])
  world.machine.skewMs -= 365 * 24 * 60 * minute
  world.start()
  assert.ok(world.reserved().includes(await world.untilBound('web-0', 'node-1')))
})
