import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type EipAnnotations, eipOfPod, eipWishOf, ordinalOf } from '../../internal/ipam/eip-wish.ts'
import type { PodEip } from '../../internal/ipam/types.ts'

const none = { attributes: undefined, ids: undefined, policy: undefined, expiry: undefined }
const web0 = { name: 'web-0', controllerKind: 'StatefulSet' }
const ask = (said: Partial<EipAnnotations>, pod = web0) => eipWishOf({ ...none, ...said }, pod)
const common = {
  ...{ source: 'created', bandwidth: 100, isp: 'BGP', chargeType: 'TRAFFIC_POSTPAID_BY_HOUR' },
  ...{ label: undefined, tags: {}, raw: {}, policy: 'Immediate', expireAfter: undefined },
}

for (const { does, attributes, want } of [
  { does: 'as the documents have it', attributes: '{"Bandwidth":"100","ISP":"BGP"}', want: {} },
  { does: 'nothing', attributes: '', want: {} },
  { does: 'an empty object', attributes: '{}', want: {} },
  { does: 'both left empty', attributes: '{"Bandwidth":"","ISP":""}', want: {} },
  { does: 'a number', attributes: '{"Bandwidth":7}', want: { bandwidth: 7 } },
  { does: 'the least', attributes: '{"Bandwidth":"1"}', want: { bandwidth: 1 } },
  { does: 'a line', attributes: '{"ISP":"CMCC"}', want: { isp: 'CMCC' } },
  {
    does: "the API's own words",
    attributes:
      '{"InternetMaxBandwidthOut":50,"InternetServiceProvider":"CTCC","InternetChargeType":"BANDWIDTH_POSTPAID_BY_HOUR"}',
    want: { bandwidth: 50, isp: 'CTCC', chargeType: 'BANDWIDTH_POSTPAID_BY_HOUR' },
  },
  {
    does: 'a bandwidth package',
    attributes:
      '{"Bandwidth":"2000","InternetChargeType":"BANDWIDTH_PACKAGE","BandwidthPackageId":"bwp-1a2b3c4d"}',
    want: { bandwidth: 2000, chargeType: 'BANDWIDTH_PACKAGE', raw: { BandwidthPackageId: 'bwp-1a2b3c4d' } },
  },
  {
    does: 'a name, tags and more',
    attributes:
      '{"AddressName":"shop","Tags":[{"Key":"cost","Value":"shop"}],"AddressType":"EIP","Egress":"center_egress1","VipCluster":["a"]}',
    want: {
      label: 'shop',
      tags: { cost: 'shop' },
      raw: { AddressType: 'EIP', Egress: 'center_egress1', VipCluster: ['a'] },
    },
  },
])
  test(`[E1] eipWishOf() takes attributes with ${does}`, () => {
    assert.deepEqual(ask({ attributes }), { ...common, ...want })
  })

