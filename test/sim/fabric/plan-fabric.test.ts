import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type FabricChange,
  type FabricEip,
  type FabricEni,
  type FabricNode,
  planFabric,
} from '../../../internal/sim/fabric/plan-fabric.ts'
import type { Cidr } from '../../../internal/value/cidr.ts'
import type { Ipv4 } from '../../../internal/value/ipv4.ts'
import type { Mac } from '../../../internal/value/mac.ts'

const eip = (address: number, privateIp: number): FabricEip => ({
  address: `203.0.113.${address}` as Ipv4,
  privateIp: `10.0.1.${privateIp}` as Ipv4,
})

function eni(index: number, ...ips: string[]): FabricEni {
  return {
    mac: `20:90:6f:00:00:0${index}` as Mac,
    deviceIndex: index,
    subnetCidr: '10.0.1.0/24' as Cidr,
    primaryIp: `10.0.1.${100 + index}` as Ipv4,
    ips: ips as Ipv4[],
    eips: [],
  }
}

const cases: readonly (readonly [
  string,
  readonly FabricNode[],
  readonly FabricNode[],
  readonly unknown[],
])[] = [
  ['nothing from nothing', [], [], []],
  [
    'a node comes before its ENIs',
    [],
    [{ name: 'a', enis: [eni(1), eni(0)] }],
    [
      { kind: 'add-node', node: 'a' },
      { kind: 'plug', node: 'a', eni: eni(0) },
      { kind: 'plug', node: 'a', eni: eni(1) },
    ],
  ],
  [
    'addresses come and go by themselves, those that go first',
    [{ name: 'a', enis: [eni(1, '10.0.1.9', '10.0.1.8')] }],
    [{ name: 'a', enis: [eni(1, '10.0.1.9', '10.0.1.10')] }],
    [
      { kind: 'remove-address', mac: eni(1).mac, address: '10.0.1.8' },
      { kind: 'add-address', mac: eni(1).mac, address: '10.0.1.10' },
    ],
  ],
  [
    'an ENI that moves is unplugged first',
    [
      { name: 'a', enis: [eni(1)] },
      { name: 'b', enis: [] },
    ],
    [
      { name: 'a', enis: [] },
      { name: 'b', enis: [eni(1)] },
    ],
    [
      { kind: 'unplug', mac: eni(1).mac },
      { kind: 'plug', node: 'b', eni: eni(1) },
    ],
  ],
  [
    'an EIP is bound last, when all is there',
    [],
    [{ name: 'a', enis: [{ ...eni(1, '10.0.1.9'), eips: [eip(2, 9), eip(1, 101)] }] }],
    [
      { kind: 'add-node', node: 'a' },
      { kind: 'plug', node: 'a', eni: { ...eni(1, '10.0.1.9'), eips: [eip(2, 9), eip(1, 101)] } },
      { kind: 'bind-eips', eips: [eip(1, 101), eip(2, 9)] },
    ],
  ],
  [
    'an EIP leaves before its private address does, and others stay',
    [{ name: 'a', enis: [{ ...eni(1, '10.0.1.9'), eips: [eip(1, 101), eip(2, 9)] }] }],
    [{ name: 'a', enis: [{ ...eni(1), eips: [eip(1, 101)] }] }],
    [
      { kind: 'keep-eips', eips: [eip(1, 101)] },
      { kind: 'remove-address', mac: eni(1).mac, address: '10.0.1.9' },
    ],
  ],
  [
    'an EIP that moves is nobody’s for a while',
    [{ name: 'a', enis: [{ ...eni(1, '10.0.1.8', '10.0.1.9'), eips: [eip(1, 8)] }] }],
    [{ name: 'a', enis: [{ ...eni(1, '10.0.1.8', '10.0.1.9'), eips: [eip(1, 9)] }] }],
    [
      { kind: 'keep-eips', eips: [] },
      { kind: 'bind-eips', eips: [eip(1, 9)] },
    ],
  ],
  [
    'a node takes its ENIs with it',
    [{ name: 'a', enis: [eni(0)] }],
    [],
    [
      { kind: 'unplug', mac: eni(0).mac },
      { kind: 'remove-node', node: 'a' },
    ],
  ],
]

