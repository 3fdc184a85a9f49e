import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { DefaultNetwork } from '../../internal/ipam/names.ts'
import type { EniMode } from '../../internal/ipam/types.ts'
import { isStaticPod, toNodeFact, toPodFact } from '../../internal/kube/facts.ts'

const eniIp = 'tke.cloud.tencent.com/eni-ip'
const directEni = 'tke.cloud.tencent.com/direct-eni'
const policy = 'tke.cloud.tencent.com/vpc-ip-claim-delete-policy'
const networks = (value: string) => ({ 'tke.cloud.tencent.com/networks': value })
const asking = (resource: string, amount: unknown = '1', kind = 'requests') => [
  {},
  { name: 'app', resources: { [kind]: { [resource]: amount } } },
]

const wishes: readonly {
  does: string
  annotations?: unknown
  containers?: unknown
  initContainers?: unknown
  network?: DefaultNetwork
  want: EniMode | undefined
}[] = [
  { does: 'asks for nothing', want: undefined },
  { does: 'requests eni-ip', containers: asking(eniIp), want: 'shared' },
  { does: 'has an eni-ip limit', containers: asking(eniIp, '1', 'limits'), want: 'shared' },
  { does: 'requests eni-ip as a number', containers: asking(eniIp, 1), want: 'shared' },
  { does: 'requests eni-ip in an init container', initContainers: asking(eniIp), want: 'shared' },
  { does: 'requests none of eni-ip', containers: asking(eniIp, '0'), want: undefined },
  // Ended with "Cannot convert object to primitive value", and the watch of all pods with it.
  { does: 'requests an object of eni-ip', containers: asking(eniIp, { toString: 1 }), want: undefined },
  { does: 'names tke-route-eni', annotations: networks('tke-route-eni'), want: 'shared' },
  { does: 'names two networks', annotations: networks('tke-bridge, tke-route-eni'), want: 'shared' },
  { does: 'names it in full', annotations: networks('kube-system/tke-route-eni@eth1'), want: 'shared' },
  { does: 'names it in JSON', annotations: networks('[{"name":"tke-route-eni"}]'), want: 'shared' },
  { does: 'names it in JSON texts', annotations: networks('["tke-bridge","tke-route-eni"]'), want: 'shared' },
  { does: 'names another network', annotations: networks('tke-bridge'), want: undefined },
  { does: 'names something like it', annotations: networks('tke-route-eni-2'), want: undefined },
  { does: 'names what every object has', annotations: networks('constructor'), want: undefined },
  { does: 'names broken JSON', annotations: networks('[{"name":"tke-route-eni"'), want: undefined },
  { does: 'requests direct-eni', containers: asking(directEni), want: 'exclusive' },
  { does: 'names nothing, by default', network: 'tke-route-eni', want: 'shared' },
  {
    does: 'names another network than the default',
    annotations: networks('tke-bridge'),
    network: 'tke-route-eni',
    want: undefined,
  },
  {
    does: 'has an exclusive ENI instead of the default',
    annotations: networks('tke-direct-eni'),
    network: 'tke-route-eni',
    want: 'exclusive',
  },
  {
    does: 'requests direct-eni instead of the default',
    containers: asking(directEni),
    network: 'tke-route-eni',
    want: 'exclusive',
  },
  {
    does: 'requests both resources',
    containers: [...asking(directEni), ...asking(eniIp)],
    network: 'tke-route-eni',
    want: 'shared',
  },
  {
    does: 'names an empty list, by default',
    annotations: networks(' '),
    network: 'tke-route-eni',
    want: 'shared',
  },
  { does: 'names tke-direct-eni', annotations: networks('tke-direct-eni'), want: 'exclusive' },
  { does: 'names nothing, where ENIs are the default', network: 'tke-direct-eni', want: 'exclusive' },
  {
    does: 'requests eni-ip, where ENIs are the default',
    containers: asking(eniIp),
    network: 'tke-direct-eni',
    want: 'shared',
  },
  {
    does: 'names one mode and requests the other',
    annotations: networks('tke-direct-eni'),
    containers: asking(eniIp),
    want: 'exclusive',
  },
  {
    does: 'names both modes',
    annotations: networks('tke-route-eni,tke-direct-eni'),
    want: 'shared',
  },
]
for (const { does, annotations, containers, initContainers, network, want } of wishes)
  test(`[P18] toPodFact() ${want === undefined ? 'does not count' : `counts as ${want}`} a pod that ${does}`, () => {
    const object = {
      metadata: { name: 'p', namespace: 'n', uid: 'u', annotations },
      spec: { containers, initContainers },
    }
    assert.equal(toPodFact(object, network ?? 'other')?.wants, want)
  })

