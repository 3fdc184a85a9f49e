import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { sleep, systemClock } from '../../internal/base/clock.ts'
import type { ExclusiveWiring } from '../../internal/ipam/types.ts'
import { runCommand } from '../../internal/linux/command.ts'
import { createLinux } from '../../internal/linux/linux.ts'
import type { Ipv4 } from '../../internal/value/ipv4.ts'
import type { Mac } from '../../internal/value/mac.ts'
import { holdToExclusiveEnis, sampleWiring } from './exclusive-eni.contract.ts'
import { startLinuxProcess } from './linux-process.ts'
import { sandboxed } from './sandboxed.ts'

// The sandbox's own network namespace is the node; the ENI is a pair of links whose other end is the VPC's. It dies with the pod's
// namespace, which a real one survives: the kernel brings only hardware back, and no link that can be made here passes for that.
const eni: ExclusiveWiring = {
  ...sampleWiring,
  alias: 'tke-eni c1 eth0 - /run/netns/pod 10.0.1.10',
}
const spare = 'eni20906f000001'

async function sh(script: string): Promise<string> {
  const { status, stderr, stdout } = await runCommand('sh', ['-ec', script])
  assert.equal(status, 0, `${script}: ${stderr}`)
  return stdout
}

const everything = () =>
  sh(`ip -o link; ip -o address; ip route show table all; ip rule
    ip -n pod -o link; ip -n pod -o -4 address; ip -n pod route; ip -n other -o link`)

