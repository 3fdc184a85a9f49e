// What pods with EIPs send keeps its source, from bind to unbind, whatever becomes of the leader.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EipWorld, minute, second } from './eip-world.ts'

const theirs = '{"MasqLinkLocal":true}'

test('[E9] an address is told to ip-masq-agent when its EIP is bound, and taken back when it is not', async (t) => {
  const world = await EipWorld.start(t)
  world.kube.masqConfig = { text: theirs }
  const uid = world.run('node-1', 'web-0')
  const { privateIp } = await world.untilEip(uid)
  await world.clock.advance(3 * second)
  const told = () => JSON.parse(world.kube.masqConfig?.text ?? '').NonMasqueradeSrcCIDRs as unknown
  assert.deepEqual(told(), [`${privateIp}/32`])
  world.stop(uid)
  await world.until(() => world.eipClaim('web-0') === undefined)
  await world.clock.advance(3 * second)
  assert.equal(world.kube.masqConfig?.text, theirs)
})

test('[E9] [R10] it stays told while a leader makes its ledger anew', async (t) => {
  const world = await EipWorld.start(t)
  world.kube.masqConfig = { text: theirs }
  const { privateIp } = await world.untilEip(
    world.run('node-1', 'web-0', { attributes: '', policy: 'Never' }),
  )
  await world.clock.advance(minute)
  world.loseLedger()
  world.start()
  for (let i = 0; i < 120; i++) {
    await world.clock.advance(second)
    assert.match(world.kube.masqConfig?.text ?? '', new RegExp(`"${privateIp}/32"`))
  }
  assert.equal(world.eipClaim('web-0')?.phase, 'Bound')
})
