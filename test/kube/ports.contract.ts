// What LeaderKube and NodeKube promise on any API server: run against the embedded one here, and against a real one in test/e2e.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { systemClock } from '../../internal/base/clock.ts'
import { silentLog } from '../../internal/base/log.ts'
import { systemRandom } from '../../internal/base/random.ts'
import { randomToken } from '../../internal/base/random-token.ts'
import type { Nec, NodeFact, PodFact } from '../../internal/ipam/types.ts'
import type { KubeClient } from '../../internal/kube/client.ts'
import { type ConnectSettings, connectKube } from '../../internal/kube/connect.ts'
import { installNecCrd } from '../../internal/kube/install-nec-crd.ts'
import { at, listAt } from '../../internal/kube/json.ts'
import { createLeaderKube } from '../../internal/kube/leader-kube.ts'
import { createLeaseStore } from '../../internal/kube/lease-store.ts'
import { necEpochs } from '../../internal/kube/nec-api.ts'
import { createNodeKube } from '../../internal/kube/node-kube.ts'
import { parseIpv4 } from '../../internal/value/ipv4.ts'
import { ip } from '../given.ts'
import { createRecorder } from './recorder.ts'
import { publication, report, warmed } from './samples.ts'

/** A running API server: how to reach it, and how it ends. */
export interface Served {
  readonly settings: ConnectSettings
  /** Identities with no more than their role, where the server knows roles. */
  readonly leader?: ConnectSettings
  readonly agent?: ConnectSettings
  readonly close: () => Promise<void>
}

