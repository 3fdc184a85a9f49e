// Pods in the kernel alone: rows of what it shows and who is adopted, held, or let go for it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LocalIp } from '../../internal/ipam/choose-address.ts'
import { hostLinkName } from '../../internal/ipam/host-link.ts'
import { linkAlias } from '../../internal/ipam/link-identity.ts'
import { planStrangers, type StrangerState } from '../../internal/ipam/plan-strangers.ts'
import type { KernelSurvey, Route, Rule } from '../../internal/ipam/types.ts'
import { nth } from '../given.ts'
import { publishedEni, publishedExclusive } from './pools.ts'

const link = (name: string) => hostLinkName(name, 'eth0')
const aliasOf = (name: string, n: number) =>
  linkAlias({
    containerId: name,
    ifname: 'eth0',
    pod: { namespace: 'default', name, uid: `uid-${name}` },
    netns: `/run/netns/${name}`,
    address: nth(n),
  }) ?? ''
const podLink = (name: string, n: number) => ({ name: link(name), up: true, alias: aliasOf(name, n) })
const bare = (name: string) => ({ name: link(name), up: true })
const route = (name: string, n: number): Route => ({ table: 254, to: nth(n), dev: link(name) })
const toPod = (n: number): Rule => ({ priority: 512, to: nth(n), table: 254 })
const [shared, other] = [publishedEni(1), publishedEni(2)]
const links = [
  { name: 'eth1', index: 7, mac: shared.mac, up: true },
  { name: 'eth2', index: 8, mac: other.mac, up: true },
]
const fromPod = (n: number, table: number): Rule => ({ priority: 1536, from: nth(n), table })
const local = (n: number, more: Partial<LocalIp> = {}): LocalIp => ({
  address: nth(n),
  eniId: 'eni-1',
  grant: n,
  state: 'usable',
  published: true,
  inUse: false,
  coolingUntil: 0,
  ...more,
})

interface Row {
  readonly does: string
  readonly survey?: Partial<KernelSurvey>
  readonly state?: Partial<StrangerState>
  readonly adopt?: readonly string[]
  /** Names with their reasons. */
  readonly held?: Readonly<Record<string, string>>
  readonly withheld?: readonly number[]
  readonly outdated?: readonly string[]
}

