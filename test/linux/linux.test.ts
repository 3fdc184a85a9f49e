import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { after, before, beforeEach, describe, test } from 'node:test'
import { type Clock, systemClock } from '../../internal/base/clock.ts'
import { hostLinkName } from '../../internal/ipam/host-link.ts'
import { type LinkIdentity, linkAlias, readLinkAlias } from '../../internal/ipam/link-identity.ts'
import type { EniWiring, PodWiring } from '../../internal/ipam/types.ts'
import { aliasDelayMs } from '../../internal/linux/aliases.ts'
import { runCommand } from '../../internal/linux/command.ts'
import { createLinux } from '../../internal/linux/linux.ts'
import type { Cidr } from '../../internal/value/cidr.ts'
import type { Ipv4 } from '../../internal/value/ipv4.ts'
import type { Mac } from '../../internal/value/mac.ts'
import { sandboxed } from './sandboxed.ts'

// The sandbox's own network namespace is the node; eth1 is an ENI whose other end is the VPC's.
const eni: EniWiring = {
  mac: '20:90:6f:00:00:01' as Mac,
  primaryIp: '10.0.1.10' as Ipv4,
  subnetCidr: '10.0.1.0/24' as Cidr,
  gateway: '10.0.1.1' as Ipv4,
}

async function sh(script: string): Promise<string> {
  const { status, stderr, stdout } = await runCommand('sh', ['-ec', script])
  assert.equal(status, 0, `${script}: ${stderr}`)
  return stdout
}

function ownerOf(name: string, address: string): LinkIdentity {
  return {
    containerId: name,
    ifname: 'eth0',
    pod: { namespace: 'default', name: `pod-${name}`, uid: `uid-${name}` },
    netns: `/run/netns/${name}`,
    address: address as Ipv4,
  }
}

function podOf(name: string, address: string): PodWiring {
  return {
    alias: linkAlias(ownerOf(name, address)),
    address: address as Ipv4,
    eniMac: eni.mac,
    netns: `/run/netns/${name}`,
    ifname: 'eth0',
    hostLink: hostLinkName(name, 'eth0'),
    mtu: 1500,
  }
}

