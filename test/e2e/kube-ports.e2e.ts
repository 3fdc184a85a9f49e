// Our side of Kubernetes on a real kube-apiserver, where leader and agent have only the roles that we ship.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { systemClock } from '../../internal/base/clock.ts'
import { silentLog } from '../../internal/base/log.ts'
import { systemRandom } from '../../internal/base/random.ts'
import type { KubeClient } from '../../internal/kube/client.ts'
import { type ConnectSettings, connectKube } from '../../internal/kube/connect.ts'
import { installNecCrd } from '../../internal/kube/install-nec-crd.ts'
import { createLeaderKube } from '../../internal/kube/leader-kube.ts'
import { createNodeKube } from '../../internal/kube/node-kube.ts'
import { leaderRbac, nodeRbac, taintRbac } from '../../internal/kube/rbac.ts'
import { holdToKubePorts, type Served } from '../kube/ports.contract.ts'
import { createRecorder } from '../kube/recorder.ts'
import { publication, report } from '../kube/samples.ts'
import { explainSkip, missingPieces } from './pieces.ts'
import { kubeconfigOf, startKubeApiserver } from './real-kube-apiserver.ts'
import { temporaryFolder } from './service.ts'

const missing = explainSkip(missingPieces('kube-apiserver'))

if (missing === false) holdToKubePorts('real kube-apiserver', startWithRoles)

test('[K4] an agent of one node can write its own NEC status, and nothing of another node', {
  skip: missing,
}, async () => {
  const served = await startWithRoles('node-1')
  after(served.close)
  const admin = await connectKube(served.settings, systemClock)
  const client = await connectKube(served.agent ?? {}, systemClock)
  after(() => [admin, client].forEach(close))
  await installNecCrd(admin, systemClock, silentLog)
  const parts = {
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    defaultNetwork: 'other' as const,
  }
  const leader = createLeaderKube({ ...parts, client: admin, eventClient: admin, instance: 'leader-1' })
  for (const node of ['node-1', 'node-2']) await leader.publishNec(node, publication)
  const own = createNodeKube({ ...parts, client, node: 'node-1' })
  const other = createNodeKube({ ...parts, client, node: 'node-2' })
  await own.report(report)
  await assert.rejects(other.report(report), { code: 'denied' })
  const nec = createRecorder(({ name }: { name: string }) => name)
  after(own.watchNec(nec))
  await nec.until(({ truth }) => truth.has('node-1'))
  const necs = '/apis/networking.tke.cloud.tencent.com/v1/nodeeniconfigs'
  for (const { method, path, body } of [
    { method: 'GET', path: necs },
    { method: 'GET', path: `${necs}/node-2` },
    { method: 'PATCH', path: `${necs}/node-1`, body: { spec: { maxRouteENI: 99 } } },
    { method: 'DELETE', path: `${necs}/node-1` },
    { method: 'POST', path: necs, body: { metadata: { name: 'node-3' } } },
    { method: 'GET', path: '/api/v1/namespaces/kube-system/secrets' },
    { method: 'PATCH', path: '/api/v1/nodes/node-1', body: { metadata: { labels: { a: 'b' } } } },
    { method: 'DELETE', path: '/api/v1/namespaces/default/pods/p' },
  ] as const)
    await assert.rejects(
      client.call({ doing: 'overstep', method, path, ...(body === undefined ? {} : { body }) }),
      { code: 'denied' },
      `${method} ${path}`,
    )
})

async function startWithRoles(node: string): Promise<Served> {
  const leader = 'system:serviceaccount:kube-system:tke-eni-leader'
  const server = await startKubeApiserver({
    users: [
      { token: 'leader-token', name: leader, groups: ['system:serviceaccounts'] },
      { token: 'agent-token', name: `tke-eni:node:${node}`, groups: ['tke-eni:nodes'] },
    ],
  })
  const manifest = join(temporaryFolder('rbac'), 'rbac.yaml')
  writeFileSync(manifest, [leaderRbac(), taintRbac(), nodeRbac(node)].join('\n---\n'))
  await server.kubectl('apply', '-f', manifest)
  const as = (token: string): ConnectSettings => {
    const kubeconfig = `${manifest}.${token}`
    writeFileSync(kubeconfig, kubeconfigOf(server.url, server.ca, token))
    return { kubeconfig }
  }
  return {
    settings: { kubeconfig: server.kubeconfig },
    leader: as('leader-token'),
    agent: as('agent-token'),
    close: server.stop,
  }
}

function close(client: KubeClient): void {
  client.close()
}
