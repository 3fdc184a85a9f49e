// What stands in the way of EIPs: what the user is told, and that it goes on when it is mended.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { noFaults } from '../../../internal/sim/vpc/settings.ts'
import { TencentError, type Transport } from '../../../internal/vpc/transport.ts'
import { ip, known } from '../../given.ts'
import { podOn } from '../leader-world.ts'
import { EipWorld, eipOf, minute, second } from './eip-world.ts'

test('[E1] what its annotations say wrong is told with what is allowed, and nothing is made', async (t) => {
  const world = await EipWorld.start(t)
  world.run('node-1', 'web-0', { attributes: '{"Bandwidth":"0"}' })
  world.run('node-1', 'web-1', { attributes: '{}' }, { hostNetwork: true })
  await world.clock.advance(minute)
  const messages = world.kube.notices
    .filter(({ reason }) => reason === 'EIPRefused')
    .map(({ message }) => message)
  assert.equal(messages.length, 2)
  assert.match(messages.join(), /Bandwidth is "0"; allowed is a whole number of 1 to 100/)
  assert.match(messages.join(), /node's network; allowed are/)
  assert.deepEqual([world.eips(), world.ledger.eips.any()], [[], false])
})

test('[E8] without the permission the event names policy and role; other pods go on, and it resumes when granted', async (t) => {
  const world = await EipWorld.start(t)
  const deny = { AllocateAddresses: 1, DescribeAddresses: 1 }
  world.cloud.setFaults({ ...noFaults, deny })
  const uid = world.run('node-1', 'web-0')
  await world.untilTold('web-0')
  const { message } = known(world.kube.notices.find(({ about }) => about.name === 'web-0'))
  assert.match(message, /QcloudAccessForIPAMDRoleInQcloudAllocateEIP/)
  assert.match(message, /IPAMDofTKE_QCSRole/)
  world.put('node-1', 'db-0')
  await world.untilBound('db-0', 'node-1')
  await world.clock.advance(10 * minute)
  assert.deepEqual(world.podReasons('web-0'), ['FailedAllocateEIP'])
  world.cloud.setFaults(noFaults)
  await world.untilEip(uid)
})

test('[E8] that EIPs may not be looked at is said of none that is where it should be', async (t) => {
  const world = await EipWorld.start(t)
  await world.untilEip(world.run('node-1', 'web-0'))
  world.cloud.setFaults({ ...noFaults, deny: { DescribeAddresses: 1 } })
  await world.clock.advance(5 * minute)
  world.run('node-1', 'web-1')
  await world.until(() => world.eipClaim('web-1')?.reason === 'FailedAllocateEIP')
  assert.match(known(world.eipClaim('web-1')).message, /Allow cvm:DescribeAddresses/)
  assert.ok(!world.podReasons('web-0').includes('FailedAssociateEIP'))
  assert.match(world.eipState('web-0'), /^Bound/)
  assert.equal(world.eipClaim('web-0')?.reason, '')
})

test('[E11] a quota that is used up is told with its figures, and waited for', async (t) => {
  const world = await EipWorld.start(t)
  world.cloud.setLimits({ eips: 1 })
  const { id } = world.cloud.admin.createEip({}, world.clock.now())
  const uid = world.run('node-1', 'web-0')
  await world.untilTold('web-0')
  assert.deepEqual(world.podReasons('web-0'), ['FailedAllocateEIP'])
  assert.match(world.eipClaim('web-0')?.message ?? '', /AddressQuotaLimitExceeded.*1 of 1/s)
  world.cloud.admin.releaseEip(id, world.clock.now())
  await world.untilEip(uid)
})

test('[E5] an instance that takes no more says so; the pod has its EIP when another is gone', async (t) => {
  const world = await EipWorld.start(t)
  const uids: string[] = []
  for (const name of ['a', 'b', 'c']) uids.push(await world.runSoon('node-1', name))
  await world.until(() => world.ledger.eips.where('Bound').length === 2)
  await world.until(() => world.ledger.eips.where('Attaching').some(({ reason }) => reason !== ''))
  const waiting = known(world.ledger.eips.where('Attaching')[0])
  assert.equal(waiting.reason, 'FailedAssociateEIP')
  assert.match(waiting.message, /InstanceAddressQuota.*run the pod on another node$/s)
  const uid = known(uids.find((one) => !one.includes(`-${waiting.name}-`)))
  world.stop(uid)
  await world.untilEip(known(waiting.podUid))
})

test('[E1] arrears are told, and it goes on when they are paid', async (t) => {
  const world = await EipWorld.start(t)
  const { id } = world.cloud.admin.createEip({ id: 'eip-xxx1' }, world.clock.now())
  world.cloud.admin.troubleEip(id, { arrears: true }, world.clock.now())
  const uid = world.run('node-1', 'web-0', { ids: id })
  await world.untilTold('web-0')
  assert.deepEqual(world.podReasons('web-0'), ['EipInArrears'])
  world.cloud.admin.troubleEip(id, { arrears: false }, world.clock.now())
  await world.untilEip(uid)
})

for (const action of [
  'AllocateAddresses',
  'AssociateAddress',
  'DisassociateAddress',
  'ReleaseAddresses',
] as const)
  test(`a task of ${action} that fails is told, and tried again`, async (t) => {
    const world = await EipWorld.start(t)
    world.cloud.setFaults({ ...noFaults, failTasks: { [action]: 1 } })
    const uid = world.run('node-1', 'web-0')
    if (action.startsWith('A')) await world.untilTold('web-0')
    else await world.untilEip(uid)
    if (!action.startsWith('A')) {
      world.stop(uid)
      await world.untilTold('web-0')
    }
    const told = { AllocateAddresses: 'FailedAllocateEIP', AssociateAddress: 'FailedAssociateEIP' } as const
    const others = {
      DisassociateAddress: 'FailedDisassociateEIP',
      ReleaseAddresses: 'FailedReleaseEIP',
    } as const
    const reason = { ...told, ...others }[action]
    assert.ok(
      world.podReasons('web-0').every((one) => one === reason),
      `${world.podReasons('web-0')}`,
    )
    if (action !== 'AllocateAddresses') {
      await world.clock.advance(20_000)
      const claim = world.eipClaim('web-0')
      assert.equal(claim?.reason, reason)
      assert.match(claim.message, /came to nothing; it is tried again/)
    }
    world.cloud.setFaults(noFaults)
    if (action.startsWith('A')) await world.untilEip(uid)
    else await world.until(() => !world.ledger.eips.any())
    assert.equal(world.eipClaim('web-0')?.message ?? '', '')
    assert.equal(world.eips().length, action.startsWith('A') ? 1 : 0)
  })

test('[R5] EIPs that the cloud agrees to make and does not make are asked for ever more slowly', async (t) => {
  const world = await EipWorld.start(t)
  world.cloud.setFaults({ ...noFaults, failTasks: { AllocateAddresses: 1 } })
  const uid = world.run('node-1', 'web-0')
  const calls = () => world.cloud.stats()['AllocateAddresses']?.calls ?? 0
  await world.clock.advance(15 * minute)
  const { message, phase } = known(world.eipClaim('web-0'))
  assert.deepEqual({ phase, isTold: message.includes('after a pause') }, { phase: 'Pending', isTold: true })
  const first = calls()
  assert.ok(first >= 4 && first <= 16, `${first} in 15 minutes`)
  await world.clock.advance(30 * minute)
  assert.ok(calls() - first >= 3 && calls() - first <= 10, `${calls() - first} in the next 30`)
  world.cloud.setFaults(noFaults)
  await world.clock.advance(6 * minute)
  assert.equal(world.eipClaim('web-0')?.phase, 'Bound')
  await world.untilEip(uid)
})

test('[E1][R5] none is made for a pod that it could not be bound for; it is told', async (t) => {
  const world = await EipWorld.start(t)
  const strange = ip('10.77.0.5')
  const where = { 'on-virtual': ['virtual-1', strange], 'with-strange': ['node-1', strange] } as const
  for (const [name, [node, address]] of Object.entries(where))
    world.kube.pods.put(name, podOn(node, name, { uid: name, ip: address, eip: eipOf(name) }))
  await world.clock.advance(10 * minute)
  assert.deepEqual(world.eips(), [])
  for (const name of Object.keys(where)) {
    assert.deepEqual(world.podReasons(name), ['NoPodAddress'])
    assert.match(known(world.eipClaim(name)).message, /^Cannot give the pod its EIP: its node has no pool/)
  }
})

test('[E1] an EIP that waits for its pod to have an address says so', async (t) => {
  const world = await EipWorld.start(t)
  const pod = podOn('node-1', 'web-0', { uid: 'uid-web', ip: undefined, eip: eipOf('web-0') })
  world.kube.pods.put(pod.uid, pod)
  await world.until(() => world.eipClaim('web-0')?.reason === 'NoPodAddress')
  assert.match(world.eipState('web-0'), /^Attaching eip-/)
  world.kube.pods.put(pod.uid, { ...pod, ip: known(world.addresses('node-1')[0]) })
  await world.untilEip(pod.uid)
})

test('[R5] a pod has its EIP however long each look takes, and no more looks are asked for', async (t) => {
  const world = EipWorld.of(t)
  let asked = 0
  world.between = (cloud): Transport => ({
    async request(product, action, params, options) {
      if (action === 'DescribeAddresses') {
        asked++
        await new Promise<void>((resolve) => world.clock.after(12 * second, resolve))
      }
      return cloud.request(product, action, params, options)
    },
  })
  world.start()
  await world.until(() => world.addresses('node-1').length > 1 && world.addresses('node-2').length > 1)
  const before = asked
  const uid = world.run('node-1', 'web-0')
  await world.untilEip(uid)
  assert.ok(asked - before < 12, `${asked - before} looks`)
  world.stop(uid)
  await world.until(() => !world.ledger.eips.any())
  assert.deepEqual(world.eips(), [])
})

test('[R2] a call that was throttled before it got no answer may happen as long as any other: none follows until then', async (t) => {
  const world = EipWorld.of(t)
  const sent: number[] = []
  const inVain = (code: string): never => {
    throw new TencentError({ message: 'refused', code, requestId: 'r-1' })
  }
  world.between = (cloud): Transport => ({
    async request(product, action, params, options) {
      if (action !== 'AssociateAddress') return cloud.request(product, action, params, options)
      sent.push(world.clock.now())
      if (sent.length < 8) return inVain('RequestLimitExceeded')
      if (sent.length > 8) return cloud.request(product, action, params, options)
      world.clock.after(
        29 * second,
        () => void cloud.request(product, action, params, options).catch(() => {}),
      )
      return inVain('InternalError')
    },
  })
  world.start()
  await world.until(() => world.addresses('node-1').length > 1)
  const uid = world.run('node-1', 'web-0')
  await world.untilEip(uid)
  await world.clock.advance(minute)
  const [first, last] = [known(sent[0]), known(sent[7])]
  assert.ok(last - first > 10 * second, `${last - first} ms later`)
  assert.equal(sent.length, 8)
})

test('[E8][E11] what a pod is told is what is so now', async (t) => {
  const world = await EipWorld.start(t)
  world.cloud.setFaults({ ...noFaults, deny: { AllocateAddresses: 1 } })
  world.run('node-1', 'web-0')
  await world.untilTold('web-0')
  world.cloud.setLimits({ eips: 0 })
  world.cloud.setFaults(noFaults)
  await world.clock.advance(2 * minute)
  assert.match(known(world.eipClaim('web-0')).message, /AddressQuotaLimitExceeded/)
  assert.equal(world.podReasons('web-0').length, 2)
})

test('[E4] a list that is mended counts for the pod that is there', async (t) => {
  const world = await EipWorld.start(t)
  world.cloud.admin.createEip({ id: 'eip-good' }, world.clock.now())
  const uid = world.run('node-1', 'web-0', { ids: 'eip-gone' })
  await world.untilTold('web-0')
  const pod = known(world.kube.pods.items.get(uid))
  world.kube.pods.put(uid, { ...pod, eip: eipOf('web-0', { ids: 'eip-good' }) })
  assert.equal((await world.untilEip(uid)).eipId, 'eip-good')
})
