import assert from 'node:assert/strict'
import { test } from 'node:test'
import { IpamError } from '../../internal/ipam/errors.ts'
import { parseIpv4 } from '../../internal/value/ipv4.ts'
import { parseMac } from '../../internal/value/mac.ts'
import { CniFault, formatCniFault, toCniFault } from '../../internal/wire/cni-fault.ts'
import { checkRequest, readRawRequest } from '../../internal/wire/cni-request.ts'
import { formatAddResult, type PodConnection } from '../../internal/wire/cni-result.ts'
import { answerVersion, cniVersions } from '../../internal/wire/cni-version.ts'

function known<T>(value: T | undefined): T {
  assert.ok(value !== undefined)
  return value
}

const connection: PodConnection = {
  address: known(parseIpv4('10.0.1.5')),
  bits: 32,
  gateway: known(parseIpv4('169.254.1.1')),
  netns: '/run/netns/a',
  mtu: 1500,
  pod: { name: 'eth0', mac: known(parseMac('02:00:00:00:00:01')) },
  host: { name: 'enic0ffee', mac: known(parseMac('02:00:00:00:00:02')) },
}

function configOf(config: Record<string, unknown>) {
  const env = { CNI_COMMAND: 'ADD', CNI_CONTAINERID: 'a', CNI_NETNS: '/a', CNI_IFNAME: 'eth0' }
  return checkRequest(readRawRequest(env, JSON.stringify({ name: 'tke', type: 'tke-route-eni', ...config })))
    .config
}

test('[D6] formatAddResult() follows the version asked for', () => {
  for (const cniVersion of cniVersions) {
    const mtu = cniVersion === '1.1.0' ? { mtu: 1500 } : {}
    const version = cniVersion.startsWith('0.') ? { version: '4' } : {}
    assert.deepEqual(
      formatAddResult(configOf({ cniVersion, dns: { nameservers: ['10.0.0.2'] } }), connection),
      {
        cniVersion,
        interfaces: [
          { name: 'enic0ffee', mac: '02:00:00:00:00:02', ...mtu },
          { name: 'eth0', mac: '02:00:00:00:00:01', ...mtu, sandbox: '/run/netns/a' },
        ],
        ips: [{ ...version, address: '10.0.1.5/32', gateway: '169.254.1.1', interface: 1 }],
        routes: [{ dst: '0.0.0.0/0', gw: '169.254.1.1' }],
        dns: { nameservers: ['10.0.0.2'] },
      },
    )
  }
})

test("[D6][X1] formatAddResult() tells of an ENI in the pod's namespace: no link on the node, the subnet's bits", () => {
  const { host: _, mtu: __, ...one } = connection
  const exclusive = {
    ...one,
    bits: 20,
    gateway: known(parseIpv4('10.0.0.1')),
    host: undefined,
    mtu: undefined,
  }
  for (const cniVersion of cniVersions) {
    const version = cniVersion.startsWith('0.') ? { version: '4' } : {}
    assert.deepEqual(formatAddResult(configOf({ cniVersion }), exclusive), {
      cniVersion,
      interfaces: [{ name: 'eth0', mac: '02:00:00:00:00:01', sandbox: '/run/netns/a' }],
      ips: [{ ...version, address: '10.0.1.5/20', gateway: '10.0.0.1', interface: 0 }],
      routes: [{ dst: '0.0.0.0/0', gw: '10.0.0.1' }],
      dns: {},
    })
  }
})

test('[D6] formatAddResult() keeps what an earlier plugin of the list made', () => {
  const prevResult = {
    interfaces: [{ name: 'other0', custom: true }],
    ips: [{ address: '192.0.2.1/24', interface: 0 }],
    routes: [{ dst: '192.0.2.0/24' }],
    dns: { domain: 'example' },
  }
  const result = formatAddResult(configOf({ cniVersion: '1.0.0', prevResult }), connection)
  assert.deepEqual(result['ips'], [
    { address: '192.0.2.1/24', interface: 0 },
    { address: '10.0.1.5/32', gateway: '169.254.1.1', interface: 2 },
  ])
  assert.deepEqual((result['interfaces'] as unknown[])[0], { name: 'other0', custom: true })
  assert.deepEqual((result['routes'] as unknown[])[0], { dst: '192.0.2.0/24' })
  assert.deepEqual(result['dns'], { domain: 'example' })
})

test('[D6] answerVersion() answers in the version asked for, or in the newest', () => {
  for (const [stdin, wanted] of [
    ['{"cniVersion":"1.0.0"}', '1.0.0'],
    ['{"cniVersion":"0.4.0"}', '0.4.0'],
    ['{"cniVersion":"9.9.9"}', '1.1.0'],
    ['', '1.1.0'],
    ['null', '1.1.0'],
    ['{', '1.1.0'],
  ] as const) {
    assert.deepEqual(JSON.parse(answerVersion(stdin)), {
      cniVersion: wanted,
      supportedVersions: [...cniVersions],
    })
  }
})

test('toCniFault() tells the runtime to try again when that can help', () => {
  for (const [code, wanted] of [
    ['no_address', 11],
    ['unavailable', 11],
    ['bad_input', 7],
    ['kernel', 100],
    ['storage', 101],
    ['denied', 102],
    ['unauthenticated', 102],
  ] as const) {
    assert.equal(toCniFault(new IpamError(code, 'Cannot x: y')).code, wanted)
  }
  assert.equal(toCniFault(new TypeError('odd')).code, 199)
})

test('formatCniFault() prints the error object of the specification', () => {
  const text = formatCniFault(new CniFault(11, 'Cannot x: y', 'look there'), '1.0.0')
  assert.deepEqual(JSON.parse(text), {
    cniVersion: '1.0.0',
    code: 11,
    msg: 'Cannot x: y',
    details: 'look there',
  })
})
