// From settings to a client: in-cluster, by kubeconfig, or by plain URL or unix socket.
import type { Clock } from '../base/clock.ts'
import { IpamError } from '../ipam/errors.ts'
import { type ClientSettings, createKubeClient, type KubeClient } from './client.ts'
import { createEndpoint, type Endpoint, inClusterSettings } from './endpoint.ts'

export interface ConnectSettings extends Partial<ClientSettings> {
  /** Path of a kubeconfig file; its current context is used. */
  readonly kubeconfig?: string | undefined
  /** http(s)://host:port or unix:///path; goes before `kubeconfig`. */
  readonly server?: string | undefined
  /** Unix socket of the API server; `server` then only gives scheme and path. */
  readonly socketPath?: string | undefined
  readonly token?: string | undefined
  /** Where the in-cluster address is looked up when nothing else is given. */
  readonly env?: Readonly<Record<string, string | undefined>>
}

/** A client for one purpose; call it again for one with a rate limit and connections of its own. Throws bad_input. */
export async function connectKube(settings: ConnectSettings, clock: Clock): Promise<KubeClient> {
  return createKubeClient(await chooseEndpoint(settings, clock), clock, settings)
}

async function chooseEndpoint(settings: ConnectSettings, clock: Clock): Promise<Endpoint> {
  const { kubeconfig, server, socketPath, token } = settings
  if (server !== undefined || socketPath !== undefined)
    return createEndpoint(
      {
        server: server ?? 'http://localhost',
        socketPath,
        token: token === undefined ? undefined : { text: token },
      },
      clock,
    )
  if (kubeconfig !== undefined) {
    const { endpointOfKubeconfig } = await import('./kubeconfig.ts') // 15 MB of YAML reader
    return endpointOfKubeconfig(kubeconfig, clock)
  }
  const inCluster = inClusterSettings(settings.env ?? {})
  if (inCluster !== undefined) return createEndpoint(inCluster, clock)
  throw new IpamError('bad_input', 'Cannot reach Kubernetes: no API server is named', {
    hint: 'give a kubeconfig or a server, or run in a pod with a service account',
  })
}
