// The API server of a dev cluster: where people, leader, agents and kubelets find it. Usually our own, in this process.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { serveKubeApi } from '../../internal/apiserver/http-server.ts'
import { kubeconfigFor } from '../../internal/apiserver/kubeconfig.ts'
import { openSqliteStorage } from '../../internal/apiserver/sqlite-storage.ts'
import type { Clock } from '../../internal/base/clock.ts'
import { silentLog } from '../../internal/base/log.ts'
import { type ConnectSettings, connectKube } from '../../internal/kube/connect.ts'
import { installNecCrd } from '../../internal/kube/install-nec-crd.ts'
import { necGroup } from '../../internal/kube/nec-api.ts'
import { judgeNecWrite, necPolicyName } from '../../internal/wire/nec-admission.ts'

export interface DevApi {
  /** For people, who may do everything. */
  readonly kubeconfig: string
  /** For the cluster's own client, which may do everything. */
  readonly admin: ConnectSettings
  readonly leaderFlags: readonly string[]
  /** Of a node's agent. It runs in the sandbox, where our files are seen and our network is not. */
  agentFlags(node: string): readonly string[]
  /** For a node's kubelet, in the sandbox too. */
  kubelet(node: string): ConnectSettings
  /** Stops answering, as a server that has died. */
  interrupt(): Promise<void>
  /** Answers again where it did. */
  resume(): Promise<void>
  close(): Promise<void>
}

export interface EmbeddedApiOptions {
  readonly directory: string
  readonly listen: { readonly host: string; readonly port: number }
  readonly clock: Clock
}

/** Our own API server, with the NEC definition installed; everybody may do everything. Throws `unavailable`, `storage`. */
export async function startEmbeddedApi({ directory, listen, clock }: EmbeddedApiOptions): Promise<DevApi> {
  await using stack = new AsyncDisposableStack()
  const storage = openSqliteStorage({ path: join(directory, 'kube.db'), clock })
  stack.defer(() => storage.close())
  const socketPath = join(directory, 'kube.sock')
  const api = await serveKubeApi({
    storage,
    clock,
    log: silentLog,
    listen: [listen, { socketPath }],
    aggregate: true,
    policies: [{ name: necPolicyName, group: necGroup, resource: 'nodeeniconfigs', judge: judgeNecWrite }],
  })
  stack.defer(() => api.close())
  const kubeconfig = join(directory, 'kubeconfig')
  writeFileSync(kubeconfig, kubeconfigFor(api.url, undefined, 'tke-eni-dev'), { mode: 0o600 })
  const client = await connectKube({ socketPath }, clock)
  try {
    await installNecCrd(client, clock, silentLog)
  } finally {
    client.close()
  }
  const flags = [`--kube-server=unix://${socketPath}`]
  const all = stack.move()
  return {
    kubeconfig,
    admin: { socketPath },
    leaderFlags: [...flags, '--api-advertise-address=127.0.0.1'],
    agentFlags: () => flags,
    kubelet: () => ({ socketPath }),
    interrupt: () => api.interrupt(),
    resume: () => api.resume(),
    close: () => all.disposeAsync(),
  }
}