sandboxed(import.meta.url, () => {
  const linux = createLinux({ clock: systemClock, routeTableBase: 2000 })
  const nodeLink = async () => (await linux.links()).find(({ mac }) => mac === eni.mac)

  async function assertSpare(name: string): Promise<void> {
    assert.deepEqual(await nodeLink(), { ...(await nodeLink()), name, up: false })
    assert.equal(await sh(`ip address show dev ${name} | grep -E 'inet|alias' || true`), '')
    assert.equal(await sh(`ip route show table all dev ${name}`), '')
    assert.equal(await sh('ip -n pod -o link show type veth'), '')
  }

  before(async () => {
    await sh('ip netns add vpc; ip netns add other; ip netns add pod')
  })
  beforeEach(async () => {
    await sh(`ip netns del pod; ip netns add pod
      ip -n vpc link del dev far || true
      ip link add name eth1 address ${eni.mac} type veth peer name far netns vpc
      ip -n vpc link set dev far up
      ip -n vpc address add ${eni.gateway}/32 dev far
      ip -n vpc route add ${eni.address} dev far`)
  })
  after(() => linux.close())

  holdToExclusiveEnis(() => Promise.resolve({ linux, wiring: eni, other: '/run/netns/other' }))

  describe('giveEni()', () => {
    test('[X2] moves the link into the pod, with address, route and alias, and packets pass', async () => {
      await linux.giveEni(eni)
      assert.equal(await nodeLink(), undefined)
      assert.match(await sh('ip -n pod link show dev eth0'), new RegExp(`${eni.mac}[^]*alias ${eni.alias}`))
      assert.match(await sh('ip -n pod address show dev eth0'), /inet 10\.0\.1\.10\/24/)
      assert.match(await sh('ip -n pod route'), /^default via 10\.0\.1\.1 dev eth0/)
      await sh(`ip netns exec pod ping -c 1 -W 1 ${eni.gateway}`)
      await sh(`ip netns exec vpc ping -c 1 -W 1 ${eni.address}`)
      assert.deepEqual(await linux.inspectEni(eni), [])
    })

    test('[R9] a second time changes nothing', async () => {
      await linux.giveEni(eni)
      const before = await everything()
      await linux.giveEni(eni)
      assert.equal(await everything(), before)
    })

    test('[D4] finds the ENI by its MAC, whatever its name, also one that the node has up with addresses', async () => {
      await sh(
        `ip link set dev eth1 name eth0 up; ip address add 10.0.1.10/32 dev eth0; ip route add 10.0.9.9 dev eth0`,
      )
      await linux.giveEni(eni)
      assert.deepEqual(await linux.inspectEni(eni), [])
      assert.equal(await sh('ip route show 10.0.9.9; ip address show to 10.0.1.10'), '')
    })

    test('[R6] names what is in the way, and leaves everything as it was', async () => {
      const nobody = '20:90:6f:00:00:99' as Mac
      await sh('ip -n pod link add name net1 type veth peer name net2')
      const rows = [
        {
          ...eni,
          netns: '/run/netns/nosuch',
          says: /"\/run\/netns\/nosuch"\): there is no such network names/,
        },
        { ...eni, ifname: 'net1', says: /its network namespace has another link "net1" already/ },
        { ...eni, mac: nobody, says: /no link on the node has its MAC/ },
        { ...eni, ifname: 'eth0 up', says: /Cannot use link name/ },
        { ...eni, netns: 'pod', says: /Cannot use network namespace/ },
      ]
      const before = await everything()
      for (const { says, ...wiring } of rows) {
        await assert.rejects(linux.giveEni(wiring), says)
        assert.equal(await everything(), before)
      }
    })

    test('brings the link back when the rest fails', async () => {
      const gateway = '192.0.2.1' as Ipv4
      await assert.rejects(linux.giveEni({ ...eni, gateway }), {
        code: 'kernel',
        message: /Cannot give ENI 20:90:6f:00:00:01 to a pod .* in the pod, "ip route add default via 192/,
      })
      await assertSpare(spare)
    })

    const interruptions: readonly (readonly [string, string])[] = [
      ['after the move', `ip link set dev eth1 netns pod name eth0 alias "${eni.alias}"`],
      [
        'before the route',
        'ip link set dev eth1 netns pod name eth0; ip -n pod address add 10.0.1.10/24 dev eth0',
      ],
      ['after a move that kept the name', 'ip link set dev eth1 netns pod'],
      ['on the way back', `ip link set dev eth1 name ${spare}`],
    ]
    for (const [when, script] of interruptions) {
      test(`[R4] goes on where another was killed: ${when}`, async () => {
        await sh(script)
        await linux.giveEni(eni)
        assert.deepEqual(await linux.inspectEni(eni), [])
        assert.match(await sh('ip -n pod link show dev eth0'), /alias tke-eni c1/)
      })

      test(`[R4] takeEni() goes on where another was killed: ${when}`, async () => {
        await sh(script)
        await linux.takeEni(eni)
        await assertSpare(spare)
      })
    }
  })

  describe('takeEni()', () => {
    test('[D6] brings the link back under a name that is free, and clean; a second time changes nothing', async () => {
      await linux.giveEni(eni)
      await sh(`ip link add name eth0 type veth peer name eth9
        ip -n pod address add 10.0.7.7/24 dev eth0; ip -n pod route add 10.0.8.0/24 via 10.0.1.1
        ip -n pod neighbour add 10.0.1.77 lladdr 20:90:6f:00:00:77 dev eth0 nud permanent
        ip netns exec pod sh -c 'echo 1 > /proc/sys/net/ipv4/conf/eth0/proxy_arp'`)
      await linux.takeEni(eni)
      await assertSpare(spare)
      assert.equal(await sh(`ip neighbour show dev ${spare} nud all; ip -n pod route`), '')
      assert.equal(await sh(`cat /proc/sys/net/ipv4/conf/${spare}/proxy_arp`), '0\n')
      const before = await everything()
      await linux.takeEni(eni)
      assert.equal(await everything(), before)
      await sh('ip link del dev eth0')
    })

    test('[D4] finds it by its MAC when the pod has named it anew, and another so', async () => {
      await linux.giveEni(eni)
      await sh(`ip -n pod link set dev eth0 down; ip -n pod link set dev eth0 name mine
        ip -n pod link add name eth0 type bridge || ip -n pod link add name eth0 type ifb`)
      await linux.takeEni(eni)
      assert.equal((await nodeLink())?.name, spare)
    })

    // Each was done by a pod with CAP_NET_ADMIN, and stayed on the ENI for the next one.
    const tampering = `ip -n pod link set dev eth0 mtu 700 arp off promisc on allmulticast on multicast off
      ip -n pod link set dev eth0 txqueuelen 1 group 42
      ip -n pod link property add dev eth0 altname hallo altname eth1
      ip link add name eth1 type veth peer name eth9`
    async function assertAsNew(): Promise<void> {
      await linux.giveEni(eni)
      assert.deepEqual(await linux.inspectEni(eni), [])
      const link = await sh('ip -n pod link show dev eth0')
      assert.match(link, /<BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 .* group default qlen 1000\n/)
      assert.doesNotMatch(link, /altname/)
      await sh(`ip netns exec pod ping -c 1 -W 1 ${eni.gateway}`)
      await sh('ip link del dev eth1')
    }

    test('[D6] what a pod did to its ENI is not on it for the next one', async () => {
      await linux.giveEni(eni)
      await sh(tampering)
      await linux.takeEni(eni)
      await assertSpare(spare)
      assert.match(
        await sh(`ip link show dev ${spare}`),
        /<BROADCAST,MULTICAST> .* group default qlen 1000\n/,
      )
      await assertAsNew()
    })

    test('[D6] nor when the kernel brought it back, as the namespace was gone', async () => {
      await linux.giveEni(eni)
      await sh(`${tampering.replace('altname eth1', '')}; ip -n pod link set dev eth0 netns $$ name dev7`)
      await assertAsNew()
    })

    // A pod with CAP_NET_ADMIN had something else moved to the node, and the ENI was lost with its place.
    const impostors: readonly (readonly [string, string])[] = [
      ['a pair of links', `ip -n pod link add name eth0 address ${eni.mac} type veth peer name eth9`],
      ['a bridge over it', 'ip -n pod link add name eth0 type bridge; ip -n pod link set p0 master eth0'],
      ['a device of no hardware', `ip -n pod link add name eth0 address ${eni.mac} type ifb`],
    ]
    for (const [what, script] of impostors) {
      test(`[D4] is not deceived by ${what} under the ENI's name, with its MAC`, async () => {
        await linux.giveEni(eni)
        await sh(`ip -n pod link set dev eth0 down; ip -n pod link set dev eth0 name p0; ${script}`)
        assert.match((await linux.inspectEni(eni)).join(), /"eth0" in the pod is not ENI/)
        await linux.takeEni(eni)
        assert.match(await sh(`ip link show dev ${spare}`), /link-netns vpc/)
        await sh('ip -n pod link show dev eth0')
        await linux.takeEni(eni)
        await sh(`ip -n pod link show dev eth0; ip link show dev ${spare}`)
      })
    }

    for (const name of ['a#b', '"', 'if2', '-n'])
      test(`[D4] takes back an ENI that the pod has named ${name}`, async () => {
        await linux.giveEni(eni)
        await sh(`ip -n pod link set dev eth0 down; ip -n pod link set dev eth0 name '${name}'`)
        await linux.takeEni(eni)
        await assertSpare(spare)
      })

    test('cleans what the kernel brought back when the namespace is gone', async () => {
      await sh(`ip link set dev eth1 name dev7 up alias "${eni.alias}"; ip address add 10.0.1.10/24 dev dev7`)
      await linux.takeEni({ ...eni, netns: '/run/netns/nosuch' })
      await assertSpare('dev7')
    })

    test('is content when the ENI is nowhere, and lets one be that another pod has', async () => {
      await linux.giveEni({ ...eni, netns: '/run/netns/other' })
      await linux.takeEni(eni)
      await linux.takeEni({ ...eni, netns: '/run/netns/nosuch' })
      assert.deepEqual(await linux.inspectEni({ ...eni, netns: '/run/netns/other' }), [])
      await sh('ip -n vpc link del dev far')
      await linux.takeEni({ ...eni, netns: '/run/netns/other' })
    })

    test('gives and takes for many pods at once', async () => {
      const many = Array.from({ length: 6 }, (_, n) => ({
        ...eni,
        mac: `20:90:6f:00:01:0${n}` as Mac,
        netns: `/run/netns/many${n}`,
      }))
      for (const [n, { mac }] of many.entries())
        await sh(`ip netns add many${n}; ip link add address ${mac} type veth peer name far${n} netns vpc`)
      const before = (await linux.links()).length
      await Promise.all(many.map((each) => linux.giveEni(each)))
      assert.equal((await linux.links()).length, before - 6)
      for (const each of many) assert.deepEqual(await linux.inspectEni(each), [])
      await Promise.all(many.map((each) => linux.takeEni(each)))
      const names = new Set((await linux.links()).map(({ name }) => name))
      for (const { mac } of many) assert.ok(names.has(`eni${mac.replaceAll(':', '')}`))
      await sh(many.map((_, n) => `ip netns del many${n}; ip -n vpc link del dev far${n}`).join('\n'))
    })
  })

  describe('inspectEni()', () => {
    const damages: readonly (readonly [string, RegExp])[] = [
      ['ip -n pod link set dev eth0 down', /link "eth0" in the pod is down/],
      ['ip -n pod route del default', /default route via 10\.0\.1\.1 is missing in the pod/],
      ['ip -n pod link set dev eth0 mtu 700', /link "eth0" in the pod has MTU 700 instead of 1500/],
      ['ip -n pod link set dev eth0 arp off', /link "eth0" in the pod does not use ARP/],
      ['ip -n pod link set dev eth0 multicast off', /link "eth0" in the pod takes no multicast/],
      ['ip -n pod link set dev eth0 promisc on', /link "eth0" in the pod is promiscuous/],
      ['ip -n pod link set dev eth0 allmulticast on', /link "eth0" in the pod takes all multicast/],
      ['ip -n pod address flush dev eth0', /link "eth0" in the pod lacks address 10\.0\.1\.10\/24/],
    ]
    for (const [damage, fault] of damages) {
      test(`tells what is wrong after "${damage}"; and giveEni() mends it`, async () => {
        await linux.giveEni(eni)
        await sh(damage)
        assert.match((await linux.inspectEni(eni)).join('\n'), fault)
        await linux.giveEni(eni)
        assert.deepEqual(await linux.inspectEni(eni), [])
      })
    }

    test('tells a link that is not there, one that is another, and a namespace that is gone', async () => {
      assert.deepEqual(await linux.inspectEni(eni), ['link "eth0" is missing in the pod'])
      await sh('ip -n pod link add name eth0 type veth peer name eth9')
      assert.match(
        (await linux.inspectEni(eni)).join('\n'),
        /^link "eth0" in the pod is not ENI 20:90:6f:00:00:01$/m,
      )
      assert.deepEqual(await linux.inspectEni({ ...eni, netns: '/run/netns/nosuch' }), [
        'network namespace "/run/netns/nosuch" is gone',
      ])
    })
  })

  describe("apply() of 'clean-eni'", () => {
    const clean = { kind: 'clean-eni', mac: eni.mac, link: 'eth1' } as const

    test('[D5] takes the link down, with addresses and alias; a second time changes nothing', async () => {
      await sh(`ip link set dev eth1 up alias x; ip address add 10.0.1.10/24 dev eth1
        ip route add default via 10.0.1.1 dev eth1 table 2099`)
      await linux.apply([clean])
      await assertSpare('eth1')
      await linux.apply([clean])
      await assertSpare('eth1')
    })

    test('[D4] refuses a link with another MAC, and one that is gone', async () => {
      await assert.rejects(linux.apply([{ ...clean, link: 'lo' }]), {
        code: 'kernel',
        message: 'Cannot clean ENI 20:90:6f:00:00:01 on link "lo": it has MAC 00:00:00:00:00:00',
      })
      await assert.rejects(linux.apply([{ ...clean, link: 'nosuch' }]), /there is no such link/)
    })
  })

  test('[R4] killed at any moment, it is followed by one that goes on, and nothing is left in the end', async () => {
    const rounds = 8
    for (let round = 0; round < rounds; round += 1) {
      const victim = startLinuxProcess('/proc/self/ns/net')
      await victim.takeEni(eni) // its lanes are warm
      const fate = victim.giveEni(eni).then(() => victim.takeEni(eni))
      const { stdout } = await runCommand('pgrep', ['-P', String(victim.pid)])
      const lanes = stdout.trim().split('\n').map(Number)
      await Promise.race([fate, sleep(systemClock, round * 8)])
      process.kill(victim.pid, 'SIGKILL')
      await ended(lanes)
      console.log(
        `✔ round ${round}`,
        (await nodeLink())?.name,
        await sh('ip -n pod -o address show dev eth0; ip -n pod route || true').catch(() => 'none'),
      )
      await linux.giveEni(eni)
      assert.deepEqual(await linux.inspectEni(eni), [])
      await linux.takeEni(eni)
      await assertSpare(spare)
    }
  })
})

/** Until the process groups are gone: what a killed one has begun is done a moment after it. */
async function ended(groups: readonly number[]): Promise<void> {
  const lives = (group: number): boolean => {
    try {
      return process.kill(-group, 0)
    } catch {
      return false
    }
  }
  while (groups.some(lives)) await new Promise((resolve) => setImmediate(resolve))
}
