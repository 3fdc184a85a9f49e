// An address that carries an EIP does not leave its ENI, nor does the ENI its node, before the EIP has left it; in all modes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { noFaults } from '../../../internal/sim/vpc/settings.ts'
import type { Transport } from '../../../internal/vpc/transport.ts'
import { known, warm } from '../../given.ts'
import { podOn } from '../leader-world.ts'
import { EipWorld, eipOf, minute, second } from './eip-world.ts'

/** What was sent that takes an address off its ENI while an EIP was on it. */
function watchLeaving(world: EipWorld): string[] {
  const odd: string[] = []
  const carrying = (address: unknown) =>
    world.cloud.admin.audit(world.clock.now()).eips.some(({ privateIp }) => privateIp === address)
  world.between = (cloud): Transport => ({
    request(product, action, params, options) {
      const {
        NetworkInterfaceId: eni,
        PrivateIpAddress: one,
        PrivateIpAddresses: some,
      } = params as {
        NetworkInterfaceId?: string
        PrivateIpAddress?: string
        PrivateIpAddresses?: readonly { PrivateIpAddress: string }[]
      }
      const takes = ['UnassignPrivateIpAddresses', 'MigratePrivateIpAddress']
      const named = takes.includes(action) ? [one, ...(some ?? []).map((each) => each.PrivateIpAddress)] : []
      const ofEni = ['DetachNetworkInterface', 'DeleteNetworkInterface'].includes(action)
        ? world.cloud.admin
            .audit(world.clock.now())
            .ips.filter(({ eniId }) => eniId === eni)
            .map(({ address }) => address)
        : []
      for (const address of [...named, ...ofEni]) if (carrying(address)) odd.push(`${action} ${address}`)
      return cloud.request(product, action, params, options)
    },
  })
  return odd
}

test('[E7] a pod with an ENI of its own has an EIP on that; it leaves it before the ENI goes', async (t) => {
  const defaults = { ...warm(0, 0), exclusive: { minWarm: 1, maxWarm: 1 } }
  const world = EipWorld.of(t, { exclusiveEnis: true, defaults })
  const odd = watchLeaving(world)
  world.start()
  await world.until(() => world.published('node-1').some(({ mode }) => mode === 'exclusive'))
  const [eni] = world.published('node-1')
  const ip = known(known(eni).ips[0])
  const pod = podOn('node-1', 'alone', {
    uid: 'uid-alone',
    wants: 'exclusive',
    ip: ip.address,
    eip: eipOf('alone'),
  })
  world.kube.pods.put(pod.uid, pod)
  const claim = await world.untilEip(pod.uid)
  assert.equal(claim.eniId, known(eni).id)
  world.stop(pod.uid)
  world.giveBack('node-1', [ip])
  await world.until(() => world.eips().length === 0 && !world.addresses('node-1').includes(ip.address))
  await world.clock.advance(minute)
  assert.deepEqual([odd, world.eips(), world.differences()], [[], [], []])
})

test('[S13] a parked address moves from node to node without the EIP, which comes after', async (t) => {
  const world = EipWorld.of(t)
  const odd = watchLeaving(world)
  world.cloud.setFaults({ ...noFaults, deny: { CreateReserveIpAddresses: 1 } })
  world.start()
  const asked = { attributes: '', policy: 'Never' }
  const uid = world.runStatic('node-1', 'db-0', asked)
  await world.untilServed('db-0')
  const { address } = known(world.claim('db-0'))
  world.show(uid, known(address))
  const { eipId } = await world.untilEip(uid)
  await world.end(uid)
  const next = world.runStatic('node-2', 'db-0', asked)
  await world.until(() => world.claim('db-0')?.node === 'node-2' && world.claim('db-0')?.phase === 'Bound')
  world.show(next, known(address))
  const moved = await world.untilEip(next)
  assert.deepEqual([moved.eipId, moved.privateIp, odd], [eipId, address, []])
})

test('[R7] an EIP that cannot be unbound keeps the address where it is, and the pod waits; then both move', async (t) => {
  const world = EipWorld.of(t)
  const odd = watchLeaving(world)
  world.start()
  await world.until(() => world.addresses('node-1').length > 1)
  const asked = { attributes: '', policy: 'Never' }
  const uid = world.runStatic('node-1', 'db-0', asked)
  const address = await world.untilBound('db-0', 'node-1')
  world.show(uid, address)
  await world.untilEip(uid)
  world.cloud.setFaults({ ...noFaults, deny: { DisassociateAddress: 1 } })
  await world.end(uid)
  const next = world.runStatic('node-2', 'db-0', asked)
  await world.clock.advance(3 * minute)
  assert.notEqual(world.claim('db-0')?.phase, 'Bound')
  assert.equal(world.ledger.nodeOf(address), 'node-1')
  assert.ok(world.podReasons('db-0').includes('FailedDisassociateEIP'))
  assert.equal(
    world.claim('db-0')?.message,
    `Cannot bind ${address} to node node-2 yet: ${world.eipClaim('db-0')?.eipId} has to leave it first; see the EIPClaim of the pod`,
  )
  world.cloud.setFaults(noFaults)
  await world.until(() => world.claim('db-0')?.phase === 'Bound')
  world.show(next, address)
  await world.untilEip(next)
  assert.deepEqual(odd, [])
})