test('toPodFact() reduces a pod to what we use', () => {
  const pod = {
    metadata: { name: 'web-0', namespace: 'shop', uid: 'u1', deletionTimestamp: '2026-01-01T00:00:00Z' },
    spec: { nodeName: 'node-1', hostNetwork: true, containers: [{ name: 'app', image: 'x' }] },
    status: { phase: 'Failed', podIP: '10.0.1.5' },
  }
  assert.deepEqual(toPodFact(pod, 'other'), {
    namespace: 'shop',
    name: 'web-0',
    uid: 'u1',
    node: 'node-1',
    hostNetwork: true,
    terminal: true,
    deleting: true,
    wants: undefined,
    ip: '10.0.1.5',
    keepsIp: false,
  })
})

const owner = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'web', uid: 'u-web' }
const never = { 'vpc-ip-claim-delete-policy': 'Never' }
for (const { does, annotations, owners, want } of [
  { does: 'without annotations', annotations: {}, owners: [owner], want: { keepsIp: false } },
  { does: 'keeps it', annotations: never, owners: [], want: { keepsIp: true } },
  {
    does: 'keeps it, and has a controller',
    annotations: never,
    owners: [
      { ...owner, controller: false },
      { ...owner, controller: true, blockOwnerDeletion: true },
    ],
    want: { keepsIp: true, claim: { owner } },
  },
  {
    does: 'says that it does not keep it',
    annotations: { 'vpc-ip-claim-delete-policy': 'Immediate' },
    want: { keepsIp: false },
  },
  {
    does: 'has a policy that is none',
    annotations: { 'vpc-ip-claim-delete-policy': 'never' },
    owners: [{ ...owner, controller: true }],
    want: {
      keepsIp: false,
      claim: {
        owner,
        unclear: ['policy'],
        fault:
          'annotation tke.cloud.tencent.com/vpc-ip-claim-delete-policy "never": it is neither Never nor Immediate',
      },
    },
  },
  {
    does: 'refines it',
    annotations: {
      ...never,
      'claim-expired-duration': '1h30m',
      'nominated-vpc-ip': '10.0.1.77',
      'nominated-eni-subnets': 'subnet-1, subnet-2,subnet-1',
    },
    want: {
      keepsIp: true,
      claim: {
        expireAfter: 5_400_000,
        nominatedIp: '10.0.1.77',
        nominatedSubnets: ['subnet-1', 'subnet-2'],
      },
    },
  },
  {
    does: 'wants no time at all, which nobody could mean',
    annotations: { ...never, 'claim-expired-duration': '0' },
    want: {
      keepsIp: true,
      claim: {
        unclear: ['expireAfter'],
        fault:
          'annotation tke.cloud.tencent.com/claim-expired-duration "0": it is not a duration of 5m to 4380h (such as 1h30m)',
      },
    },
  },
  {
    does: 'wants more time than there is',
    annotations: { ...never, 'claim-expired-duration': '100000000d' },
    want: {
      keepsIp: true,
      claim: {
        unclear: ['expireAfter'],
        fault:
          'annotation tke.cloud.tencent.com/claim-expired-duration "100000000d": it is not a duration of 5m to 4380h (such as 1h30m)',
      },
    },
  },
  {
    does: 'wants less than five minutes, and no address',
    annotations: { ...never, 'claim-expired-duration': '4m59s', 'nominated-vpc-ip': '10.0.1.300' },
    want: {
      keepsIp: true,
      claim: {
        unclear: ['expireAfter'],
        fault:
          'annotation tke.cloud.tencent.com/claim-expired-duration "4m59s": it is not a duration of 5m to 4380h (such as 1h30m); ' +
          'annotation tke.cloud.tencent.com/nominated-vpc-ip "10.0.1.300": it is not an IPv4 address',
      },
    },
  },
  {
    does: 'names no subnet',
    annotations: { 'nominated-eni-subnets': `${'vpc-1,'.repeat(20)}\n` },
    want: {
      keepsIp: false,
      claim: {
        fault: `annotation tke.cloud.tencent.com/nominated-eni-subnets "${'vpc-1,'.repeat(9)}vpc...": it is not a list of subnets with commas between`,
      },
    },
  },
])
  test(`[S12] toPodFact() reads what a pod ${does} says of its address`, () => {
    const full = Object.entries(annotations).map(([key, text]) => [`tke.cloud.tencent.com/${key}`, text])
    const fact = toPodFact(
      {
        metadata: {
          name: 'p',
          namespace: 'n',
          uid: 'u',
          annotations: Object.fromEntries(full),
          ownerReferences: owners,
        },
      },
      'tke-route-eni',
    )
    const { keepsIp, claim } = fact ?? {}
    assert.deepEqual({ keepsIp, ...(claim === undefined ? {} : { claim }) }, want)
  })

