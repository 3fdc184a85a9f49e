import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { hostLinkName } from '../../../internal/ipam/host-link.ts'
import { planRepair } from '../../../internal/ipam/plan-repair.ts'
import { rpFilterKey } from '../../../internal/ipam/sysctl-keys.ts'
import type { EniWiring, PodWiring } from '../../../internal/ipam/types.ts'
import { runCommand } from '../../../internal/linux/command.ts'
import { inNetns } from '../../../internal/linux/netns.ts'
import type { Linux } from '../../../internal/ports.ts'
import { createFabric, type Fabric, type Outside } from '../../../internal/sim/fabric/fabric.ts'
import type { FabricEni, FabricNode } from '../../../internal/sim/fabric/plan-fabric.ts'
import { type Cidr, gatewayOf } from '../../../internal/value/cidr.ts'
import type { Ipv4 } from '../../../internal/value/ipv4.ts'
import type { Mac } from '../../../internal/value/mac.ts'
import { startLinuxProcess } from '../../linux/linux-process.ts'
import { sandboxed } from '../../linux/sandboxed.ts'

// Two nodes in two zones; each has its own ENI in the node subnet and two for pods, in two pod subnets of its zone.
const podsPerEni = 2

function eniOf(node: number, deviceIndex: number): FabricEni {
  const subnet = deviceIndex === 0 ? `10.0.${node}` : `10.${node}.${deviceIndex}`
  return {
    mac: `20:90:6f:00:0${node}:0${deviceIndex}` as Mac,
    deviceIndex,
    subnetCidr: `${subnet}.0/24` as Cidr,
    primaryIp: `${subnet}.10` as Ipv4,
    ips:
      deviceIndex === 0
        ? []
        : Array.from({ length: podsPerEni }, (_, index) => `${subnet}.${20 + index}` as Ipv4),
    eips: [],
  }
}

const network: readonly FabricNode[] = [1, 2].map((node) => ({
  name: `n${node}`,
  enis: [eniOf(node, 0), eniOf(node, 1), eniOf(node, 2)],
}))

function wiringOfEni({ mac, primaryIp, subnetCidr }: FabricEni): EniWiring {
  return { mac, primaryIp, subnetCidr, gateway: gatewayOf(subnetCidr) }
}

function podsOf({ enis, name }: FabricNode): readonly PodWiring[] {
  return enis.flatMap(({ ips, mac }) =>
    ips.map((address) => {
      const pod = `pod-${name}-${address}`
      const netns = `/run/netns/${pod}`
      return { address, eniMac: mac, netns, ifname: 'eth0', hostLink: hostLinkName(pod, 'eth0'), mtu: 1500 }
    }),
  )
}

async function sh(script: string): Promise<string> {
  const { status, stderr, stdout } = await runCommand('sh', ['-ec', script])
  assert.equal(status, 0, `${script}: ${stderr}${stdout}`)
  return stdout
}

/** Loses no packet; the first may wait for ARP. */
async function ping(netns: string, address: string): Promise<void> {
  const { status, stdout } = await runCommand(
    ...inNetns(netns, 'ping', ['-n', '-c', '1', '-W', '2', address]),
  )
  assert.equal(status, 0, `no answer from ${address} in ${netns}: ${stdout}`)
}

interface Ends {
  readonly remote: string
  readonly local: string
}

const port = 7070
const server = `require('node:net').createServer((socket) => {
  socket.end(JSON.stringify({ remote: socket.remoteAddress, local: socket.localAddress }))
}).listen({ host: '0.0.0.0', port: ${port} }, () => process.stdout.write('ready'))`
const client = `const socket = require('node:net').connect(${port}, process.argv[1])
socket.setTimeout(5000, () => socket.destroy(new Error('no answer')))
socket.pipe(process.stdout)`

