// Wrong annotations of a NEC fail at the command, on any API server: run against the embedded one here, and against a real one in
// test/e2e. The table that the leader's own reading is held to holds here as well.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { asText, at, type JsonObject } from '../../internal/apiserver/object.ts'
import { sleep, systemClock } from '../../internal/base/clock.ts'
import { silentLog } from '../../internal/base/log.ts'
import { necAnnotations } from '../../internal/ipam/nec-settings.ts'
import type { NodeOverrides, NodeUse } from '../../internal/ipam/types.ts'
import { type ConnectSettings, connectKube } from '../../internal/kube/connect.ts'
import { installNecCrd } from '../../internal/kube/install-nec-crd.ts'
import { installNecPolicy } from '../../internal/kube/install-nec-policy.ts'
import { necCollection } from '../../internal/kube/nec-api.ts'
import { Kube, type KubeServer } from '../contract/kube/server.ts'
import { annotationsOf, type NecSettingsCase, necSettingsCases } from '../ipam/nec-settings.cases.ts'

/** A running API server that knows admission policies. */
export interface PolicyServer {
  /** As the administrator. */
  readonly server: KubeServer
  /** With no more than the leader's role, where the server knows roles. */
  readonly leader: ConnectSettings
  /** The administrator's kubectl, where there is one; fails as a command does. */
  readonly kubectl: ((...args: readonly string[]) => Promise<Finished>) | undefined
  readonly close: () => Promise<void>
}