for (const { status, ip } of [
  { status: { podIP: 'fd00::5', podIPs: [{ ip: 'fd00::5' }, { ip: '10.0.1.5' }] }, ip: '10.0.1.5' },
  { status: { podIP: '10.0.1.500' }, ip: undefined },
  { status: { podIP: '' }, ip: undefined },
  { status: undefined, ip: undefined },
])
  test(`toPodFact() reads ${JSON.stringify(status)} as ${ip ?? 'no address'}`, () => {
    assert.equal(toPodFact({ metadata: { name: 'p', namespace: 'n', uid: 'u' }, status }, 'other')?.ip, ip)
  })

for (const { does, labels, providerID, want } of [
  { does: 'the label', labels: { 'cloud.tencent.com/node-instance-id': 'ins-1a' }, want: 'ins-1a' },
  {
    does: 'the label before the provider id',
    labels: { 'cloud.tencent.com/node-instance-id': 'ins-1a' },
    providerID: 'qcloud:///160001/ins-2b',
    want: 'ins-1a',
  },
  { does: 'the provider id', providerID: 'qcloud:///160001/ins-2b', want: 'ins-2b' },
  { does: 'nothing in a foreign provider id', providerID: 'aws:///eu/i-0ab', want: undefined },
  { does: 'nothing in a super node', providerID: 'qcloud:///160001/eklet-subnet-1', want: undefined },
  { does: 'nothing where nothing is', want: undefined },
])
  test(`toNodeFact() takes the instance from ${does}`, () => {
    const object = { metadata: { name: 'node-1', uid: 'u', labels }, spec: { providerID } }
    assert.deepEqual(toNodeFact(object), {
      name: 'node-1',
      uid: 'u',
      instanceId: want,
      maxPods: undefined,
      unavailable: false,
    })
  })

test('[S10] toNodeFact() reads how the scheduler knows the zone', () => {
  const labels = { 'topology.kubernetes.io/zone': '100003' }
  assert.equal(toNodeFact({ metadata: { name: 'node-1', uid: 'u', labels } })?.zoneLabel, '100003')
})

