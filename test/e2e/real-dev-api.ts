// A real kube-apiserver as the API of a dev cluster: leader and agents have the roles that we ship and nothing else, kubelets
// are the nodes' own identities, as in a real cluster.
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { pipeline } from 'node:stream'
import { connect } from 'node:tls'
import type { DevApi } from '../../cmd/dev/api.ts'
import { leaderRbac, nodeRbac } from '../../internal/kube/rbac.ts'
import { makeFrontProxy } from './front-proxy.ts'
import { type ApiserverUser, kubeconfigOf, startKubeApiserver } from './real-kube-apiserver.ts'
import { temporaryFolder } from './service.ts'

export interface RealDevApi extends DevApi {
  /** As the administrator; returns what it printed, throws when it fails. */
  kubectl(...args: readonly string[]): Promise<string>
  /** Applies roles, and puts those of the leader for workloads together, as the controller would that does so. */
  grant(manifest: string): Promise<void>
}

/** Starts it with identities for the leader and for `nodes`. */
export async function startRealDevApi(nodes: readonly string[]): Promise<RealDevApi> {
  const leader = userOf('system:serviceaccount:kube-system:tke-eni-leader', 'system:serviceaccounts')
  const agents = new Map(nodes.map((node) => [node, userOf(`tke-eni:node:${node}`, 'tke-eni:nodes')]))
  const kubelets = new Map(nodes.map((node) => [node, userOf(`system:node:${node}`, 'system:nodes')]))
  const users = [leader, ...agents.values(), ...kubelets.values()]
  const server = await startKubeApiserver({ users, flags: makeFrontProxy().flags })
  const folder = temporaryFolder('api')
  const socket = join(folder, 'kube.sock')
  const relay = await relayTls(socket, server)
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text, { mode: 0o600 })
    return join(folder, name)
  }
  await server.kubectl('apply', '-f', file('roles', [leaderRbac(), ...nodes.map(nodeRbac)].join('\n---\n')))
  const inSandbox = (kind: string, users: ReadonlyMap<string, ApiserverUser>) => (node: string) => {
    const token = users.get(node)?.token
    if (token === undefined) throw new Error(`Cannot give "${node}" an identity: it was not announced`)
    return file(`${kind}-${node}`, kubeconfigOf(`unix://${socket}`, undefined, token))
  }
  const ofAgent = inSandbox('agent', agents)
  const ofKubelet = inSandbox('kubelet', kubelets)
  return {
    kubeconfig: server.kubeconfig,
    admin: { kubeconfig: server.kubeconfig },
    leaderFlags: [`--kubeconfig=${file('leader', kubeconfigOf(server.url, server.ca, leader.token))}`],
    agentFlags: (node) => [`--kubeconfig=${ofAgent(node)}`],
    kubelet: (node) => ({ kubeconfig: ofKubelet(node) }),
    kubectl: server.kubectl,
    async grant(manifest) {
      await server.kubectl('apply', '-f', file('granted', manifest))
      const label = 'tke-eni.cloud.tencent.com/aggregate-to-owners=true'
      const parts = JSON.parse(await server.kubectl('get', 'clusterroles', '-l', label, '-o', 'json')) as {
        items: { rules: object[] }[]
      }
      const rules = JSON.stringify({ rules: parts.items.flatMap((role) => role.rules) })
      await server.kubectl('patch', 'clusterrole', 'tke-eni-leader-owners', '--type=merge', '-p', rules)
    },
    interrupt: server.interrupt,
    resume: server.resume,
    async close() {
      relay.close()
      await server.stop()
    },
  }
}

function userOf(name: string, group: string): ApiserverUser {
  return { token: randomBytes(16).toString('hex'), name, groups: [group] }
}

/** The sandbox has a network of its own: from there the server is reached over a unix socket, and TLS begins here. */
function relayTls(path: string, { url, ca }: { url: string; ca: string }): Promise<Server> {
  const { hostname, port } = new URL(url)
  const relay = createServer((near) => {
    const far = connect({ host: hostname, port: Number(port), ca, ALPNProtocols: ['http/1.1'] })
    pipeline(near, far, () => {}) // an end of either is the end of both
    pipeline(far, near, () => {})
  })
  return new Promise((resolve, reject) => {
    relay.once('error', reject)
    relay.listen(path, () => resolve(relay))
  })
}