sandboxed(import.meta.url, () => {
  const hasty: Clock = {
    ...systemClock,
    after: (delay, run) => systemClock.after(delay === aliasDelayMs ? 0 : delay, run),
  }
  const linux = createLinux({ clock: hasty, routeTableBase: 2000 })
  const setUp = { kind: 'set-up-eni', eni, link: 'eth1' } as const
  const first = podOf('first', '10.0.1.11')
  const second = podOf('second', '10.0.1.12')
  let table = 0

  before(async () => {
    await sh(`ip netns add vpc
      ip link add name eth1 address ${eni.mac} type veth peer name far netns vpc
      ip -n vpc link set dev far up
      ip -n vpc address add ${eni.gateway}/32 dev far
      ip -n vpc route add ${eni.primaryIp} dev far
      ip -n vpc route add ${first.address} dev far
      ip -n vpc neighbour add ${first.address} lladdr ${eni.mac} dev far nud permanent
      ip netns add first; ip netns add second`)
    const link = (await linux.links()).find(({ mac }) => mac === eni.mac)
    table = (link?.index ?? 0) + 2000
  })
  beforeEach(async () => {
    await linux.apply([setUp])
  })
  after(() => linux.close())

  describe('links()', () => {
    test('[D4] finds an ENI by its MAC', async () => {
      const link = (await linux.links()).find(({ mac }) => mac === eni.mac)
      assert.equal(link?.name, 'eth1')
      assert.equal(link.up, true)
    })
  })

  describe('apply()', () => {
    test('[D1] gives an ENI its table, with the gateway and a default route', async () => {
      const { routes } = await linux.survey()
      assert.deepEqual(
        routes.toSorted((a, b) => a.to.localeCompare(b.to)),
        [
          { table, to: eni.gateway, dev: 'eth1' },
          { table, to: 'default', via: eni.gateway, dev: 'eth1' },
        ],
      )
      assert.match(await sh('ip address show dev eth1'), /inet 10\.0\.1\.10\/32/)
      assert.equal(await sh('ip route show table main'), '')
    })

    test('[D5] a survey shows the addresses of an ENI, so that a lost one is put back', async () => {
      const eth1 = async () => (await linux.survey()).links.find(({ name }) => name === 'eth1')
      assert.deepEqual((await eth1())?.addresses, [eni.primaryIp])
      await sh(`ip address flush dev eth1`)
      assert.deepEqual((await eth1())?.addresses, [])
      await linux.apply([setUp])
      assert.deepEqual((await eth1())?.addresses, [eni.primaryIp])
    })

    test('[D3] opens the reverse-path filter of the ENI', async () => {
      await sh('echo 1 > /proc/sys/net/ipv4/conf/eth1/rp_filter')
      await linux.apply([setUp])
      assert.equal((await linux.survey()).sysctls['net.ipv4.conf.eth1.rp_filter'], '0')
    })

    test('refuses a link with another MAC', async () => {
      await assert.rejects(linux.apply([{ ...setUp, link: 'lo' }]), {
        code: 'kernel',
        message: 'Cannot set up ENI 20:90:6f:00:00:01 on link "lo": it has MAC 00:00:00:00:00:00',
      })
    })

    test('refuses to remove a link that is not a pod link', async () => {
      await assert.rejects(linux.apply([{ kind: 'remove-link', link: 'eth1' }]), { code: 'bad_input' })
    })

    test('[D5] does every change twice without complaint', async () => {
      const rule = { priority: 1536, from: '10.0.1.77' as Ipv4, table }
      const route = { table, to: '10.0.1.77', dev: 'eth1' }
      const changes = [
        { kind: 'add-rule', rule },
        { kind: 'add-rule', rule },
        { kind: 'add-route', route },
        { kind: 'add-route', route },
        { kind: 'set-sysctl', key: 'net.ipv4.ip_forward', value: '1' },
        { kind: 'raise-link', link: 'eth1' },
      ] as const
      await linux.apply(changes)
      const survey = await linux.survey()
      assert.deepEqual(
        survey.rules.filter(({ from }) => from === rule.from),
        [rule],
      )
      assert.equal(survey.sysctls['net.ipv4.ip_forward'], '1')
      const undo = [
        { kind: 'remove-rule', rule },
        { kind: 'remove-rule', rule },
        { kind: 'remove-route', route },
        { kind: 'remove-route', route },
        { kind: 'remove-link', link: hostLinkName('nobody', 'eth0') },
      ] as const
      await linux.apply(undo)
      const rest = await linux.survey()
      assert.deepEqual(rest.rules, [])
      assert.equal(rest.routes.length, 2)
    })

    test('[D5] tells the fault of one change after doing the others', async () => {
      const rule = { priority: 1536, from: '10.0.1.78' as Ipv4, table }
      await assert.rejects(
        linux.apply([
          { kind: 'add-route', route: { table: 254, to: '10.0.1.78', dev: 'nosuch' } },
          { kind: 'add-rule', rule },
        ]),
        { code: 'kernel', message: /ip route replace 10\.0\.1\.78 .*Cannot find device "nosuch"/ },
      )
      assert.deepEqual((await linux.survey()).rules, [rule])
      await linux.apply([{ kind: 'remove-rule', rule }])
    })
  })

  describe('survey()', () => {
    test('[D5] sees nothing that is not ours', async () => {
      await sh(`ip rule add from 10.0.1.90 lookup ${table} priority 1536
        ip route add 10.0.1.91 dev eth1; ip link add name tkelan type veth peer name other0`)
      const { podLinks, routes, rules } = await linux.survey()
      assert.deepEqual(rules, [])
      assert.equal(routes.length, 2)
      assert.deepEqual(podLinks, [])
      await sh(`ip rule del from 10.0.1.90; ip route del 10.0.1.91; ip link del dev tkelan`)
    })
  })

  describe('connectPod()', () => {
    test('[D2] carries packets between pod and gateway, and between pods', async () => {
      const link = await linux.connectPod(first)
      await linux.connectPod(second)
      assert.match(await sh('ip -n first link show dev eth0'), new RegExp(link.podMac))
      writeFileSync('/proc/sys/net/ipv4/ip_forward', '1')
      await sh(`ip netns exec first ping -c 1 -W 1 ${eni.gateway}`)
      await sh(`ip netns exec first ping -c 1 -W 1 ${second.address}`)
      await sh(`ip netns exec vpc ping -c 1 -W 1 ${first.address}`)
      const { podLinks, rules } = await linux.survey()
      assert.equal(podLinks.length, 2)
      assert.deepEqual(
        rules.filter(({ from, to }) => from === first.address || to === first.address),
        [
          { priority: 512, to: first.address, table: 254 },
          { priority: 1536, from: first.address, table },
        ],
      )
    })

    test('[R9] gives the same answer again and adds nothing', async () => {
      const link = await linux.connectPod(first)
      const before = await sh('ip rule; ip route; ip -o link; ip -n first -o address; ip -n first route')
      assert.deepEqual(await linux.connectPod(first), link)
      assert.equal(
        await sh('ip rule; ip route; ip -o link; ip -n first -o address; ip -n first route'),
        before,
      )
      assert.deepEqual(await linux.inspectPod(first), [])
    })

    test('[R4] writes whose the link is into its alias, after a while', async () => {
      const { hostLink } = first
      for (;;) {
        const { podLinks } = await linux.survey()
        const alias = podLinks.find(({ name }) => name === hostLink)?.alias
        if (alias === undefined) continue
        assert.deepEqual(readLinkAlias(hostLink, alias), ownerOf('first', first.address))
        break
      }
      await linux.apply([{ kind: 'name-link', link: hostLink, alias: 'another' }])
      assert.match(await sh(`ip link show dev ${hostLink}`), /alias another/)
    })

    test('[R4] gives the aliases that are pending before it ends', async () => {
      await linux.disconnectPod(first)
      const another = createLinux({ clock: systemClock, routeTableBase: 2000 })
      await another.connectPod(first)
      await another.close()
      const link = (await linux.survey()).podLinks.find(({ name }) => name === first.hostLink)
      assert.equal(link?.alias, first.alias)
    })

    test('removes a rule that an earlier owner of the address left', async () => {
      await linux.disconnectPod(first)
      const leak = { priority: 1536, from: first.address, table: 2999 }
      await linux.apply([{ kind: 'add-rule', rule: leak }])
      await linux.connectPod(first)
      assert.deepEqual(await linux.inspectPod(first), [])
    })

    test('replaces a link that an earlier sandbox of the same name left', async () => {
      await linux.connectPod(first)
      const moved = { ...first, netns: '/run/netns/third', address: '10.0.1.13' as Ipv4 }
      await sh('ip netns add third')
      await linux.connectPod(moved)
      assert.deepEqual(await linux.inspectPod(moved), [])
      assert.equal(await sh('ip -n first -o link show type veth'), '')
      await linux.disconnectPod(moved)
      await linux.disconnectPod(first)
      await sh('ip netns del third')
    })

    test('[R6] names a namespace that is gone, a link in the way, and an ENI that is not there', async () => {
      await assert.rejects(linux.connectPod({ ...first, netns: '/run/netns/nosuch' }), {
        code: 'kernel',
        message:
          'Cannot connect pod 10.0.1.11 ("eth0" in "/run/netns/nosuch"): there is no such network namespace',
      })
      await sh('ip netns add taken; ip -n taken link add name eth0 type veth peer name eth9')
      await assert.rejects(linux.connectPod({ ...first, netns: '/run/netns/taken' }), {
        code: 'kernel',
        message: /its network namespace has another link "eth0" already/,
      })
      await sh('ip netns del taken')
      await assert.rejects(linux.connectPod({ ...first, eniMac: '20:90:6f:00:00:99' as Mac }), {
        code: 'kernel',
        message: /no link has the MAC of its ENI, 20:90:6f:00:00:99/,
      })
      await assert.rejects(linux.connectPod({ ...first, ifname: 'eth0 up' }), { code: 'bad_input' })
      const { podLinks, rules } = await linux.survey()
      assert.deepEqual(
        [podLinks.map(({ name }) => name), rules.filter(({ from }) => from === first.address)],
        [[second.hostLink], []],
      )
    })

    test('connects many at once, each with its own outcome', async () => {
      const names = Array.from({ length: 12 }, (_, index) => `many${index}`)
      await sh(names.map((name) => `ip netns add ${name}`).join('; '))
      const wirings = names.map((name, index) => podOf(name, `10.0.1.${100 + index}`))
      const withFaults = wirings.map((wiring, index) =>
        index % 4 === 3 ? { ...wiring, netns: '/run/netns/nosuch' } : wiring,
      )
      const outcomes = await Promise.allSettled(withFaults.map((wiring) => linux.connectPod(wiring)))
      assert.deepEqual(
        outcomes.map(({ status }) => status),
        names.map((_, index) => (index % 4 === 3 ? 'rejected' : 'fulfilled')),
      )
      for (const [index, wiring] of wirings.entries())
        if (index % 4 !== 3) assert.deepEqual(await linux.inspectPod(wiring), [])
      await Promise.all(wirings.map((wiring) => linux.disconnectPod(wiring)))
      await sh(names.map((name) => `ip netns del ${name}`).join('; '))
    })
  })

  describe('inspectPod()', () => {
    const damages: readonly (readonly [string, string, RegExp])[] = [
      ['pod link down', 'ip -n first link set dev eth0 down', /link "eth0" in the pod is down/],
      [
        'pod route',
        'ip -n first route del default',
        /default route via 169\.254\.1\.1 is missing in the pod/,
      ],
      [
        'pod address',
        'ip -n first address flush dev eth0',
        /link "eth0" in the pod has no address instead of/,
      ],
      ['pod link', 'ip -n first link del dev eth0', /link "eth0" is missing in the pod/],
      ['rule to', 'ip rule del to 10.0.1.11', /rule "to 10\.0\.1\.11 lookup 254 priority 512" is missing/],
      [
        'rule from',
        'ip rule del from 10.0.1.11',
        /rule "from 10\.0\.1\.11 lookup \d+ priority 1536" is missing/,
      ],
      ['host route', 'ip route del 10.0.1.11', /route to 10\.0\.1\.11 through "tke[0-9a-f]+" is missing/],
      ['host link', `ip link del dev ${first.hostLink}`, /host link "tke[0-9a-f]+" is missing/],
    ]
    for (const [what, damage, fault] of damages) {
      test(`tells what is wrong: ${what}; and connectPod() mends it`, async () => {
        await linux.connectPod(first)
        assert.deepEqual(await linux.inspectPod(first), [])
        await sh(damage)
        assert.match((await linux.inspectPod(first)).join('\n'), fault)
        await linux.connectPod(first)
        assert.deepEqual(await linux.inspectPod(first), [])
      })
    }
  })

  describe('disconnectPod()', () => {
    test('[D6] leaves nothing, and has nothing to say when there is nothing', async () => {
      await linux.connectPod(first)
      await linux.disconnectPod(second)
      await linux.disconnectPod(first)
      await linux.disconnectPod(first)
      const { podLinks, routes, rules } = await linux.survey()
      assert.deepEqual([podLinks, rules, routes.length], [[], [], 2])
      assert.equal(await sh('ip -n first -o link show type veth'), '')
    })

    test('works when the namespace is gone', async () => {
      await sh('ip netns add gone')
      const gone = podOf('gone', '10.0.1.14')
      await linux.connectPod(gone)
      assert.equal(await linux.namespaceExists(gone.netns), true)
      await sh('ip netns del gone')
      assert.equal(await linux.namespaceExists(gone.netns), false)
      await linux.disconnectPod(gone)
      assert.deepEqual((await linux.survey()).rules, [])
    })
  })

  test('a lane whose processes were killed is started anew', async () => {
    await linux.connectPod(first)
    await linux.disconnectPod(first)
    const { stdout } = await runCommand('pgrep', ['-P', String(process.pid), '-x', 'sh'])
    const lanes = stdout.trim().split('\n')
    assert.ok(lanes.length >= 3)
    for (const pid of lanes) process.kill(-Number(pid), 'SIGKILL')
    await linux.connectPod(first)
    assert.deepEqual(await linux.inspectPod(first), [])
    await linux.disconnectPod(first)
  })
})