for (const [what, current, desired, changes] of cases) {
  test(`planFabric(): ${what}`, () => assert.deepEqual(planFabric(desired, current), changes))
}

test('planFabric() leads from any network to any other, and then has nothing to do', () => {
  const address = fc.integer({ min: 1, max: 6 }).map((n) => `10.0.1.${n}`)
  const anyEni = fc
    .tuple(fc.integer({ min: 1, max: 4 }), fc.uniqueArray(address, { maxLength: 4 }))
    .map(([index, ips]) => ({
      ...eni(index, ...ips),
      // On its own address, which no other ENI has.
      eips: ips.length === 0 ? [] : [eip(ips.length, 100 + index)],
    }))
  const network = fc
    .tuple(
      fc.uniqueArray(anyEni, { selector: ({ mac }) => mac, maxLength: 4 }),
      fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
      fc.subarray(['a', 'b'], { minLength: 1 }),
    )
    .map(([enis, sides, names]): FabricNode[] =>
      names.map((name, at) => ({
        name,
        enis: enis.filter((_, index) => (sides[index] === true ? 0 : names.length - 1) === at),
      })),
    )
  fc.assert(
    fc.property(network, network, (current, desired) => {
      const reached = follow(current, planFabric(desired, current))
      assert.deepEqual(planFabric(desired, reached), [])
      assert.deepEqual(canonical(reached), canonical(desired))
    }),
  )
})

/** A naive executor: refuses what cannot be done. */
function follow(current: readonly FabricNode[], changes: readonly FabricChange[]): FabricNode[] {
  const nodes = new Map(current.map(({ enis, name }) => [name, [...enis]]))
  const holder = (mac: Mac): FabricEni[] => {
    const enis = [...nodes.values()].find((list) => list.some((item) => item.mac === mac))
    assert.ok(enis, `no ${mac}`)
    return enis
  }
  const edit = (mac: Mac, ips: (old: readonly Ipv4[]) => readonly Ipv4[]): void => {
    const enis = holder(mac)
    const at = enis.findIndex((item) => item.mac === mac)
    const old = enis[at]
    assert.ok(old)
    enis[at] = { ...old, ips: ips(old.ips) }
  }
  for (const change of changes) {
    if (change.kind === 'add-node') nodes.set(change.node, [])
    else if (change.kind === 'remove-node') {
      assert.deepEqual(nodes.get(change.node), [])
      nodes.delete(change.node)
    } else if (change.kind === 'plug') {
      const enis = nodes.get(change.node)
      assert.ok(enis)
      enis.push(change.eni)
    } else if (change.kind === 'unplug') {
      const enis = holder(change.mac)
      enis.splice(
        enis.findIndex(({ mac }) => mac === change.mac),
        1,
      )
    } else if ('eips' in change) {
      for (const [name, enis] of nodes)
        nodes.set(
          name,
          enis.map((one) => withEips(one, change.eips)),
        )
    } else if ('address' in change) {
      const { address, kind, mac } = change
      edit(mac, (old) => (kind === 'add-address' ? [...old, address] : old.filter((ip) => ip !== address)))
    }
  }
  return [...nodes].map(([name, enis]) => ({ name, enis }))
}

function withEips(one: FabricEni, eips: readonly FabricEip[]): FabricEni {
  const own = [one.primaryIp, ...one.ips]
  return { ...one, eips: eips.filter(({ privateIp }) => own.includes(privateIp)) }
}

function canonical(nodes: readonly FabricNode[]): unknown {
  const rows = nodes.flatMap(({ enis, name }) => [
    name,
    ...enis.map(({ eips, ips, mac }) => {
      const bound = eips.map(({ address, privateIp }) => `${address}=${privateIp}`)
      return `${name} ${mac} ${ips.toSorted((a, b) => (a < b ? -1 : 1)).join(' ')} ${bound.join()}`
    }),
  ])
  return rows.toSorted((a, b) => (a < b ? -1 : 1))
}
