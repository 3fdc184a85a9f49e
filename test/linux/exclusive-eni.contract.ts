// What `Linux` promises of exclusive ENIs, whatever the kernel: run on a real one and on the simulation's twin.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { linkAlias } from '../../internal/ipam/link-identity.ts'
import type { ExclusiveWiring } from '../../internal/ipam/types.ts'
import type { Linux } from '../../internal/ports.ts'
import type { Cidr } from '../../internal/value/cidr.ts'
import type { Ipv4 } from '../../internal/value/ipv4.ts'
import type { Mac } from '../../internal/value/mac.ts'

/** One to give to a pod. */
export const sampleWiring: ExclusiveWiring = {
  mac: '20:90:6f:00:00:01' as Mac,
  address: '10.0.1.10' as Ipv4,
  subnetCidr: '10.0.1.0/24' as Cidr,
  gateway: '10.0.1.1' as Ipv4,
  netns: '/run/netns/pod',
  ifname: 'eth0',
  mtu: 1500,
}

/** A node with the ENI's link, and two empty namespaces of pods. */
export interface ExclusiveNode {
  readonly linux: Linux
  /** To the first pod. */
  readonly wiring: ExclusiveWiring
  /** Path of the second pod's namespace. */
  readonly other: string
}

/** Defines the tests; each begins with the ENI on the node and ends so. `nodeOf` is asked inside of a test. */
export function holdToExclusiveEnis(nodeOf: () => Promise<ExclusiveNode>): void {
  function check(what: string, run: (node: ExclusiveNode) => Promise<void>): void {
    test(`port Linux: ${what}`, async () => {
      const node = await nodeOf()
      await run(node)
      await node.linux.takeEni(node.wiring)
      assert.ok(await linkOf(node))
    })
  }
  const linkOf = async ({ linux, wiring }: ExclusiveNode) =>
    (await linux.survey()).links.find(({ mac }) => mac === wiring.mac)

  check('[X2] an ENI that was given is in the pod, and on the node no more', async (node) => {
    const { linux, wiring } = node
    assert.deepEqual(await linux.inspectEni(wiring), ['link "eth0" is missing in the pod'])
    await linux.giveEni(wiring)
    await linux.giveEni(wiring)
    assert.deepEqual(await linux.inspectEni(wiring), [])
    assert.equal(await linkOf(node), undefined)
    assert.ok(!(await linux.links()).some(({ mac }) => mac === wiring.mac))
  })

  check('[D6] one that was taken back is on the node, down and without address', async (node) => {
    const { linux, wiring } = node
    await linux.giveEni(wiring)
    await linux.takeEni(wiring)
    await linux.takeEni(wiring)
    const link = await linkOf(node)
    assert.deepEqual([link?.up, link?.addresses, link?.name.slice(0, 3)], [false, [], 'eni'])
    await linux.apply([{ kind: 'clean-eni', mac: wiring.mac, link: link?.name ?? '' }])
    assert.deepEqual(await linkOf(node), link)
  })

  check('[R4] an ENI says where it is and whose, while a pod has it', async ({ linux, other, wiring }) => {
    const { address, ifname, mac } = wiring
    const pod = { namespace: 'default', name: 'own', uid: 'uid-own' }
    assert.deepEqual(await linux.findEnis(), [])
    for (const netns of [wiring.netns, other]) {
      const identity = { containerId: 'c1', ifname, pod, netns, address }
      await linux.giveEni({ ...wiring, netns, alias: linkAlias(identity) })
      assert.deepEqual(await linux.findEnis(), [{ ...identity, mac }])
      await linux.takeEni({ ...wiring, netns })
    }
    assert.deepEqual(await linux.findEnis(), [])
  })

  check('one that does not say whose it is is not found', async ({ linux, wiring }) => {
    await linux.giveEni({ ...wiring, alias: undefined })
    assert.deepEqual(await linux.findEnis(), [])
  })

  check('one that another pod has is neither given nor taken', async ({ linux, other, wiring }) => {
    await linux.giveEni({ ...wiring, netns: other })
    await linux.takeEni(wiring)
    await assert.rejects(linux.giveEni(wiring), { code: 'kernel' })
    assert.deepEqual(await linux.inspectEni({ ...wiring, netns: other }), [])
    await linux.takeEni({ ...wiring, netns: other })
  })

  check('[R6] none is given where there is no namespace', async (node) => {
    const { linux, wiring } = node
    const netns = '/run/netns/nosuch'
    await assert.rejects(linux.giveEni({ ...wiring, netns }), { code: 'kernel' })
    await linux.takeEni({ ...wiring, netns })
    assert.ok(await linkOf(node))
  })

  check('an ENI that the node had in use is clean once it is taken', async (node) => {
    const { linux, wiring } = node
    const { address: primaryIp, gateway, mac, subnetCidr } = wiring
    const link = (await linkOf(node))?.name ?? ''
    await linux.apply([{ kind: 'set-up-eni', eni: { mac, primaryIp, subnetCidr, gateway }, link }])
    await linux.takeEni(wiring)
    const { routes } = await linux.survey()
    assert.deepEqual([routes, (await linkOf(node))?.up, (await linkOf(node))?.addresses], [[], false, []])
  })
}