test('[R7] a node that is gone leaves its ENIs to nobody before their EIPs are off them', async (t) => {
  const world = EipWorld.of(t)
  const odd = watchLeaving(world)
  world.start()
  await world.until(() => world.addresses('node-1').length > 1)
  const uid = world.run('node-1', 'web-0', { attributes: '', policy: 'Never' })
  const { eipId } = await world.untilEip(uid)
  world.stop(uid)
  world.kube.nodes.remove('node-1')
  await world.until(() => world.ledger.node('node-1') === undefined, 5 * minute)
  assert.equal(world.ledger.node('node-1'), undefined)
  assert.equal(world.eipState('web-0'), `Retained ${eipId}`)
  assert.deepEqual(odd, [])
})

test('a pod that gets the address of one that has gone waits until that one’s EIP is off it', async (t) => {
  const world = await EipWorld.start(t)
  const uid = world.run('node-1', 'a')
  const { privateIp } = await world.untilEip(uid)
  world.stop(uid)
  const next = world.run('node-1', 'b', undefined, { ip: known(privateIp) })
  await world.clock.advance(second)
  const claim = await world.untilEip(next)
  assert.equal(claim.privateIp, privateIp)
  await world.until(() => world.eips().length === 1)
  assert.equal(world.eips().length, 1)
})

test('a pod that does not ask for an EIP any more shows none, and has none', async (t) => {
  const world = await EipWorld.start(t)
  const uid = world.run('node-1', 'a')
  await world.untilEip(uid)
  const { eip: _, ...others } = known(world.kube.pods.items.get(uid))
  world.kube.pods.put(uid, others)
  await world.until(() => world.eipClaim('a') === undefined)
  assert.deepEqual([world.eips(), world.shownBy(uid), world.eipState('a')], [[], undefined, 'none'])
})

test('[E7] the NEC says whose an address with an EIP is before the EIP comes to it, and until it has left it', async (t) => {
  const world = EipWorld.of(t)
  const shown = (node: string, address: unknown) =>
    world
      .published(node)
      .flatMap(({ ips }) => ips)
      .find((ip) => ip.address === address)?.eipFor
  const said: unknown[] = []
  world.between = (cloud): Transport => ({
    request(product, action, params, options) {
      if (action === 'AssociateAddress')
        said.push(shown('node-1', (params as { PrivateIpAddress: string }).PrivateIpAddress))
      return cloud.request(product, action, params, options)
    },
  })
  world.start()
  await world.until(() => world.addresses('node-1').length > 1)
  const uid = world.run('node-1', 'web-0')
  const { eipId, privateIp } = await world.untilEip(uid)
  assert.deepEqual(said, [uid])
  assert.equal(shown('node-1', privateIp), uid)
  world.stop(uid)
  const isOn = () => world.holderOf(eipId) !== undefined
  while (isOn()) {
    assert.notEqual(shown('node-1', privateIp), undefined)
    await world.clock.advance(100)
  }
  await world.until(() => shown('node-1', privateIp) === undefined)
  assert.equal(shown('node-1', privateIp), undefined)
})

test('[E4] [E9] what its user takes off a pod and binds elsewhere the pod does not show any more, and sends nothing with', async (t) => {
  const world = await EipWorld.start(t)
  const { id } = world.cloud.admin.createEip({ id: 'eip-xxx1' }, world.clock.now())
  const uid = world.run('node-1', 'web-0', { ids: id })
  await world.untilEip(uid)
  world.console.unbindEip(id)
  const elsewhere = world.addInstance()
  await world.until(() => world.console.bindEip(id, elsewhere) || world.eips()[0]?.includes('BIND ') === true)
  await world.until(() => world.eipClaim('web-0')?.reason === 'EipInUse', 10 * minute)
  assert.equal(world.eipState('web-0'), 'Attaching eip-xxx1')
  await world.until(() => world.shownBy(uid) === undefined)
  assert.doesNotMatch(world.kube.masqConfig?.text ?? '', /10\.0\.1\./)
})

test('[E1] what somebody takes off a pod comes back, and meanwhile the claim does not say that it is there', async (t) => {
  const world = await EipWorld.start(t)
  const uid = world.run('node-1', 'web-0')
  const { eipId } = await world.untilEip(uid)
  world.cloud.setFaults({ ...noFaults, deny: { AssociateAddress: 1 } })
  world.console.unbindEip(known(eipId))
  await world.until(() => world.eipClaim('web-0')?.phase === 'Attaching', 10 * minute)
  await world.untilTold('web-0')
  assert.equal(world.shownBy(uid), undefined)
  world.cloud.setFaults(noFaults)
  await world.untilEip(uid)
})

test('[R1] of two pods that show one address none has an EIP there until it is seen whose it is', async (t) => {
  const world = await EipWorld.start(t)
  const [address] = world.addresses('node-1')
  world.kube.pods.put('uid-old', podOn('node-1', 'old', { uid: 'uid-old', ip: address }))
  const uid = world.run('node-1', 'web-0', undefined, { ip: address })
  await world.clock.advance(5 * minute)
  assert.match(world.eips().join(), /^eip-\S+ UNBIND/)
  world.stop('uid-old')
  await world.untilEip(uid)
})