for (const { annotations, spec = {}, network = 'tke-route-eni', want } of [
  { annotations: {}, want: false },
  { annotations: { [policy]: 'Never' }, want: true },
  { annotations: { [policy]: ' Never ' }, want: true },
  { annotations: { [policy]: 'never' }, want: false },
  { annotations: { [policy]: 'Never' }, spec: { hostNetwork: true }, want: false },
  { annotations: { [policy]: 'Never' }, network: 'other', want: false },
  { annotations: { [policy]: 'Never' }, network: 'tke-direct-eni', want: false },
] as const)
  test(`[S4] isStaticPod() of ${JSON.stringify({ annotations, spec, network })} is ${want}`, () => {
    assert.equal(isStaticPod({ metadata: { name: 'not-made-yet', annotations }, spec }, network), want)
  })

test('[E1] [E6] toPodFact() reads the EIP of a pod, with whose it is when that is kept', () => {
  const prefix = 'tke.cloud.tencent.com/'
  const set = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'web', uid: 's' }
  const eipOf = (annotations: Readonly<Record<string, unknown>>) =>
    toPodFact(
      {
        metadata: {
          ...{ name: 'web-1', namespace: 'default', uid: 'u' },
          annotations,
          ownerReferences: [{ ...set, controller: true }],
        },
      },
      'tke-route-eni',
    )?.eip
  const kept = eipOf({
    [`${prefix}eip-attributes`]: ' {"Bandwidth":"5"} ',
    [`${prefix}eip-claim-delete-policy`]: 'Never',
    [`${prefix}claim-expired-duration`]: '1h',
  })
  assert.ok(kept !== undefined && 'wish' in kept && kept.wish.source === 'created')
  assert.deepEqual([kept.owner, kept.wish.bandwidth, kept.wish.expireAfter], [set, 5, 3_600_000])
  const listed = eipOf({ [`${prefix}eip-id-list`]: 'eip-aaaa,eip-bbbb' })
  assert.ok(listed !== undefined && 'wish' in listed && listed.wish.source === 'specified')
  assert.deepEqual([listed.owner, listed.wish.ordinal], [undefined, 1])
  assert.deepEqual(Object.keys(eipOf({ [`${prefix}eip-attributes`]: '[' }) ?? {}), ['fault'])
  assert.equal(eipOf({ [`${prefix}eip-attributes`]: 7 }), undefined)
  assert.equal(eipOf({}), undefined)
})

test('[E11] toPodFact() reads which public address a pod shows, whether it asks for one or not', () => {
  for (const asks of [{}, { 'tke.cloud.tencent.com/eip-attributes': '' }]) {
    const annotations = { ...asks, 'tke.cloud.tencent.com/eip-public-ip': '9.9.9.9' }
    const metadata = { name: 'web-1', namespace: 'default', uid: 'u', annotations }
    assert.equal(toPodFact({ metadata }, 'tke-route-eni')?.publicIp, '9.9.9.9')
  }
})

for (const { pods, want } of [
  { pods: '110', want: 110 },
  { pods: 64, want: 64 },
  { pods: '0', want: 0 },
  { pods: '', want: undefined },
  { pods: '-1', want: undefined },
  { pods: '1.5', want: undefined },
  { pods: 'many', want: undefined },
  { pods: null, want: undefined },
  { pods: [], want: undefined },
  // Ended with "Cannot convert object to primitive value", and the watch of all nodes with it.
  { pods: { toString: 1 }, want: undefined },
])
  test(`[P14] toNodeFact() reads room for ${JSON.stringify(pods)} pods as ${want ?? 'not said'}`, () => {
    const object = { metadata: { name: 'node-1', uid: 'u' }, status: { allocatable: { pods } } }
    assert.equal(toNodeFact(object)?.maxPods, want)
  })

test('[R6] toPodFact() and toNodeFact() take any JSON', () => {
  const part = fc.jsonValue()
  fc.assert(
    fc.property(part, part, part, part, (any, annotations, containers, ips) => {
      toPodFact(any, 'other')
      toNodeFact(any)
      const object = {
        metadata: { name: 'p', namespace: 'n', uid: 'u', annotations },
        spec: { containers: [containers], initContainers: containers },
        status: { podIPs: ips, podIP: any },
      }
      assert.ok(toPodFact(object, 'tke-route-eni'))
    }),
  )
})