/** The ends of a connection to `address`, as who is asked in `to` sees them. */
async function connectionOf({
  from,
  to,
  address,
}: {
  from: string
  to: string
  address: string
}): Promise<Ends> {
  const listening = spawn(...inNetns(to, process.execPath, ['-e', server]), {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    await once(listening.stdout, 'data')
    const { status, stdout, stderr } = await runCommand(
      ...inNetns(from, process.execPath, ['-e', client, address]),
    )
    assert.equal(status, 0, stderr)
    return JSON.parse(stdout) as Ends
  } finally {
    listening.kill()
    await once(listening, 'close')
  }
}

async function reaches(netns: string, address: string): Promise<boolean> {
  const [command, args] = inNetns(netns, 'ping', ['-n', '-c', '1', '-W', '1', address])
  return (await runCommand(command, args)).status === 0
}

sandboxed(import.meta.url, () => {
  const pods = network.map(podsOf)
  const everyPod = pods.flat()
  const [first, second] = network
  assert.ok(first && second)
  let fabric: Fabric
  let nodes: (Linux & { close(): Promise<void> })[]

  /** Skipped where nothing translates addresses. */
  function withOutside(name: string, run: (outside: Outside) => Promise<void>): void {
    test(name, async (t) => {
      const { outside } = fabric
      if ('fault' in outside) t.skip(outside.fault)
      else await run(outside)
    })
  }

  before(async () => {
    fabric = await createFabric({ run: runCommand })
    await fabric.apply(network)
    nodes = network.map(({ name }) => startLinuxProcess(fabric.netnsOf(name)))
    for (const [index, { enis }] of network.entries()) {
      const linux = nodes[index]
      const links = (await linux?.links()) ?? []
      for (const eni of enis.filter(({ deviceIndex }) => deviceIndex > 0)) {
        const link = links.find(({ mac }) => mac === eni.mac)
        assert.equal(link?.name, `eth${eni.deviceIndex}`)
        await linux?.apply([
          { kind: 'set-up-eni', eni: wiringOfEni(eni), link: link.name },
          { kind: 'set-sysctl', key: rpFilterKey('all'), value: '0' },
          { kind: 'set-sysctl', key: rpFilterKey('eth0'), value: '0' },
          { kind: 'set-sysctl', key: 'net.ipv4.ip_forward', value: '1' },
        ])
      }
    }
    await sh(everyPod.map(({ netns }) => `ip netns add ${netns.slice('/run/netns/'.length)}`).join('\n'))
    await Promise.all(pods.flatMap((list, index) => list.map((pod) => nodes[index]?.connectPod(pod))))
  })
  after(async () => {
    await Promise.all(nodes.map((linux) => linux.close()))
    await fabric.close()
  })

  describe('packets', () => {
    test('nodes reach each other and their gateways', async () => {
      await ping(fabric.netnsOf('n1'), eniOf(2, 0).primaryIp)
      await ping(fabric.netnsOf('n2'), eniOf(1, 0).primaryIp)
      await ping(fabric.netnsOf('n1'), '10.0.1.1')
    })

    test('[D2] every pod reaches every other: same ENI, other ENI, other node, other subnet and zone', async () => {
      for (const from of everyPod)
        for (const to of everyPod) if (from !== to) await ping(from.netns, to.address)
    })

    test('[D1] a pod leaves through the ENI that carries its address', async () => {
      const pod = pods[0]?.at(-1)
      const target = pods[1]?.[0]
      assert.ok(pod && target)
      const sent = async (link: string): Promise<number> => {
        const [command, args] = inNetns(fabric.netnsOf('n1'), 'ip', [
          '-json',
          '-s',
          'link',
          'show',
          'dev',
          link,
        ])
        const [row] = JSON.parse((await runCommand(command, args)).stdout) as [
          { stats64: { tx: { packets: number } } },
        ]
        return row.stats64.tx.packets
      }
      const before = [await sent('eth1'), await sent('eth2')]
      const [command, args] = inNetns(pod.netns, 'ping', [
        '-n',
        '-c',
        '3',
        '-i',
        '0.01',
        '-W',
        '2',
        target.address,
      ])
      assert.equal((await runCommand(command, args)).status, 0)
      const [eth1 = 0, eth2 = 0] = before
      assert.ok((await sent('eth2')) - eth2 >= 3)
      assert.ok((await sent('eth1')) - eth1 < 3)
    })

    test('nodes and pods reach each other', async () => {
      const [near, far] = [pods[0]?.[0], pods[1]?.[0]]
      assert.ok(near && far)
      await ping(fabric.netnsOf('n1'), near.address)
      await ping(fabric.netnsOf('n1'), far.address)
      await ping(near.netns, eniOf(1, 0).primaryIp)
      await ping(near.netns, eniOf(2, 0).primaryIp)
    })
  })

  describe('repair', () => {
    const damages: readonly (readonly [string, string])[] = [
      ['rule from', 'ip rule del from 10.1.1.20'],
      ['rule to', 'ip rule del to 10.1.1.20'],
      ['host route', 'ip route del 10.1.1.20'],
      [
        'default route of the ENI',
        'ip route del default table $(($(cat /proc/net/igmp | grep eth1 | cut -f1) + 2000))',
      ],
      ['ENI link down', 'ip link set dev eth1 down'],
      ['rp_filter', 'for f in all eth1; do echo 1 > /proc/sys/net/ipv4/conf/$f/rp_filter; done'],
      ['forwarding', 'echo 0 > /proc/sys/net/ipv4/ip_forward'],
      ['a leaked rule', 'ip rule add from 10.1.1.99 lookup 2999 priority 1536 protocol 116'],
      ['a leaked route', 'ip route add 10.1.1.98 dev eth0 protocol 116'],
    ]
    for (const [what, damage] of damages) {
      test(`[D5] survey() and apply() mend: ${what}`, async () => {
        const linux = nodes[0]
        const [pod] = pods[0] ?? []
        const far = pods[1]?.[0]
        assert.ok(linux && pod && far)
        const desired = {
          enis: first.enis.filter(({ deviceIndex }) => deviceIndex > 0).map(wiringOfEni),
          spareEnis: [],
          pods: pods[0] ?? [],
          busy: { addresses: new Set<Ipv4>(), links: new Set<string>() },
          routeTableBase: 2000,
          sysctls: Object.fromEntries([
            ['net.ipv4.ip_forward', '1'],
            ...['all', 'eth0', 'eth1', 'eth2'].map((link) => [rpFilterKey(link), '0']),
          ]),
        }
        assert.deepEqual(planRepair(desired, await linux.survey()).changes, [])
        const [command, args] = inNetns(fabric.netnsOf('n1'), 'sh', ['-ec', damage])
        assert.equal((await runCommand(command, args)).status, 0)
        const { changes } = planRepair(desired, await linux.survey())
        assert.notDeepEqual(changes, [])
        await linux.apply(changes)
        assert.deepEqual(planRepair(desired, await linux.survey()).changes, [])
        assert.deepEqual(await linux.inspectPod(pod), [])
        await ping(far.netns, pod.address)
        await ping(pod.netns, far.address)
      })
    }
  })

  describe('apply()', () => {
    const withIps = (ips: readonly Ipv4[]): readonly FabricNode[] => [
      { ...first, enis: first.enis.map((eni) => (eni.deviceIndex === 1 ? { ...eni, ips } : eni)) },
      second,
    ]

    test('does nothing when nothing changed', async () => {
      assert.deepEqual(await fabric.apply(network), [])
    })

    test('an address that the cloud took away is reached no more, until it is back', async () => {
      const [pod, other] = pods[0] ?? []
      const far = pods[1]?.[0]
      assert.ok(pod && other && far)
      await fabric.apply(withIps([other.address]))
      assert.equal(await reaches(far.netns, pod.address), false)
      await ping(far.netns, other.address)
      await fabric.apply(network)
      await ping(far.netns, pod.address)
    })

    test('an ENI that was detached is gone from the node, and comes back as a new link', async () => {
      const linux = nodes[0]
      const eni = eniOf(1, 2)
      assert.ok(linux)
      const indexOf = async (): Promise<number | undefined> =>
        (await linux.links()).find(({ mac }) => mac === eni.mac)?.index
      const before = await indexOf()
      await fabric.apply([{ ...first, enis: first.enis.filter(({ mac }) => mac !== eni.mac) }, second])
      assert.equal(await indexOf(), undefined)
      await fabric.apply(network)
      const now = await indexOf()
      assert.ok(now !== undefined && now !== before)
      await linux.apply([{ kind: 'set-up-eni', eni: wiringOfEni(eni), link: 'eth2' }])
      const [pod] = pods[0]?.filter(({ eniMac }) => eniMac === eni.mac) ?? []
      const far = pods[1]?.[0]
      assert.ok(pod && far)
      assert.match((await linux.inspectPod(pod)).join(), /rule "from .* is missing/)
      await linux.connectPod(pod)
      await ping(far.netns, pod.address)
    })
  })

  describe('EIPs', () => {
    const eip = '203.0.113.7' as Ipv4
    const bound = (nodes: readonly FabricNode[], privateIp: Ipv4, address = eip): readonly FabricNode[] =>
      nodes.map((node) => ({
        ...node,
        enis: node.enis.map((eni) =>
          [eni.primaryIp, ...eni.ips].includes(privateIp)
            ? { ...eni, eips: [...eni.eips, { address, privateIp }] }
            : eni,
        ),
      }))
    const [pod, other] = pods[0] ?? []
    const far = pods[1]?.[0]
    assert.ok(pod && other && far)
    before(() => fabric.apply(bound(network, pod.address)))
    after(() => fabric.apply(network))

    withOutside(
      'a packet from outside reaches the pod by its EIP, and the pod sees who has sent it',
      async (outside) => {
        assert.deepEqual(await connectionOf({ from: outside.netns, to: pod.netns, address: eip }), {
          remote: outside.address,
          local: pod.address,
        })
        await ping(outside.netns, eip)
      },
    )

    withOutside('packets of the pod leave with its EIP', async (outside) => {
      const { address } = outside
      assert.deepEqual(await connectionOf({ from: pod.netns, to: outside.netns, address }), {
        remote: eip,
        local: address,
      })
      await ping(pod.netns, address)
    })

    withOutside('inside the VPC the pod keeps its own address', async () => {
      assert.deepEqual(await connectionOf({ from: pod.netns, to: far.netns, address: far.address }), {
        remote: pod.address,
        local: far.address,
      })
    })

    withOutside(
      'without an EIP a pod has no way out, and nobody comes in by its own address',
      async (outside) => {
        const tries = [
          reaches(other.netns, outside.address),
          reaches(fabric.netnsOf('n1'), outside.address),
          reaches(outside.netns, other.address),
          reaches(outside.netns, pod.address),
          reaches(outside.netns, '203.0.113.8'),
        ]
        assert.deepEqual(await Promise.all(tries), [false, false, false, false, false])
      },
    )

    withOutside('what is bound already changes nothing; each pod has its own', async (outside) => {
      assert.deepEqual(await fabric.apply(bound(network, pod.address)), [])
      const second = '198.51.100.9' as Ipv4
      await fabric.apply(bound(bound(network, pod.address), far.address, second))
      await ping(outside.netns, second)
      await ping(outside.netns, eip)
      await ping(far.netns, outside.address)
    })

    withOutside('an EIP that moves is at its new pod only', async (outside) => {
      await fabric.apply(bound(network, far.address))
      const { local } = await connectionOf({ from: outside.netns, to: far.netns, address: eip })
      assert.equal(local, far.address)
      assert.equal(await reaches(pod.netns, outside.address), false)
    })

    withOutside('an unbound EIP ends what goes on through it', async (outside) => {
      await fabric.apply(bound(network, pod.address))
      const pinging = runCommand(
        ...inNetns(outside.netns, 'ping', ['-n', '-c', '20', '-i', '0.05', '-W', '1', eip]),
      )
      await ping(outside.netns, eip)
      await fabric.apply(network)
      const [, received] = /(\d+) received/.exec((await pinging).stdout) ?? []
      assert.ok(Number(received) > 0 && Number(received) < 20, `${received} of 20 came back`)
      assert.equal(await reaches(outside.netns, eip), false)
      assert.equal(await reaches(pod.netns, outside.address), false)
    })
  })

  describe('an exclusive ENI', () => {
    const exclusive = { ...eniOf(1, 3), ips: [] }
    const { mac, primaryIp: address, subnetCidr } = exclusive
    const gateway = gatewayOf(subnetCidr)
    const wiring = { mac, address, subnetCidr, gateway, netns: '/run/netns/owner', ifname: 'eth0', mtu: 1500 }
    const onNode = async (): Promise<string | undefined> =>
      (await nodes[0]?.links())?.find((link) => link.mac === mac)?.name

    before(async () => {
      await fabric.apply([{ ...first, enis: [...first.enis, exclusive] }, second])
      await sh('ip netns add owner')
      await nodes[0]?.giveEni(wiring)
    })

    test('[X2] its pod and pods of shared ENIs reach each other, on the same node and across nodes', async () => {
      for (const { address: other, netns } of everyPod) {
        await ping(wiring.netns, other)
        await ping(netns, address)
      }
    })

    test('mend() leaves it alone in its pod, and everything else', async () => {
      assert.deepEqual(await fabric.mend(), [])
      assert.deepEqual(await nodes[0]?.inspectEni(wiring), [])
    })

    test('mend() does nothing for one that came back to its node, which can be given again', async () => {
      await nodes[0]?.takeEni(wiring)
      assert.equal(await onNode(), `eni${mac.replaceAll(':', '')}`)
      assert.deepEqual(await fabric.mend(), [])
      await nodes[0]?.giveEni(wiring)
      await ping(wiring.netns, everyPod.at(-1)?.address ?? '')
    })

    test('mend() plugs it again when the namespace died with it, and it works as before', async () => {
      await sh('ip netns del owner')
      await untilGone()
      assert.equal(await onNode(), undefined)
      assert.deepEqual(await fabric.mend(), [{ kind: 'plug', node: 'n1', eni: exclusive }])
      assert.equal(await onNode(), 'eth3')
      assert.deepEqual(await fabric.mend(), [])
      await sh('ip netns add owner')
      await nodes[0]?.takeEni(wiring)
      await nodes[0]?.giveEni(wiring)
      await ping(wiring.netns, everyPod.at(-1)?.address ?? '')
      await ping(everyPod.at(-1)?.netns ?? '', address)
    })

    withOutside('its own address may have an EIP, which outlives a new plug', async (outside) => {
      const eips = [{ address: '203.0.113.77' as Ipv4, privateIp: address }]
      const withIt = [{ ...first, enis: [...first.enis, { ...exclusive, eips }] }, second]
      await fabric.apply(withIt)
      await ping(outside.netns, '203.0.113.77')
      await ping(wiring.netns, outside.address)
      await sh('ip netns del owner')
      await untilGone()
      const mended = await fabric.mend()
      assert.deepEqual(
        mended.map(({ kind }) => kind),
        ['plug', 'bind-eips'],
      )
      await sh('ip netns add owner')
      await nodes[0]?.takeEni(wiring)
      await nodes[0]?.giveEni(wiring)
      await ping(outside.netns, '203.0.113.77')
      await fabric.apply([{ ...first, enis: [...first.enis, exclusive] }, second])
      assert.equal(await reaches(outside.netns, '203.0.113.77'), false)
    })

    test('is unplugged in its pod when the cloud detaches it; one that died before is nobody’s fault', async () => {
      const withIt = [{ ...first, enis: [...first.enis, exclusive] }, second]
      await fabric.apply(network)
      assert.deepEqual(await nodes[0]?.inspectEni(wiring), ['link "eth0" is missing in the pod'])
      assert.deepEqual(await fabric.mend(), [])
      await nodes[0]?.takeEni(wiring)
      await fabric.apply(withIt)
      await nodes[0]?.giveEni(wiring)
      await sh('ip netns del owner')
      await untilGone()
      await fabric.apply(network)
      assert.deepEqual(await fabric.mend(), [])
      assert.equal(await onNode(), undefined)
    })

    /** The kernel ends a namespace's links a while after its last user. */
    async function untilGone(): Promise<void> {
      while ((await sh('ip -n vpc -brief link')).includes(`v${mac.replaceAll(':', '')}`));
    }
  })

  test('[D6] after DEL of all pods and removal of all nodes nothing is left', async () => {
    await Promise.all(pods.flatMap((list, index) => list.map((pod) => nodes[index]?.disconnectPod(pod))))
    for (const linux of nodes) {
      const { podLinks, routes, rules } = await linux.survey()
      assert.deepEqual([podLinks, rules, routes.length], [[], [], 4])
    }
    await sh(everyPod.map(({ netns }) => `ip netns del ${netns.slice('/run/netns/'.length)}`).join('\n'))
    await Promise.all(nodes.map((linux) => linux.close()))
    nodes = []
    await fabric.apply([])
    const left = await sh(
      'ls /run/netns; ip -n vpc -brief link show type veth | cut -d@ -f1; ip -n vpc route show',
    )
    const alone = ['vpc']
    const edge = ['outside', 'vpc', 'internet', '192.0.2.1 dev internet scope link']
    assert.deepEqual(left.trimEnd().split(/ *\n/), 'fault' in fabric.outside ? alone : edge)
  })
})