export interface Finished {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

const node = 'n1'
const path = `${necCollection}/${node}`
const said = `ValidatingAdmissionPolicy 'tke-eni-nec-annotations' with binding 'tke-eni-nec-annotations' denied request: `
const nothing: NodeUse = { inUse: 0, enisInUse: 0, mostInUse: 0, exclusiveInUse: 0 }

/** Defines the tests on the server that `start` starts; `name` tells them apart. */
export function holdToNecAdmission(name: string, start: () => Promise<PolicyServer>): void {
  let served: PolicyServer
  let kube: Kube

  before(async () => {
    served = await start()
    kube = new Kube(served.server)
    const client = await connectKube(served.leader, systemClock)
    const tools = { client, clock: systemClock, log: silentLog }
    await installNecCrd(client, systemClock, silentLog)
    await kube.create(necCollection, necOf('early', { [necAnnotations.maxIpsPerEni]: 'all' }))
    await installNecPolicy(tools)
    await installNecPolicy(tools) // any number of times
    client.close()
    await policyInForce(kube)
  })
  after(() => served.close())

  /** A NEC n1 with these annotations, in use as this. */
  async function put(annotations: Readonly<Record<string, string>>, use?: NodeUse): Promise<void> {
    await kube.send('DELETE', path)
    await kube.create(necCollection, necOf(node, annotations))
    if (use !== undefined) await report(node, use)
  }

  async function report(of: string, use: NodeUse): Promise<void> {
    const { enisInUse = null, mostInUse = null, exclusiveInUse: directInUse = null } = use
    const said = { inUse: use.inUse, idle: 0, returned: [], databaseID: 'db-1', version: '0.1.0' }
    const body = { status: { node: { ...said, enisInUse, mostInUse, directInUse } } }
    assert.equal((await kube.patch('merge', `${necCollection}/${of}/status`, body)).status, 200)
  }

  for (const row of necSettingsCases)
    test(titleOf(row, name), async () => {
      const { inForce = {}, use, want } = row
      const then = writtenAs(inForce)
      await put(then, use)
      const gone = Object.fromEntries(Object.keys(then).map((key) => [key, null]))
      const annotations = { ...gone, ...annotationsOf(row) }
      const { status, body } = await kube.patch('merge', path, { metadata: { annotations } })
      if (typeof want !== 'string') return assert.equal(status, 200, JSON.stringify(body))
      assert.deepEqual(body, refusal(`Cannot apply ${want}`))
      assert.deepEqual(at((await kube.get(path)).body, 'metadata', 'annotations') ?? {}, then)
    })

  test(`[P7] [${name}] annotations are judged when a NEC is created, too`, async () => {
    await kube.send('DELETE', path)
    const made = await kube.send('POST', necCollection, necOf(node, { [necAnnotations.sharedMinWarm]: '1' }))
    assert.equal(made.status, 422)
    assert.match(asText(made.body['message']), /route-eni-ip-max-warm-target is not set; set both/)
  })

  test(`[P7] [${name}] a wrong annotation that was there before stands in the way of nobody`, async () => {
    const nec = `${necCollection}/early`
    await report('early', { ...nothing, inUse: 4, enisInUse: 2 })
    for (const [below, body] of [
      ['/status', { status: { routeENICount: 2, conditions: [] } }],
      ['', { spec: { maxRouteENI: 4, maxPods: 30 } }],
      ['', { metadata: { labels: { a: 'b' }, annotations: { note: 'mine' } } }],
    ] as const)
      assert.equal((await kube.patch('merge', nec + below, body)).status, 200, JSON.stringify(body))
    const set = (annotations: object) => kube.patch('merge', nec, { metadata: { annotations } })
    const other = await set({ [necAnnotations.maxSharedEnis]: '3' })
    assert.match(asText(other.body['message']), /max-ip-per-route-eni "all" on node early: it is not a whole/)
    const mended = { [necAnnotations.maxSharedEnis]: '3', [necAnnotations.maxIpsPerEni]: '9' }
    assert.equal((await set(mended)).status, 200)
  })

  test(`[P6][P8] [${name}] kubectl annotate, as the documents print it`, async (t) => {
    const { kubectl } = served
    if (kubectl === undefined) return t.skip('there is no kubectl on the PATH')
    const prefix = 'tke.cloud.tencent.com/'
    const run = (what: string) => kubectl('annotate', 'nec', node, prefix + what, '--overwrite')
    const applied = async (what: string) => {
      const { code, stdout, stderr } = await run(what)
      assert.equal(code, 0, stderr)
      assert.match(stdout, /nodeeniconfig.*\/n1 annotated/)
    }
    const refused = async (what: string, why: string) => {
      const { code, stderr } = await run(what)
      assert.equal(code, 1)
      assert.equal(stderr, `The nodeeniconfigs "n1" is invalid: : ${said}Cannot apply ${why}\n`)
    }
    const min = 'route-eni-ip-min-warm-target'
    const max = 'route-eni-ip-max-warm-target'
    await put({}, { inUse: 12, enisInUse: 2, mostInUse: 9, exclusiveInUse: 5 })
    // On a node that has neither, no first command of the two can do.
    const alone = (one: string, other: string) =>
      `${one} on node n1: ${other} is not set; set both annotations in one command`
    await refused(`${min}=1`, alone(`${min} "1"`, max))
    await refused(`${max}=3`, alone(`${max} "3"`, min))
    const both = (...values: readonly string[]) =>
      kubectl('annotate', 'nec', node, ...values.map((value) => prefix + value), '--overwrite')
    assert.equal((await both(`${min}=5`, `${max}=5`)).code, 0)
    await applied(`${min}=1`)
    await applied(`${max}=3`)
    await refused(`${min}=7`, `${min} "7" on node n1: it is above ${max} "3"; set both annotations`)
    assert.equal((await both('direct-eni-min-warm-target=1', 'direct-eni-max-warm-target=1')).code, 0)
    await refused(
      'direct-eni-min-warm-target=2',
      'direct-eni-min-warm-target "2" on node n1: it is above direct-eni-max-warm-target "1"; set both annotations',
    )
    await applied('direct-eni-max-warm-target=3')
    await applied('direct-eni-min-warm-target=2')
    await refused(
      'route-eni-max-attach=1',
      'route-eni-max-attach "1" on node n1: pods use 2 shared ENIs; set at least 2',
    )
    await applied('max-ip-per-route-eni=9')
    await applied('direct-eni-max-attach=5')
    await report(node, { inUse: 9, enisInUse: 1, mostInUse: 9, exclusiveInUse: 6 })
    await applied('route-eni-max-attach=1')
    await applied('direct-eni-max-attach=5') // it is so already
    await refused(
      'direct-eni-max-attach=4',
      'direct-eni-max-attach "4" on node n1: pods use 6 exclusive ENIs; set at least 6',
    )
    const left = await kubectl('annotate', 'nec', node, `${prefix}${min}-`)
    assert.match(
      left.stderr,
      /route-eni-ip-max-warm-target "3" on node n1: route-eni-ip-min-warm-target is not set/,
    )
    assert.equal((await kubectl('annotate', 'nec', node, `${prefix}${min}-`, `${prefix}${max}-`)).code, 0)
  })

  test(`[R10] [${name}] installNecPolicy() leaves a newer version alone, and brings an older one up`, async () => {
    const policies =
      '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/tke-eni-nec-annotations'
    const client = await connectKube(served.leader, systemClock)
    after(() => client.close())
    const key = 'tke.cloud.tencent.com/manifest-revision'
    const ours = asText(at((await kube.get(policies)).body, 'metadata', 'annotations', key))
    for (const [revision, want] of [
      ['999', '999'],
      ['0', ours],
    ] as const) {
      const metadata = { annotations: { [key]: revision } }
      assert.equal((await kube.patch('merge', policies, { metadata })).status, 200)
      await installNecPolicy({ client, clock: systemClock, log: silentLog })
      assert.equal(at((await kube.get(policies)).body, 'metadata', 'annotations', key), want)
    }
  })
}

/** A server may take a moment to hold writes to a policy that has just been installed. */
export async function policyInForce(kube: Kube): Promise<void> {
  const wrong = necOf('probe', { [necAnnotations.maxIpsPerEni]: 'x' })
  while ((await kube.send('POST', `${necCollection}?dryRun=All`, wrong)).status !== 422)
    await sleep(systemClock, 50)
}

export function necOf(of: string, annotations: Readonly<Record<string, string>>): JsonObject {
  return {
    apiVersion: 'networking.tke.cloud.tencent.com/v1',
    kind: 'NodeENIConfig',
    metadata: { name: of, annotations },
    spec: { instanceID: 'ins-1', zone: 'z1', maxRouteENI: 3, maxIPPerENI: 9 },
  }
}

/** As a real API server says that a policy denies a write. */
function refusal(why: string): JsonObject {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: `nodeeniconfigs.networking.tke.cloud.tencent.com "${node}" is forbidden: ${said}${why}`,
    reason: 'Invalid',
    details: {
      name: node,
      group: 'networking.tke.cloud.tencent.com',
      kind: 'nodeeniconfigs',
      causes: [{ message: said + why }],
    },
    code: 422,
  }
}

function titleOf({ does }: NecSettingsCase, name: string): string {
  return does.replace(/^((?:\[\w+\])*) ?/, `$1 [${name}] kubectl annotate `).trim()
}

/** Annotations that have put `overrides` in force. */
function writtenAs(overrides: NodeOverrides): Readonly<Record<string, string>> {
  const values = {
    [necAnnotations.sharedMinWarm]: overrides.sharedWarm?.minWarm,
    [necAnnotations.sharedMaxWarm]: overrides.sharedWarm?.maxWarm,
    [necAnnotations.exclusiveMinWarm]: overrides.exclusiveWarm?.minWarm,
    [necAnnotations.exclusiveMaxWarm]: overrides.exclusiveWarm?.maxWarm,
    [necAnnotations.maxSharedEnis]: overrides.maxSharedEnis,
    [necAnnotations.maxIpsPerEni]: overrides.maxIpsPerEni,
    [necAnnotations.maxExclusiveEnis]: overrides.maxExclusiveEnis,
  }
  const given = Object.entries(values).filter(([, value]) => value !== undefined)
  return Object.fromEntries(given.map(([key, value]) => [key, String(value)]))
}
