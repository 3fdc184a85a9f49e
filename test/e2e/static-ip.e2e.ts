// Pods that come back to static addresses, on a real kube-apiserver: what whoever makes them sees, and who is asked about which pods.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { systemClock } from '../../internal/base/clock.ts'
import { silentLog } from '../../internal/base/log.ts'
import { connectKube } from '../../internal/kube/connect.ts'
import { installStaticIpWebhook } from '../../internal/kube/install-static-ip-webhook.ts'
import { leaderRbac } from '../../internal/kube/rbac.ts'
import { insertClaim, retained } from '../apiserver/claims/claim-rows.ts'
import { httpKubeServer } from '../contract/kube/server.ts'
import { staticIpContract } from '../contract/static-ip.contract.ts'
import { type AggregatedClaims, startAggregatedClaims } from './aggregated-claims.ts'
import { kubeBinaries } from './kube-binaries.ts'
import { explainSkip, missingPieces } from './pieces.ts'
import { type Finished, run, until } from './service.ts'

const missing = explainSkip(missingPieces('kube-apiserver'))

if (missing) test('static pods on a real kube-apiserver', { skip: missing })
else {
  staticIpContract('a real kube-apiserver', async () => {
    const { real, ledger, startLeader, stopLeader, stop } = await startAggregatedClaims()
    const headers = { authorization: `Bearer ${real.token}` }
    const server = httpKubeServer({ baseUrl: real.url, ca: real.ca, headers })
    return { server, db: ledger.db, startLeader, stopLeader, close: stop }
  })
  describe('static pods, made with kubectl', { timeout: 180_000 }, people)
}

const policy = 'tke.cloud.tencent.com/vpc-ip-claim-delete-policy'
const webhook = 'mutatingwebhookconfigurations/tke-eni-static-ip'

function people(): void {
  let world: AggregatedClaims | undefined
  const its = (): AggregatedClaims => {
    if (world === undefined) throw new Error('Cannot test: nothing was started')
    return world
  }
  before(async () => {
    world = await startAggregatedClaims()
    insertClaim(world.ledger.db, retained('web-0', '10.0.0.5', { zone: 'zone-b' }))
    await until('a static pod would be for its zone', async () =>
      (await zonesOf(its(), 'web-0', '--dry-run=server')).includes('100004'),
    )
  })
  after(() => world?.stop())

  test('[S10] kubectl shows in which zone the address is, where the pod may not run', async () => {
    const spec = { nodeSelector: { 'topology.kubernetes.io/zone': '100003' } }
    const { code, stderr } = await applied(its(), { name: 'web-0', spec })
    assert.equal(code, 0, stderr)
    assert.match(stderr, /^Warning: static address 10\.0\.0\.5 is in zone zone-b, where this pod may not run/)
    await its().real.kubectl('delete', 'pod', 'web-0', '--force', '--grace-period=0')
    assert.match(await zonesOf(its(), 'web-0'), /100004/)
  })

  test('[S10] the leader is asked about pods with a name that keep their addresses, and about no others', async () => {
    const before = asked(its())
    const others: readonly MadePod[] = [
      { name: 'plain', annotations: {} },
      { name: 'other', annotations: { [policy]: 'Immediate' } },
      { generateName: 'replica-' },
    ]
    for (const pod of others) assert.equal((await applied(its(), pod)).code, 0)
    await its().real.kubectl('label', 'pod', 'web-0', 'a=b')
    assert.equal(asked(its()), before)
    assert.equal((await applied(its(), { name: 'new' })).code, 0)
    assert.equal(asked(its()), before + 1)
  })

  test('[K4] the leader has its webhook with its own role, and the path is one of its own', async () => {
    const path = ['get', webhook, '-o', 'jsonpath={.webhooks[0].clientConfig.service.path}']
    const first = await its().real.kubectl(...path)
    assert.match(first, /^\/static-ip\/[0-9a-f]{32}$/)
    await its().stopLeader()
    await its().startLeader()
    await until(
      'the next leader has a path of its own',
      async () => (await its().real.kubectl(...path)) !== first,
    )
  })

  test('the leader leaves a webhook alone that is as it should be', async () => {
    const client = await connectKube({ kubeconfig: its().real.kubeconfig }, systemClock)
    after(() => client.close())
    const version = () => its().real.kubectl('get', webhook, '-o', 'jsonpath={.metadata.resourceVersion}')
    const tools = { client, clock: systemClock, log: silentLog }
    const install = (path: string) => installStaticIpWebhook({ path, authority: authority() }, tools)
    const authority = () =>
      readFileSync(join(its().ledger.folder, 'apiserver-ca.pem'), 'utf8').split('-----BEGIN PRIV')[0] ?? ''
    await install('/one')
    const first = await version()
    await install('/one')
    assert.equal(await version(), first)
    await install('/two')
    assert.notEqual(await version(), first)
  })

  test('[S10] the webhook follows the leader to another machine', async () => {
    await its().replaceLeader()
    insertClaim(its().ledger.db, retained('moved', '10.0.0.6', { zone: 'zone-b' }))
    await until('pods are for their zones again', async () =>
      (await zonesOf(its(), 'moved', '--dry-run=server')).includes('100004'),
    )
  })
}

test('[S10] a leader with the role of an earlier version says once what it lacks, and leads', {
  skip: missing,
}, async () => {
  const roles = leaderRbac().replaceAll('mutatingwebhookconfigurations', 'none')
  const world = await startAggregatedClaims([], { roles })
  after(world.stop)
  insertClaim(world.ledger.db, retained('web-0', '10.0.0.5', { zone: 'zone-b' }))
  await until('the leader has told', async () => world.warnings.length >= 1)
  const [said = ''] = world.warnings
  assert.match(said, /static pods are not kept to the zones of their addresses: .*403.*check the ClusterRole/)
  assert.equal(await zonesOf(world, 'web-0'), '')
  assert.match(await world.real.kubectl('get', 'vipc'), /web-0/)
  assert.equal(world.warnings.length, 1)
})

interface MadePod {
  readonly name?: string
  readonly generateName?: string
  readonly annotations?: object
  readonly spec?: object
}

function applied(
  world: AggregatedClaims,
  { annotations, spec, ...named }: MadePod,
  ...more: readonly string[]
) {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...named, annotations: annotations ?? { [policy]: 'Never' } },
    spec: { containers: [{ name: 'main', image: 'none' }], ...spec },
  }
  return kubectl(world, ['create', '-f', '-', ...more], JSON.stringify(pod))
}

/** That a new pod may be scheduled to. */
async function zonesOf(world: AggregatedClaims, name: string, ...more: readonly string[]): Promise<string> {
  const terms = 'requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[*]'
  const values = `{.spec.affinity.nodeAffinity.${terms}.matchExpressions[*].values}`
  const { code, stdout, stderr } = await applied(world, { name }, '-o', `jsonpath=${values}`, ...more)
  assert.equal(code, 0, stderr)
  return stdout
}

async function kubectl(world: AggregatedClaims, args: readonly string[], input: string): Promise<Finished> {
  const { kubectl: path } = await kubeBinaries()
  return run([path, '--kubeconfig', world.real.kubeconfig, ...args], { input })
}

function asked({ paths }: AggregatedClaims): number {
  return paths.filter((path) => path === '/static-ip').length
}