const rows: readonly Row[] = [
  { does: 'finds nobody in an empty kernel' },
  {
    does: 'adopts a pod whose alias and route agree',
    survey: { podLinks: [podLink('a', 1)], routes: [route('a', 1)] },
    adopt: ['a 1'],
    withheld: [1],
  },
  {
    does: 'adopts a pod whose route is gone, by its alias',
    survey: { podLinks: [podLink('a', 1)] },
    adopt: ['a 1'],
    withheld: [1],
  },
  {
    does: 'holds a pod without an alias, and its address',
    survey: { podLinks: [bare('a')], routes: [route('a', 1)] },
    held: { a: 'nothing tells which sandbox it belongs to' },
    withheld: [1],
  },
  {
    does: 'holds a pod whose alias is not of this link',
    survey: { podLinks: [{ ...bare('a'), alias: aliasOf('b', 1) }], routes: [route('a', 1)] },
    held: { a: 'nothing tells which sandbox it belongs to' },
    withheld: [1],
  },
  {
    does: 'holds a pod whose alias and route contradict each other, and both addresses',
    survey: { podLinks: [podLink('a', 1)], routes: [route('a', 2)] },
    held: { a: 'it seems to have both 10.0.1.1 and 10.0.1.2' },
    withheld: [1, 2],
  },
  {
    does: 'holds two links with one address',
    survey: { podLinks: [podLink('a', 1), podLink('b', 1)] },
    held: {
      a: 'another link seems to have 10.0.1.1, too',
      b: 'another link seems to have 10.0.1.1, too',
    },
    withheld: [1],
  },
  {
    does: 'holds a pod whose address is not in the pool',
    survey: { podLinks: [podLink('a', 9)] },
    held: { a: 'its address 10.0.1.9 is not in the pool of this node' },
    withheld: [9],
  },
  {
    does: 'holds a pod whose address was given back',
    survey: { podLinks: [podLink('a', 3)] },
    held: { a: 'its address 10.0.1.3 was given back' },
    withheld: [3],
  },
  {
    does: 'names the pod that shows the address of a held link',
    survey: { podLinks: [bare('a')], routes: [route('a', 1)] },
    state: { podAt: () => ({ namespace: 'default', name: 'web-0' }) },
    held: { a: 'nothing tells which sandbox it belongs to; pod default/web-0 shows 10.0.1.1' },
    withheld: [1],
  },
  {
    does: 'withholds every address that only rules speak of while a link does not tell its own',
    survey: { podLinks: [bare('a'), podLink('b', 2)], rules: [toPod(1), toPod(2), toPod(4)] },
    state: { attachments: [{ address: nth(4), hostLink: 'tke-of-4' }] },
    adopt: ['b 2'],
    held: { a: 'nothing tells which address it has' },
    withheld: [1, 2],
  },
  {
    does: 'leaves rules of nobody to the repair when every link tells its address',
    survey: { podLinks: [podLink('b', 2)], rules: [toPod(1), toPod(2)] },
    adopt: ['b 2'],
    withheld: [2],
  },
  {
    does: 'passes over what is attached, in motion, or was let go',
    survey: { podLinks: [podLink('a', 1), podLink('b', 2), podLink('c', 4)] },
    state: {
      attachments: [{ address: nth(1), hostLink: link('a') }],
      moving: new Set([link('b')]),
      letGo: (name) => name === link('c'),
    },
  },
  {
    does: 'holds a pod whose address belongs to another, though that one has no link',
    survey: { podLinks: [podLink('a', 1)] },
    state: { attachments: [{ address: nth(1), hostLink: link('old') }] },
    held: { a: `its address 10.0.1.1 belongs to "${link('old')}"` },
    withheld: [1],
  },
  {
    does: 'adopts a pod whose packets leave by the ENI that the pool has its address on',
    survey: { links, podLinks: [podLink('a', 1)], rules: [toPod(1), fromPod(1, 2007)] },
    adopt: ['a 1'],
    withheld: [1],
  },
  {
    does: 'adopts a pod whose rule leads nowhere, for its ENI came back as another link',
    survey: { links, podLinks: [podLink('a', 1)], rules: [toPod(1), fromPod(1, 2005)] },
    adopt: ['a 1'],
    withheld: [1],
  },
  {
    does: 'holds a pod whose packets leave by another ENI than the pool has its address on',
    survey: { links, podLinks: [podLink('a', 1)], rules: [toPod(1), fromPod(1, 2008)] },
    held: { a: 'the pool of this node has its address 10.0.1.1 on another ENI' },
    withheld: [1],
  },
  {
    does: 'holds a pod of a shared ENI whose address the pool has as an exclusive one',
    survey: { podLinks: [podLink('a', 1)] },
    state: { enis: [publishedExclusive(1)] },
    held: { a: 'the pool of this node has its address 10.0.1.1 on another ENI' },
    withheld: [1],
  },
  {
    does: 'adopts a pod with the address that is claimed for it',
    survey: { podLinks: [podLink('a', 5)] },
    adopt: ['a 5'],
    withheld: [5],
  },
  {
    does: 'holds a pod whose address is claimed for another',
    survey: { podLinks: [podLink('b', 5)] },
    held: { b: 'its address 10.0.1.5 is claimed for pod default/a' },
    withheld: [5],
  },
  {
    does: 'believes the kernel rather than a restored database',
    survey: { podLinks: [podLink('a', 1)] },
    state: { attachments: [{ address: nth(1), hostLink: link('old') }], restored: true },
    adopt: ['a 1'],
    withheld: [1],
    outdated: ['old'],
  },
  {
    does: 'lets an outdated attachment go for a link that does not say whose it is, too',
    survey: { podLinks: [bare('a')], routes: [route('a', 1)] },
    state: { attachments: [{ address: nth(1), hostLink: link('old') }], restored: true },
    held: { a: 'nothing tells which sandbox it belongs to' },
    withheld: [1],
    outdated: ['old'],
  },
  {
    does: 'keeps an attachment of a restored database whose link is there, whoever claims its address',
    survey: { podLinks: [podLink('a', 1), podLink('old', 1)] },
    state: { attachments: [{ address: nth(1), hostLink: link('old') }], restored: true },
    held: { a: `its address 10.0.1.1 belongs to "${link('old')}"` },
    withheld: [1],
  },
]

for (const row of rows) {
  test(`[R1] [R4] planStrangers() ${row.does}`, () => {
    const attachments = row.state?.attachments ?? []
    const taken = new Set(attachments.map(({ address }) => address))
    const claimed = local(5, { claim: { namespace: 'default', name: 'a' } })
    const ips = [local(1), local(2), local(3, { state: 'returning' }), local(4), claimed]
    const plan = planStrangers({
      survey: { links: [], rules: [], routes: [], podLinks: [], sysctls: {}, ...row.survey },
      ips: ips.map((ip) => ({ ...ip, inUse: taken.has(ip.address) })),
      enis: [shared, other],
      routeTableBase: 2000,
      moving: new Set(),
      letGo: () => false,
      restored: false,
      podAt: () => undefined,
      ...row.state,
      attachments,
    })
    assert.deepEqual(
      plan.adopt.map(({ address, containerId }) => `${containerId} ${address.split('.')[3]}`),
      row.adopt ?? [],
    )
    assert.deepEqual(
      Object.fromEntries(plan.strangers.map(({ hostLink, reason }) => [hostLink, reason])),
      Object.fromEntries(Object.entries(row.held ?? {}).map(([name, reason]) => [link(name), reason])),
    )
    assert.deepEqual(plan.withheld, new Set((row.withheld ?? []).map(nth)))
    assert.deepEqual(plan.outdated, (row.outdated ?? []).map(link))
  })
}