for (const { does, attributes, says } of [
  {
    does: 'broken JSON',
    attributes: '{"Bandwidth":',
    says: /it is no JSON; allowed is a JSON object such as/,
  },
  { does: 'a list', attributes: '[]', says: /it is no object; allowed/ },
  { does: 'null', attributes: 'null', says: /it is no object; allowed/ },
  { does: 'a number', attributes: '100', says: /it is no object; allowed/ },
  {
    does: 'an unknown key',
    attributes: '{"Bandwith":"100"}',
    says: /"Bandwith" is no attribute; allowed are Bandwidth, ISP/,
  },
  { does: 'a key in small letters', attributes: '{"bandwidth":"100"}', says: /"bandwidth" is no attribute/ },
  { does: 'what every object has', attributes: '{"constructor":"1"}', says: /"constructor" is no attribute/ },
  { does: 'a prototype', attributes: '{"__proto__":{"Bandwidth":"1"}}', says: /"__proto__" is no attribute/ },
  {
    does: "the leader's own token",
    attributes: '{"ClientToken":"x"}',
    says: /"ClientToken" is no attribute/,
  },
  { does: 'more than one', attributes: '{"AddressCount":2}', says: /"AddressCount" is no attribute/ },
  {
    does: 'no such line',
    attributes: '{"ISP":"bgp"}',
    says: /ISP is "bgp"; allowed is one of BGP, CMCC, CTCC, CUCC/,
  },
  {
    does: 'no bandwidth',
    attributes: '{"Bandwidth":"0"}',
    says: /Bandwidth is "0"; allowed is a whole number of 1 to 100/,
  },
  {
    does: 'too much of it',
    attributes: '{"Bandwidth":"101"}',
    says: /101 is too much for TRAFFIC_POSTPAID_BY_HOUR; allowed is a whole number of 1 to 100/,
  },
  {
    does: 'far too much',
    attributes: '{"Bandwidth":2001,"InternetChargeType":"BANDWIDTH_PACKAGE","BandwidthPackageId":"bwp-1"}',
    says: /Bandwidth is 2001; allowed/,
  },
  { does: 'a part of it', attributes: '{"Bandwidth":1.5}', says: /Bandwidth is 1.5; allowed/ },
  { does: 'a unit', attributes: '{"Bandwidth":"100M"}', says: /Bandwidth is "100M"; allowed/ },
  { does: 'space in it', attributes: '{"Bandwidth":" 100"}', says: /Bandwidth is " 100"; allowed/ },
  { does: 'null in it', attributes: '{"Bandwidth":null}', says: /Bandwidth is null; allowed/ },
  {
    does: 'it twice',
    attributes: '{"Bandwidth":"1","InternetMaxBandwidthOut":1}',
    says: /are the same; allowed is one of them/,
  },
  {
    does: 'the line twice',
    attributes: '{"ISP":"BGP","InternetServiceProvider":"BGP"}',
    says: /are the same/,
  },
  {
    does: 'payment by the month',
    attributes: '{"InternetChargeType":"BANDWIDTH_PREPAID_BY_MONTH"}',
    says: /allowed is one of TRAFFIC_POSTPAID_BY_HOUR/,
  },
  {
    does: 'a package that is not named',
    attributes: '{"InternetChargeType":"BANDWIDTH_PACKAGE"}',
    says: /go together/,
  },
  {
    does: 'a package that is not used',
    attributes: '{"BandwidthPackageId":"bwp-1a2b3c4d"}',
    says: /go together/,
  },
  {
    does: 'tags of ours',
    attributes: '{"Tags":[{"Key":"tke-eni-cluster","Value":"x"}]}',
    says: /none that begins with "tke-"/,
  },
  {
    does: 'a tag twice',
    attributes: '{"Tags":[{"Key":"a","Value":"x"},{"Key":"a","Value":"y"}]}',
    says: /each key once/,
  },
  {
    does: 'a book',
    attributes: `{"AddressName":"${'x'.repeat(9000)}"}`,
    says: /characters; allowed are 8192/,
  },
])
  test(`[E1] [R6] eipWishOf() refuses attributes with ${does}`, () => {
    const wish = ask({ attributes })
    assert.ok(wish !== undefined && 'fault' in wish)
    assert.match(wish.fault, says)
    assert.ok(wish.fault.startsWith('annotation tke.cloud.tencent.com/eip-attributes "'))
    assert.ok(wish.fault.length < 500)
  })

for (const { does, said, pod = web0, want } of [
  { does: 'nothing', said: {}, want: undefined },
  { does: 'only how long', said: { expiry: '1h' }, want: undefined },
  {
    does: 'that it is kept',
    said: { attributes: '', policy: 'Never' },
    want: { ...common, policy: 'Never' },
  },
  {
    does: 'how long it is kept',
    said: { attributes: '', policy: 'Never', expiry: '1h30m' },
    want: { ...common, policy: 'Never', expireAfter: 5_400_000 },
  },
  { does: 'that it is not kept', said: { attributes: '', policy: 'Immediate' }, want: common },
  { does: 'how long, of one that is not kept', said: { attributes: '', expiry: 'soon' }, want: common },
  {
    does: 'two that are there',
    said: { ids: 'eip-xxx1, eip-xxx2' },
    want: {
      source: 'specified',
      ids: ['eip-xxx1', 'eip-xxx2'],
      ordinal: 0,
      policy: 'Immediate',
      expireAfter: undefined,
    },
  },
  {
    does: 'one that is there, for any of a Deployment',
    said: { ids: 'eip-xxx1', policy: 'Never' },
    pod: { name: 'web-6f7d4-24567', controllerKind: 'ReplicaSet' },
    want: {
      source: 'specified',
      ids: ['eip-xxx1'],
      ordinal: undefined,
      policy: 'Never',
      expireAfter: undefined,
    },
  },
])
  test(`[E2] [E3] [E4] eipWishOf() reads ${does}`, () => {
    assert.deepEqual(ask(said, pod), want)
  })

