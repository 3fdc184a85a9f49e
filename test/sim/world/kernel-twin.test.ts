import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { systemClock } from '../../../internal/base/clock.ts'
import { seededRandom } from '../../../internal/base/random.ts'
import type { Ipv4 } from '../../../internal/value/ipv4.ts'
import { holdToExclusiveEnis, sampleWiring } from '../../linux/exclusive-eni.contract.ts'
import { KernelTwin } from './kernel-twin.ts'
import { immortal, newMachine, Process } from './process.ts'

const wiring = sampleWiring
const other = '/run/netns/other'

function twin() {
  const kernel = new KernelTwin(2000)
  kernel.setEnis([wiring.mac])
  for (const netns of [wiring.netns, other]) kernel.namespaces.add(netns)
  const machine = newMachine('n1', seededRandom(1))
  const linux = kernel.linux(new Process(machine, systemClock, immortal, () => {}))
  return { kernel, linux, wiring, other }
}

describe('KernelTwin', () => {
  holdToExclusiveEnis(() => Promise.resolve(twin()))

  test('destroyNamespace() brings its exclusive ENI back to the node, as the kernel does with hardware', async () => {
    const { kernel, linux } = twin()
    await linux.giveEni(wiring)
    kernel.destroyNamespace(other)
    assert.deepEqual([...kernel.given.keys()], [wiring.mac])
    kernel.destroyNamespace(wiring.netns)
    assert.deepEqual(
      [...kernel.links.values()],
      [{ name: 'dev2', index: 2, mac: wiring.mac, up: false, addresses: [] }],
    )
    assert.equal(kernel.given.size, 0)
  })

  test('setEnis() takes an ENI away that a pod has, and adds none that a pod has', async () => {
    const { kernel, linux } = twin()
    await linux.giveEni(wiring)
    kernel.setEnis([wiring.mac])
    assert.equal(kernel.links.size, 0)
    kernel.setEnis([])
    assert.equal(kernel.given.size, 0)
  })

  test('giveEni() refuses a name that the namespace has', async () => {
    const { kernel, linux } = twin()
    kernel.podLinks.set('tke1', { address: '10.0.1.99' as Ipv4, netns: wiring.netns, ifname: 'eth0' })
    await assert.rejects(linux.giveEni(wiring), { code: 'kernel' })
    assert.equal(kernel.links.size, 1)
  })
})
