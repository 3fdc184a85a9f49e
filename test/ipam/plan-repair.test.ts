// What the kernel lacks or has too much of: rows, and that one repair is enough whatever the drift.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type DesiredKernel, planRepair } from '../../internal/ipam/plan-repair.ts'
import type { KernelChange, KernelSurvey, Link, Route, Rule } from '../../internal/ipam/types.ts'
import { ip, mac, nth } from '../given.ts'
import { publishedEni } from './pools.ts'

const eni = publishedEni(1)
const spare = mac('20:90:6f:00:00:08')
const eth8: Link = { name: 'eth8', index: 8, mac: spare, up: false, addresses: [] }
const eth1: Link = { name: 'eth1', index: 7, mac: eni.mac, up: true }
const pod = { address: nth(5), eniMac: eni.mac, hostLink: 'tke5' }
const sysctls = { 'net.ipv4.conf.all.rp_filter': '0', 'net.ipv4.conf.eth1.rp_filter': '0' }

const wanted: DesiredKernel = {
  enis: [eni],
  spareEnis: [],
  pods: [pod],
  busy: { addresses: new Set(), links: new Set() },
  routeTableBase: 2000,
  sysctls,
}

const toPod: Rule = { priority: 512, to: nth(5), table: 254 }
const fromPod: Rule = { priority: 1536, from: nth(5), table: 2007 }
const podRoute: Route = { table: 254, to: nth(5), dev: 'tke5' }
const toGateway: Route = { table: 2007, to: eni.gateway, dev: 'eth1' }
const defaultRoute: Route = { table: 2007, to: 'default', via: eni.gateway, dev: 'eth1' }

const whole: KernelSurvey = {
  links: [eth1],
  rules: [toPod, fromPod],
  routes: [podRoute, toGateway, defaultRoute],
  podLinks: [{ name: 'tke5', up: true }],
  sysctls,
}

interface Row {
  readonly does: string
  readonly desired?: Partial<DesiredKernel>
  readonly survey?: Partial<KernelSurvey>
  readonly want: readonly string[]
  readonly missing?: readonly string[]
  readonly disconnected?: readonly string[]
}