for (const { does, said, says } of [
  {
    does: 'an empty list',
    said: { ids: '' },
    says: /eip-id-list "": "" is no id of an EIP; allowed are ids such as/,
  },
  { does: 'a gap', said: { ids: 'eip-aaaa,,eip-bbbb' }, says: /"" is no id of an EIP/ },
  // A call about it would be refused, and the pod be told that there is none of that id.
  { does: 'an id that is too short', said: { ids: 'eip-1a2' }, says: /"eip-1a2" is no id of an EIP/ },
  { does: 'an address', said: { ids: '1.2.3.4' }, says: /"1.2.3.4" is no id of an EIP/ },
  { does: 'capital letters', said: { ids: 'EIP-1' }, says: /"EIP-1" is no id/ },
  { does: 'one twice', said: { ids: 'eip-aaaa,eip-bbbb,eip-aaaa' }, says: /has "eip-aaaa" twice/ },
  {
    does: 'very many',
    said: { ids: Array.from({ length: 1001 }, (_, i) => `eip-${1000 + i}`).join() },
    says: /1001 ids, 1000 are allowed/,
  },
  {
    does: 'both',
    said: { ids: 'eip-aaaa', attributes: '' },
    says: /eip-id-list "eip-aaaa": it does not go with tke.cloud.tencent.com\/eip-attributes/,
  },
  {
    does: 'another policy',
    said: { attributes: '', policy: 'never' },
    says: /eip-claim-delete-policy "never": it is neither Never nor Immediate/,
  },
  {
    does: 'a policy alone',
    said: { policy: 'Never' },
    says: /eip-claim-delete-policy "Never": it goes with/,
  },
  {
    does: 'no duration',
    said: { attributes: '', policy: 'Never', expiry: 'soon' },
    says: /claim-expired-duration "soon": it is not a duration of 5m to 4380h/,
  },
  { does: 'a short one', said: { ids: 'eip-aaaa', policy: 'Never', expiry: '4m59s' }, says: /5m to 4380h/ },
])
  test(`[E4] [R6] eipWishOf() refuses ${does}, and says which annotation it is`, () => {
    const wish = ask(said)
    assert.ok(wish !== undefined && 'fault' in wish)
    assert.match(wish.fault, says)
  })

test('[E1] [R6] eipWishOf() takes any text, and what it takes is in bounds', () => {
  const key = fc.constantFrom(
    'Bandwidth',
    'ISP',
    'InternetChargeType',
    'BandwidthPackageId',
    'Tags',
    'VipCluster',
    'x',
  )
  const value = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom('BGP', 'BANDWIDTH_PACKAGE', 'bwp-1'),
    fc.integer({ min: -5, max: 2005 }),
  )
  const attributes = fc.oneof(
    fc.string(),
    fc.json(),
    fc.dictionary(key, value).map((fields) => JSON.stringify(fields)),
  )
  fc.assert(
    fc.property(attributes, fc.option(fc.string(), { nil: undefined }), (text, policy) => {
      const wish = ask({ attributes: text, policy })
      assert.ok(wish !== undefined)
      if ('fault' in wish) return assert.match(wish.fault, /^annotation tke\.cloud\.tencent\.com\/eip-/)
      assert.ok(wish.source === 'created' && ['Never', 'Immediate'].includes(wish.policy))
      assert.ok(Number.isInteger(wish.bandwidth) && wish.bandwidth >= 1 && wish.bandwidth <= 2000)
      assert.ok(wish.bandwidth <= 100 || wish.chargeType === 'BANDWIDTH_PACKAGE')
      assert.ok(['BGP', 'CMCC', 'CTCC', 'CUCC'].includes(wish.isp))
    }),
  )
})

for (const [name, controllerKind, want] of [
  ['web-0', 'StatefulSet', 0],
  ['web-12', undefined, 12],
  ['a-b-3', 'CloneSet', 3],
  ['web-007', 'StatefulSet', undefined],
  ['web', undefined, undefined],
  ['web2', undefined, undefined],
  ['web-x2', undefined, undefined],
  ['web-6f7d4-24567', 'ReplicaSet', undefined],
  ['log-24567', 'DaemonSet', undefined],
  ['web-9999999999999', undefined, undefined],
] as const)
  test(`[E4] ordinalOf() of ${name} of ${controllerKind ?? 'nobody'} is ${want ?? 'not there'}`, () => {
    assert.equal(ordinalOf({ name, controllerKind }), want)
  })

test('[E7] eipOfPod() serves both modes, and tells others why not', () => {
  const wish = ask({ attributes: '' })
  assert.ok(wish !== undefined && !('fault' in wish))
  const eip: PodEip = { wish }
  const pod = { eip, hostNetwork: false, wants: 'shared' } as const
  assert.equal(eipOfPod(pod), eip)
  assert.equal(eipOfPod({ ...pod, wants: 'exclusive' }), eip)
  assert.equal(eipOfPod({ hostNetwork: true, wants: undefined }), undefined)
  for (const [other, says] of [
    [{ hostNetwork: true }, /node's network/],
    [{ wants: undefined }, /tke-route-eni/],
    [{ eip: { fault: 'odd' } }, /odd/],
  ] as const) {
    const found = eipOfPod({ ...pod, ...other })
    assert.ok(found !== undefined && 'fault' in found)
    assert.match(found.fault, says)
  }
})