/** Defines the tests on the server that `start` starts; `name` tells them apart. */
export function holdToKubePorts(name: string, start: (node: string) => Promise<Served>): void {
  const tag = randomToken(systemRandom).slice(0, 6)
  const nodeName = `node-${tag}`
  const namespace = `shop-${tag}`
  let served: Served
  let client: KubeClient
  let asLeader: KubeClient
  let asAgent: KubeClient
  let leader: ReturnType<typeof createLeaderKube>
  let agent: ReturnType<typeof createNodeKube>
  const stops: (() => void)[] = []
  const parts = {
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    defaultNetwork: 'tke-route-eni' as const,
  }

  before(async () => {
    served = await start(nodeName)
    client = await connectKube(served.settings, systemClock)
    asLeader = await connectKube(served.leader ?? served.settings, systemClock)
    asAgent = await connectKube(served.agent ?? served.settings, systemClock)
    leader = createLeaderKube({ ...parts, client: asLeader, eventClient: asLeader, instance: 'leader-1' })
    agent = createNodeKube({ ...parts, client: asAgent, node: nodeName })
    await installNecCrd(asLeader, systemClock, silentLog)
    await post('/api/v1/namespaces', { metadata: { name: namespace } })
  })
  after(async () => {
    for (const stop of stops) stop()
    leader.close()
    agent.close()
    for (const each of [client, asLeader, asAgent]) each.close()
    await served.close()
  })

  const post = (path: string, body: unknown) => client.call({ doing: 'create', method: 'POST', path, body })
  const createPod = (pod: string, node: string, spec: object = {}) =>
    post(`/api/v1/namespaces/${namespace}/pods`, {
      metadata: { name: pod },
      spec: { nodeName: node, containers: [{ name: 'app', image: 'app' }], ...spec },
    })

  test(`[${name}] installNecCrd() may run any number of times`, async () => {
    const crd = () =>
      client.call({ doing: 'get', path: `${crds}/nodeeniconfigs.networking.tke.cloud.tencent.com` })
    const before = await crd()
    await installNecCrd(asLeader, systemClock, silentLog)
    assert.equal(at(await crd(), 'metadata', 'resourceVersion'), at(before, 'metadata', 'resourceVersion'))
  })

  test(`[${name}] installNecCrd() puts back what was changed, and leaves a newer version alone`, async () => {
    const path = `${crds}/nodeeniconfigs.networking.tke.cloud.tencent.com`
    const names = async () => listAt(await client.call({ doing: 'get', path }), 'spec', 'names', 'shortNames')
    const change = (shortNames: string[], revision: string) =>
      client.call({
        doing: 'change the CRD',
        method: 'PATCH',
        path,
        body: {
          metadata: { annotations: { 'tke.cloud.tencent.com/manifest-revision': revision } },
          spec: { names: { shortNames } },
        },
      })
    await change(['nec', 'other'], '999')
    await installNecCrd(asLeader, systemClock, silentLog)
    assert.deepEqual(await names(), ['nec', 'other'])
    await change(['other'], '0')
    await installNecCrd(asLeader, systemClock, silentLog)
    assert.deepEqual(await names(), ['nec'])
  })

  test(`[${name}] watchNodes() tells of nodes as they come, change and go`, async () => {
    const nodes = createRecorder((node: NodeFact) => node.name)
    stops.push(leader.watchNodes(nodes))
    await nodes.until(({ told }) => told.length > 0)
    await post('/api/v1/nodes', { metadata: { name: nodeName } })
    await nodes.until(({ truth }) => truth.has(nodeName))
    assert.equal(nodes.truth.get(nodeName)?.instanceId, undefined)
    await client.call({
      doing: 'label',
      method: 'PATCH',
      path: `/api/v1/nodes/${nodeName}`,
      body: { metadata: { labels: { 'cloud.tencent.com/node-instance-id': 'ins-1' } } },
    })
    await nodes.until(({ truth }) => truth.get(nodeName)?.instanceId === 'ins-1')
    assert.deepEqual(await leader.getNode(nodeName), nodes.truth.get(nodeName))
    const other = `${nodeName}-b`
    await post('/api/v1/nodes', { metadata: { name: other } })
    await nodes.until(({ truth }) => truth.has(other))
    await client.call({ doing: 'delete', method: 'DELETE', path: `/api/v1/nodes/${other}` })
    await nodes.until(({ told }) => told.includes(`- ${other}`))
    assert.equal(await leader.getNode(other), undefined)
  })

  test(`[${name}] [K5] setUnavailable() puts and takes one taint, and no other`, async () => {
    const path = `/api/v1/nodes/${nodeName}`
    const other = { key: 'team', value: 'shop', effect: 'NoSchedule' }
    const ours = { key: 'tke.cloud.tencent.com/eni-ip-unavailable', value: 'true', effect: 'NoSchedule' }
    const taint = (taints: object[]) =>
      client.call({ doing: 'taint', method: 'PATCH', path, body: { spec: { taints } } })
    const taints = async () => listAt(await client.call({ doing: 'get', path }), 'spec', 'taints')
    const isUnavailable = async () => (await leader.getNode(nodeName))?.unavailable
    assert.equal(await isUnavailable(), false)
    await taint([]) // an API server gives new nodes one of its own
    await leader.setUnavailable(nodeName, true)
    assert.deepEqual(await taints(), [ours])
    assert.equal(await isUnavailable(), true)
    await taint([{ ...ours, value: 'by-hand' }, other, { ...ours, effect: 'PreferNoSchedule' }])
    const version = async () => at(await client.call({ doing: 'get', path }), 'metadata', 'resourceVersion')
    const before = await version()
    await leader.setUnavailable(nodeName, true)
    assert.equal(await version(), before, 'it has the taint already')
    await leader.setUnavailable(nodeName, false)
    assert.deepEqual(await taints(), [other, { ...ours, effect: 'PreferNoSchedule' }])
    // Others write, too: nothing of theirs is lost.
    const others = Array.from({ length: 5 }, (_, i) =>
      client.call({
        doing: 'label',
        method: 'PATCH',
        path,
        body: { metadata: { labels: { [`l${i}`]: 'x' } } },
      }),
    )
    await Promise.all([leader.setUnavailable(nodeName, true), ...others])
    assert.equal((await taints()).length, 3)
    await leader.setUnavailable(nodeName, false)
    await taint([])
    await leader.setUnavailable(`${nodeName}-nobody`, true)
  })

  test(`[${name}] [E11] setPublicIp() writes one annotation of that very pod, and takes it out`, async () => {
    const annotations = { 'tke.cloud.tencent.com/eip-attributes': '', team: 'shop' }
    const pods = '/api/v1/namespaces/default/pods'
    const pod = `${nodeName}-public`
    await post(pods, {
      metadata: { name: pod, annotations },
      spec: { containers: [{ name: 'c', image: 'i' }] },
    })
    const read = async () => at(await client.call({ doing: 'get', path: `${pods}/${pod}` }), 'metadata')
    const uid = String(at(await read(), 'uid'))
    const key = 'tke.cloud.tencent.com/eip-public-ip'
    const address = parseIpv4('9.9.9.9')
    await leader.setPublicIp({ namespace: 'default', name: pod, uid }, address)
    assert.deepEqual(at(await read(), 'annotations'), { ...annotations, [key]: '9.9.9.9' })
    await leader.setPublicIp({ namespace: 'default', name: pod, uid: `${uid}0` }, undefined)
    assert.deepEqual(at(await read(), 'annotations'), { ...annotations, [key]: '9.9.9.9' }, 'another pod')
    await leader.setPublicIp({ namespace: 'default', name: pod, uid }, undefined)
    assert.deepEqual(at(await read(), 'annotations'), annotations)
    await leader.setPublicIp({ namespace: 'default', name: `${pod}-nobody`, uid }, address)
  })

  test(`[${name}] [E9] keepSources() edits one list of one ConfigMap, and nothing else`, async () => {
    const configMaps = '/api/v1/namespaces/kube-system/configmaps'
    const path = `${configMaps}/ip-masq-agent-config`
    await post('/api/v1/namespaces', { metadata: { name: 'kube-system' } }).catch(() => undefined)
    const found = async () => {
      const { data, metadata } = (await client.call({ doing: 'get', path })) as Record<string, never>
      return { data, annotations: at(metadata, 'annotations'), labels: at(metadata, 'labels') }
    }
    const [one, two] = [ip('10.0.1.6'), ip('10.0.1.7')]
    const kept = { create: false }
    assert.equal(await leader.keepSources([one], kept), 'absent')
    const config = '{"MasqLinkLocal": true, "NonMasqueradeSrcCIDRs": ["172.16.0.2/32"]}'
    const before = { data: { config, other: 'x\n' }, annotations: { team: 'shop' }, labels: { a: 'b' } }
    const { annotations, data, labels } = before
    await post(configMaps, { metadata: { name: 'ip-masq-agent-config', annotations, labels }, data })
    assert.equal(await leader.keepSources([one], kept), 'kept')
    assert.equal(at((await found()).data, 'config'), config.replace('/32"]', '/32","10.0.1.6/32"]'))
    // Others write, too: nothing of theirs is lost.
    const others = Array.from({ length: 5 }, (_, i) =>
      client.call({
        doing: 'label',
        method: 'PATCH',
        path,
        body: { metadata: { labels: { [`l${i}`]: 'x' } } },
      }),
    )
    await Promise.all([leader.keepSources([one, two], kept), ...others])
    const version = async () => at(await client.call({ doing: 'get', path }), 'metadata', 'resourceVersion')
    const same = await version()
    await leader.keepSources([two, one], kept)
    assert.equal(await version(), same, 'it says so already')
    await leader.keepSources([], kept)
    const { labels: now, ...rest } = await found()
    assert.deepEqual({ ...rest, labels }, before)
    assert.equal(Object.keys(now as object).length, 6)
    const write = (text: string | null) =>
      client.call({ doing: 'write', method: 'PATCH', path, body: { data: { config: text } } })
    await write('')
    await leader.keepSources([one], kept)
    assert.match(String(at((await found()).data, 'config')), /10\.0\.1\.6/, 'an empty text is a text')
    await leader.keepSources([], kept)
    assert.equal(at((await found()).data, 'config'), '', 'as it was')
    await write(null)
    await assert.rejects(leader.keepSources([one], kept), {
      code: 'bad_input',
      message: /has no key "config"/,
    })
    await write('[')
    await assert.rejects(leader.keepSources([one], kept), {
      code: 'bad_input',
      message: /neither JSON nor YAML/,
    })
    await client.call({ doing: 'delete', method: 'DELETE', path })
  })

  test(`[${name}] [R7] getNec() asks past every cache`, async () => {
    const seen = createRecorder((nec: Nec) => nec.name)
    stops.push(leader.watchNecs(seen))
    const nec = `${nodeName}-fresh`
    assert.equal(await leader.getNec(nec), undefined)
    await leader.publishNec(nec, publication)
    await seen.until(({ truth }) => truth.get(nec)?.publication?.enis.length === publication.enis.length)
    assert.deepEqual(await leader.getNec(nec), seen.truth.get(nec))
  })

  test(`[${name}] watchPods() of the leader sees every pod, of an agent those of its node`, async () => {
    const all = createRecorder((pod: PodFact) => pod.name)
    const own = createRecorder((pod: PodFact) => pod.name)
    await createPod('early', nodeName)
    stops.push(leader.watchPods(all), agent.watchPods(own))
    await all.until(({ truth }) => truth.has('early'))
    await own.until(({ truth }) => truth.has('early'))
    await createPod('elsewhere', `${nodeName}-x`)
    await createPod('host', nodeName, { hostNetwork: true })
    await createPod('late', nodeName)
    await all.until(({ truth }) => truth.has('late'))
    await own.until(({ truth }) => truth.has('late'))
    assert.deepEqual(new Set(own.truth.keys()), new Set(['early', 'host', 'late']))
    assert.ok(all.truth.has('elsewhere'))
    assert.equal(own.truth.get('host')?.hostNetwork, true)
    assert.equal(own.truth.get('late')?.wants, 'shared')
    await client.call({
      doing: 'set status',
      method: 'PATCH',
      path: `/api/v1/namespaces/${namespace}/pods/late/status`,
      body: { status: { phase: 'Running', podIP: '10.0.1.6', podIPs: [{ ip: '10.0.1.6' }] } },
    })
    await own.until(({ truth }) => truth.get('late')?.ip === '10.0.1.6')
    const late = await leader.getPod({ namespace, name: 'late' })
    assert.deepEqual([late?.node, late?.ip, late?.wants], [nodeName, '10.0.1.6', 'shared'])
    await client.call({
      doing: 'delete',
      method: 'DELETE',
      path: `/api/v1/namespaces/${namespace}/pods/late`,
      query: { gracePeriodSeconds: 0 },
    })
    await own.until(({ truth }) => !truth.has('late'))
    await all.until(({ truth }) => !truth.has('late'))
    assert.equal(await leader.getPod({ namespace, name: 'late' }), undefined)
  })

  test(`[${name}] a NEC carries both halves from writer to reader`, async () => {
    const necs = createRecorder((nec: Nec) => nec.name)
    const own = createRecorder((nec: Nec) => nec.name)
    stops.push(leader.watchNecs(necs), agent.watchNec(own))
    await own.until(({ told }) => told.length > 0)
    assert.equal(own.truth.size, 0)
    await assert.rejects(agent.report(report), { code: 'not_found' })
    await leader.publishNec(nodeName, publication)
    await own.until(({ truth }) => truth.get(nodeName)?.publication !== undefined)
    assert.deepEqual(own.truth.get(nodeName)?.publication, publication)
    await agent.report(report)
    await necs.until(({ truth }) => truth.get(nodeName)?.report !== undefined)
    await leader.publishNec(nodeName, { ...warmed({ maxWarm: 9 }), enis: [] })
    await own.until(({ truth }) => truth.get(nodeName)?.publication?.shared.maxWarm === 9)
    const nec = own.truth.get(nodeName)
    assert.deepEqual(nec?.publication, { ...warmed({ maxWarm: 9 }), enis: [] })
    assert.deepEqual(nec?.report, report)
    assert.equal(nec?.fault, undefined)
    await leader.publishNec(`${nodeName}-other`, publication)
    await necs.until(({ truth }) => truth.has(`${nodeName}-other`))
    await leader.deleteNec(nodeName, 3)
    await own.until(({ truth }) => truth.size === 0)
    assert.ok(!own.told.some((line) => line.includes('other')), 'an agent sees its own NEC only')
    await leader.deleteNec(nodeName, 3)
    await leader.deleteNec(`${nodeName}-other`, 3)
  })

  test(`[${name}] [R8] a lease is written only by who has read it as it is`, async () => {
    const [a, b] = [asLeader, asLeader].map((each) => createLeaseStore(each, systemClock))
    assert.ok(a && b)
    assert.equal(await a.read(), undefined)
    await assert.rejects(
      a.write({ ...led, holder: 'a' }, 'nonsense'),
      ({ code }) => code === 'not_found' || code === 'conflict',
    )
    const first = await a.write({ ...led, holder: 'a' }, undefined)
    await assert.rejects(b.write({ ...led, holder: 'b' }, undefined), { code: 'conflict' })
    const seen = await b.read()
    assert.deepEqual(seen, first)
    assert.deepEqual({ ...seen, version: '' }, { ...led, holder: 'a', version: '' })
    const renewed = await a.write({ ...led, holder: 'a', ledgerId: 'ledger-a' }, first.version)
    assert.notEqual(renewed.version, first.version)
    await assert.rejects(b.write({ ...led, holder: 'b' }, first.version), { code: 'conflict' })
    const free = await a.write({ ...led, holder: undefined, ledgerId: 'ledger-a' }, renewed.version)
    assert.equal(free.holder, undefined)
    const taken = await b.write({ ...led, holder: 'b', epoch: 8, ledgerId: 'ledger-a' }, free.version)
    assert.deepEqual(await a.read(), taken)
    assert.deepEqual([taken.holder, taken.epoch, taken.ledgerId], ['b', 8, 'ledger-a'])
    const path = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/tke-eni-leader'
    const shown = await client.call({ doing: 'get', path })
    assert.equal(at(shown, 'spec', 'leaseDurationSeconds'), 15)
    assert.match(String(at(shown, 'spec', 'acquireTime')), /^\d{4}-.*\.\d{6}Z$/)
    await client.call({ doing: 'delete', method: 'DELETE', path })
    assert.equal(await a.read(), undefined)
    await assert.rejects(a.write({ ...led, holder: 'a' }, taken.version), { code: 'not_found' })
  })

  test(`[${name}] [R8] what a leader of an earlier epoch writes to a NEC is refused`, async () => {
    const nec = `${nodeName}-epochs`
    const before = createLeaderKube({
      ...parts,
      client: asLeader,
      eventClient: asLeader,
      instance: 'leader-0',
    })
    const path = `/apis/networking.tke.cloud.tencent.com/v1/nodeeniconfigs/${nec}`
    const version = async () => at(await client.call({ doing: 'get', path }), 'metadata', 'resourceVersion')
    await before.publishNec(nec, publication)
    await before.publishNec(nec, warmed({ minWarm: 1 }))
    await leader.publishNec(nec, { ...publication, epoch: 4, enis: [] })
    const written = await version()
    await assert.rejects(before.publishNec(nec, warmed({ minWarm: 2 })), { code: 'deposed' })
    await assert.rejects(before.publishNec(nec, publication), { code: 'deposed' })
    await assert.rejects(before.deleteNec(nec, 3), { code: 'deposed' })
    assert.equal(await version(), written)
    assert.ok((await necEpochs(asLeader, silentLog, new AbortController().signal)).includes(4))
    await leader.publishNec(nec, { ...warmed({ minWarm: 3 }), epoch: 4, enis: [] })
    assert.notEqual(await version(), written)
    await leader.deleteNec(nec, 4)
    before.close()
  })

  test(`[${name}] notify() leaves an Event on a pod and on a NEC`, async () => {
    const about = { kind: 'Pod', namespace, name: 'early', uid: 'u1' } as const
    leader.notify({
      about,
      type: 'Warning',
      reason: 'SubnetFull',
      message: 'Cannot bind: the subnet is full',
    })
    agent.notify({
      about: { kind: 'NodeENIConfig', name: nodeName },
      type: 'Normal',
      reason: 'Ready',
      message: 'The pool is ready',
    })
    const find = async (where: string, object: string) => {
      const path = `/api/v1/namespaces/${where}/events`
      const query = { fieldSelector: `involvedObject.name=${object}` }
      return listAt(await client.call({ doing: 'list events', path, query }), 'items')
    }
    const [onPod] = await eventually(() => find(namespace, 'early'))
    assert.equal(at(onPod, 'reason'), 'SubnetFull')
    assert.equal(at(onPod, 'count'), 1)
    const [onNec] = await eventually(() => find('default', nodeName))
    assert.equal(at(onNec, 'reportingComponent'), 'tke-eni')
  })
}

const led = { holder: '', duration: 15_000, epoch: 7, ledgerId: undefined }
const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'

/** Asks until there is something; each question is a whole round over HTTP. */
async function eventually<T>(ask: () => Promise<readonly T[]>): Promise<readonly T[]> {
  for (;;) {
    const found = await ask()
    if (found.length > 0) return found
  }
}
