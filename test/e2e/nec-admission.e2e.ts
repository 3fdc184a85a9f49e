// Wrong annotations of a NEC fail at the command on a real kube-apiserver, whose policy the leader has installed with its own role.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { asObject, asText, at, type JsonObject } from '../../internal/apiserver/object.ts'
import { systemClock } from '../../internal/base/clock.ts'
import { silentLog } from '../../internal/base/log.ts'
import { systemRandom } from '../../internal/base/random.ts'
import { necAnnotations } from '../../internal/ipam/nec-settings.ts'
import { connectKube } from '../../internal/kube/connect.ts'
import { installNecCrd } from '../../internal/kube/install-nec-crd.ts'
import { installNecPolicy, keepNecPolicy } from '../../internal/kube/install-nec-policy.ts'
import { necCollection } from '../../internal/kube/nec-api.ts'
import { leaderRbac } from '../../internal/kube/rbac.ts'
import { judgeNecWrite } from '../../internal/sim/kube/nec-admission.ts'
import { httpKubeServer, Kube } from '../contract/kube/server.ts'
import {
  holdToNecAdmission,
  necOf,
  type PolicyServer,
  policyInForce,
} from '../kube/nec-admission.contract.ts'
import { kubeBinaries } from './kube-binaries.ts'
import { explainSkip, missingPieces } from './pieces.ts'
import { kubeconfigOf, type RealKubeApiserver, startKubeApiserver } from './real-kube-apiserver.ts'
import { run, temporaryFolder } from './service.ts'

const missing = explainSkip(missingPieces('kube-apiserver'))
const user = {
  token: 'leader-token',
  name: 'system:serviceaccount:kube-system:tke-eni-leader',
  groups: ['system:serviceaccounts'],
}

if (missing) test('annotations of NECs on a real kube-apiserver', { skip: missing })
else holdToNecAdmission('real kube-apiserver', startWithPolicies)

test('[K5] keepNecPolicy() warns once while it may not, and installs when it may', {
  skip: missing,
}, async () => {
  const real = await startKubeApiserver({ users: [user] })
  after(real.stop)
  const client = await connectKube({ kubeconfig: leaderConfig(real) }, systemClock)
  after(() => client.close())
  const tools = { client, clock: systemClock, log: silentLog, random: systemRandom }
  await assert.rejects(installNecPolicy(tools), { code: 'denied' })
  const warnings: string[] = []
  const kept = keepNecPolicy(
    {
      ...tools,
      clock: { ...systemClock, after: (_, then) => systemClock.after(200, then) },
      log: { ...silentLog, warn: (event) => warnings.push(event) },
    },
    new AbortController().signal,
  )
  await real.kubectl('apply', '-f', rolesFile())
  await kept
  assert.ok(warnings.length <= 1)
  await real.kubectl('get', 'validatingadmissionpolicybinding', 'tke-eni-nec-annotations')
})

test('[P7] the policy and the leader judge any annotations alike', { skip: missing }, async () => {
  const { server, leader, close } = await startWithPolicies()
  after(close)
  const client = await connectKube(leader, systemClock)
  after(() => client.close())
  await installNecCrd(client, systemClock, silentLog)
  await installNecPolicy({ client, clock: systemClock, log: silentLog })
  const kube = new Kube(server)
  await policyInForce(kube)
  const path = `${necCollection}/any`
  await kube.create(necCollection, necOf('any', {}))
  let [accepted, refused] = [0, 0]
  for (const { set, use } of fc.sample(anyWrite, { numRuns: 400, seed: 4 })) {
    const status = await kube.patch('merge', `${path}/status`, { status: { node: use } })
    const [old, next] = [status.body, annotated(status.body, set)]
    const why = judgeNecWrite(next, old)
    const { status: code, body } = await kube.patch('merge', path, { metadata: { annotations: set } })
    const said = JSON.stringify({ set, use, old: old['metadata'] })
    assert.equal(code, why === undefined ? 200 : 422, `${why}: ${said}`)
    if (why !== undefined) assert.equal(asText(body['message']).split('denied request: ')[1], why, said)
    if (why === undefined) accepted++
    else refused++
  }
  assert.ok(accepted > 50 && refused > 50, `${accepted} accepted, ${refused} refused`)
})

const count = fc.option(fc.nat(4), { nil: null })
const anyWrite = fc.record({
  set: fc.dictionary(
    fc.constantFrom(...Object.values(necAnnotations)),
    fc.oneof(
      { weight: 8, arbitrary: fc.nat(5).map(String) },
      { weight: 3, arbitrary: fc.constant(null) },
      {
        weight: 1,
        arbitrary: fc.constantFrom('', '-1', '007', '10000', '10001', '1.0', ' 1', 'é', '\u{1f600}'),
      },
    ),
    { minKeys: 1, maxKeys: 7 },
  ),
  use: fc.record({ enisInUse: count, mostInUse: count, directInUse: count }),
})

/** A merge patch of its annotations. */
function annotated(nec: JsonObject, set: Readonly<Record<string, string | null>>): unknown {
  const before = asObject(at(nec, 'metadata', 'annotations'))
  const all = Object.entries({ ...before, ...set }).filter(([, value]) => value !== null)
  return { metadata: { name: 'any', annotations: Object.fromEntries(all) } }
}

async function startWithPolicies(): Promise<PolicyServer> {
  const real = await startKubeApiserver({ users: [user] })
  await real.kubectl('apply', '-f', rolesFile())
  const { kubectl } = await kubeBinaries()
  return {
    server: httpKubeServer({
      baseUrl: real.url,
      ca: real.ca,
      headers: { authorization: `Bearer ${real.token}` },
    }),
    leader: { kubeconfig: leaderConfig(real) },
    kubectl: (...args) => run([kubectl, '--kubeconfig', real.kubeconfig, ...args]),
    close: real.stop,
  }
}

function rolesFile(): string {
  const path = join(temporaryFolder('roles'), 'roles.yaml')
  writeFileSync(path, leaderRbac())
  return path
}

function leaderConfig({ url, ca }: RealKubeApiserver): string {
  const path = join(temporaryFolder('leader'), 'kubeconfig')
  writeFileSync(path, kubeconfigOf(url, ca, user.token), { mode: 0o600 })
  return path
}