const rows: readonly Row[] = [
  { does: '[D5] leaves a kernel alone that is as it must be', want: [] },
  {
    does: '[D1] sets up an ENI whose default route is missing',
    survey: { routes: [podRoute, toGateway] },
    want: ['set-up-eni eth1'],
  },
  {
    does: '[D1] sets up an ENI that is down',
    survey: { links: [{ ...eth1, up: false }] },
    want: ['set-up-eni eth1'],
  },
  {
    does: '[D5] sets up an ENI whose own address is gone',
    survey: { links: [{ ...eth1, addresses: [] }] },
    want: ['set-up-eni eth1'],
  },
  {
    does: '[D5] leaves an ENI alone that has its address, and others',
    survey: { links: [{ ...eth1, addresses: [ip('192.0.2.1'), eni.primaryIp] }] },
    want: [],
  },
  {
    does: '[R4] writes whose a pod link is where that is missing or wrong',
    desired: { pods: [{ ...pod, alias: 'right' }] },
    survey: { podLinks: [{ name: 'tke5', up: true, alias: 'wrong' }] },
    want: ['name-link tke5'],
  },
  {
    does: '[R4] leaves an alias that is right',
    desired: { pods: [{ ...pod, alias: 'right' }] },
    survey: { podLinks: [{ name: 'tke5', up: true, alias: 'right' }] },
    want: [],
  },
  {
    does: '[D1] keeps the tables where another base is set',
    desired: { routeTableBase: 4000 },
    want: [
      'set-up-eni eth1',
      'add-rule from 10.0.1.5 4007',
      'remove-rule from 10.0.1.5 2007',
      'remove-route 2007 10.0.0.1 eth1',
      'remove-route 2007 default eth1',
    ],
  },
  {
    does: '[D2] puts back both rules and the route of a pod',
    survey: { rules: [], routes: [toGateway, defaultRoute] },
    want: ['add-rule to 10.0.1.5 254', 'add-rule from 10.0.1.5 2007', 'add-route 254 10.0.1.5 tke5'],
  },
  {
    does: '[D2] corrects a rule that leads to the table of another ENI',
    survey: { rules: [toPod, { ...fromPod, table: 2009 }] },
    want: ['add-rule from 10.0.1.5 2007', 'remove-rule from 10.0.1.5 2009'],
  },
  {
    does: '[D3] switches reverse path checks off again',
    survey: { sysctls: { ...sysctls, 'net.ipv4.conf.all.rp_filter': '1' } },
    want: ['set-sysctl net.ipv4.conf.all.rp_filter=0'],
  },
  {
    does: '[D3] passes over a sysctl that the kernel does not have',
    survey: { sysctls: { 'net.ipv4.conf.all.rp_filter': '0' } },
    want: [],
  },
  {
    does: '[D4] finds the ENI by its MAC, under whatever name and index',
    survey: {
      links: [{ ...eth1, name: 'ens9', index: 9 }],
      rules: [toPod],
      routes: [podRoute],
    },
    want: ['set-up-eni ens9', 'add-rule from 10.0.1.5 2009'],
  },
  {
    does: '[D4] tells of an ENI whose link is not there, and keeps what needs no link',
    survey: { links: [], routes: [podRoute] },
    want: ['remove-rule from 10.0.1.5 2007'],
    missing: [eni.mac],
  },
  {
    does: '[D5] removes rules, routes and links of no live pod',
    desired: { pods: [] },
    want: [
      'remove-rule to 10.0.1.5 254',
      'remove-rule from 10.0.1.5 2007',
      'remove-route 254 10.0.1.5 tke5',
      'remove-link tke5',
    ],
  },
  {
    does: '[D5] raises a host link that is down',
    survey: { podLinks: [{ name: 'tke5', up: false }] },
    want: ['raise-link tke5'],
  },
  {
    does: '[D5] tells of a pod whose host link is gone, and wires nothing to nowhere',
    survey: { podLinks: [], routes: [toGateway, defaultRoute] },
    want: ['remove-rule to 10.0.1.5 254', 'remove-rule from 10.0.1.5 2007'],
    disconnected: ['10.0.1.5'],
  },
  {
    does: '[D5] keeps off a pod that is being added',
    desired: { busy: { addresses: new Set([nth(5)]), links: new Set(['tke5']) } },
    survey: { rules: [toPod], routes: [toGateway, defaultRoute] },
    want: [],
  },
  {
    does: '[D5] keeps off a pod that is being removed',
    desired: { pods: [], busy: { addresses: new Set([nth(5)]), links: new Set(['tke5']) } },
    want: [],
  },
  {
    does: '[D5] keeps the routes of an ENI that is not known, while a pod that is held leaves by it',
    desired: {
      enis: [],
      pods: [],
      busy: { addresses: new Set([nth(5)]), links: new Set(['tke5']) },
    },
    want: [],
  },
  {
    does: '[D5] removes the leftovers of an ENI that went',
    desired: { enis: [], pods: [] },
    survey: { links: [], rules: [], podLinks: [] },
    want: [
      'remove-route 254 10.0.1.5 tke5',
      'remove-route 2007 10.0.0.1 eth1',
      'remove-route 2007 default eth1',
    ],
  },
  {
    does: '[X1] leaves an exclusive ENI alone that nobody has and that is clean',
    desired: { spareEnis: [spare] },
    survey: { links: [eth1, eth8] },
    want: [],
  },
  {
    does: '[X1] cleans an exclusive ENI that nobody has and that is up',
    desired: { spareEnis: [spare] },
    survey: { links: [eth1, { ...eth8, up: true }] },
    want: ['clean-eni eth8'],
  },
  {
    does: '[X1] cleans an exclusive ENI that has kept an address, found by its MAC',
    desired: { spareEnis: [spare] },
    survey: { links: [eth1, { ...eth8, name: 'ens8', addresses: [nth(80)] }] },
    want: ['clean-eni ens8'],
  },
  {
    does: '[X1] tells of an exclusive ENI that nobody has and that is not there',
    desired: { spareEnis: [spare] },
    want: [],
    missing: [spare],
  },
]

for (const row of rows) {
  test(row.does.replace(/^(\[\w+\]) /, '$1 planRepair() '), () => {
    const repair = planRepair({ ...wanted, ...row.desired }, { ...whole, ...row.survey })
    assert.deepEqual(repair.changes.map(tell), row.want)
    assert.deepEqual(repair.missingEnis, row.missing ?? [])
    assert.deepEqual(repair.disconnected, row.disconnected ?? [])
  })
}

function tell(change: KernelChange): string {
  switch (change.kind) {
    case 'set-sysctl':
      return `set-sysctl ${change.key}=${change.value}`
    case 'add-rule':
    case 'remove-rule': {
      const { from, to, table } = change.rule
      return `${change.kind} ${from === undefined ? `to ${to}` : `from ${from}`} ${table}`
    }
    case 'add-route':
    case 'remove-route':
      return `${change.kind} ${change.route.table} ${change.route.to} ${change.route.dev}`
    default:
      return `${change.kind} ${change.link}`
  }
}

test('[D1][D2][D3][D5][X1] planRepair() once is enough, whatever the drift', () => {
  const enis = [publishedEni(1), publishedEni(2)]
  const pods = [1, 2, 3, 4].map((n) => ({
    address: nth(n),
    eniMac: n % 2 === 0 ? mac('20:90:6f:00:00:01') : mac('20:90:6f:00:00:02'),
    hostLink: `tke${n}`,
    alias: n === 3 ? 'of pod 3' : undefined,
  }))
  const anyRule: fc.Arbitrary<Rule> = fc.oneof(
    fc.record({
      priority: fc.constant(512),
      to: fc.integer({ min: 1, max: 6 }).map(nth),
      table: fc.constant(254),
    }),
    fc.record({
      priority: fc.constant(1536),
      from: fc.integer({ min: 1, max: 6 }).map(nth),
      table: fc.constantFrom(2003, 2004, 2009),
    }),
  )
  const anyRoute: fc.Arbitrary<Route> = fc.oneof(
    fc.record({
      table: fc.constant(254),
      to: fc.integer({ min: 1, max: 6 }).map(nth),
      dev: fc.constantFrom('tke1', 'tke2', 'tke3', 'tke9'),
    }),
    fc.record({
      table: fc.constantFrom(2003, 2004),
      to: fc.constant('default'),
      via: fc.constant(ip('10.0.0.1')),
      dev: fc.constantFrom('eth1', 'eth2'),
    }),
  )
  const anySurvey = fc.record({
    links: fc
      .subarray<Link>([
        { name: 'eth1', index: 3, mac: mac('20:90:6f:00:00:01'), up: true },
        { name: 'eth2', index: 4, mac: mac('20:90:6f:00:00:02'), up: false },
        { ...eth8, up: true },
      ])
      .map((links) => links.map((link, i) => (i === 0 ? { ...link, addresses: [] } : link))),
    rules: fc.uniqueArray(anyRule, { selector: (rule) => JSON.stringify(rule) }),
    routes: fc.uniqueArray(anyRoute, { selector: (route) => JSON.stringify(route) }),
    podLinks: fc
      .subarray(['tke1', 'tke2', 'tke3', 'tke8'])
      .map((names) => names.map((name) => ({ name, up: true }))),
    sysctls: fc.constantFrom({ 'net.ipv4.conf.all.rp_filter': '1' }, { 'net.ipv4.conf.all.rp_filter': '0' }),
  })
  fc.assert(
    fc.property(fc.subarray(pods), anySurvey, (some, survey) => {
      const desired: DesiredKernel = { ...wanted, enis, spareEnis: [spare], pods: some }
      const first = planRepair(desired, survey)
      const second = planRepair(desired, first.changes.reduce(apply, survey))
      assert.deepEqual(second.changes, [])
      assert.deepEqual(second.missingEnis, first.missingEnis)
      assert.deepEqual(second.disconnected, first.disconnected)
    }),
    { numRuns: 500 },
  )
})

function apply(survey: KernelSurvey, change: KernelChange): KernelSurvey {
  const { links, rules, routes, podLinks } = survey
  const without = <T>(all: readonly T[], one: T) =>
    all.filter((item) => JSON.stringify(item) !== JSON.stringify(one))
  switch (change.kind) {
    case 'set-up-eni': {
      const table = 2000 + (links.find(({ name }) => name === change.link)?.index ?? 0)
      const made: Route[] = [
        { table, to: change.eni.gateway, dev: change.link },
        { table, to: 'default', via: change.eni.gateway, dev: change.link },
      ]
      const addresses = [change.eni.primaryIp]
      const up = links.map((link) => (link.name === change.link ? { ...link, up: true, addresses } : link))
      return { ...survey, links: up, routes: [...made.reduce(without<Route>, routes), ...made] }
    }
    case 'clean-eni': {
      const clean = { up: false, addresses: [] }
      const down = links.map((link) => (link.name === change.link ? { ...link, ...clean } : link))
      return { ...survey, links: down }
    }
    case 'add-rule':
      return { ...survey, rules: [...rules, change.rule] }
    case 'remove-rule':
      return { ...survey, rules: without(rules, change.rule) }
    case 'add-route':
      return { ...survey, routes: [...routes, change.route] }
    case 'remove-route':
      return { ...survey, routes: without(routes, change.route) }
    case 'remove-link':
      return {
        ...survey,
        podLinks: podLinks.filter(({ name }) => name !== change.link),
        routes: routes.filter(({ dev }) => dev !== change.link),
      }
    case 'name-link': {
      const { alias, link } = change
      return { ...survey, podLinks: podLinks.map((one) => (one.name === link ? { ...one, alias } : one)) }
    }
    case 'raise-link':
      return survey
    case 'set-sysctl':
      return { ...survey, sysctls: { ...survey.sysctls, [change.key]: change.value } }
  }
}
