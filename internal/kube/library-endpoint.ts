// A kubeconfig that needs the Kubernetes client library: exec plugins, OIDC and cloud logins, impersonation, proxies.
import type { RequestOptions } from 'node:https'
import { KubeConfig } from '@kubernetes/client-node/dist/config.js'
import type { Clock } from '../base/clock.ts'
import { IpamError } from '../ipam/errors.ts'
import type { Millis } from '../value/millis.ts'
import { type Access, createAgentCache, type Endpoint } from './endpoint.ts'

/** How long what the library said is used; it keeps unexpired tokens itself. */
const askAgainAfter: Millis = 60_000

/** The endpoint of the file's current context; the file is read anew after a refusal. Throws bad_input. */
export function endpointOfLibrary(file: string, clock: Clock): Endpoint {
  let config = load(file)
  const url = new URL(serverOf(config))
  const agents = createAgentCache(url)
  let held: { access: Access; until: Millis } | undefined
  return {
    url,
    socketPath: undefined,
    async access(renew) {
      if (held && !renew && clock.now() < held.until) return held.access
      if (renew) config = load(file)
      const options = await apply(config)
      const agent = proxyOf(config) ? options.agent : undefined
      held = {
        access: {
          agent: agent && typeof agent === 'object' ? agent : agents.get(materialOf(options)),
          headers: headersOf(options),
        },
        until: clock.now() + askAgainAfter,
      }
      return held.access
    },
    close: agents.close,
  }
}

function load(file: string): KubeConfig {
  const config = new KubeConfig()
  config.loadFromFile(file)
  const cluster = config.getCurrentCluster()
  // The library refuses http unless told that TLS does not matter, which over http it cannot.
  if (cluster?.server.startsWith('http:')) Reflect.set(cluster, 'skipTLSVerify', true)
  return config
}

function serverOf(config: KubeConfig): string {
  const server = config.getCurrentCluster()?.server
  if (server !== undefined && URL.canParse(server)) return server
  throw new IpamError('bad_input', 'Cannot use the kubeconfig: its current context has no cluster with a URL')
}

function proxyOf(config: KubeConfig): string | undefined {
  return config.getCurrentCluster()?.proxyUrl
}

async function apply(config: KubeConfig): Promise<RequestOptions> {
  const options: RequestOptions = {}
  try {
    await config.applyToHTTPSOptions(options)
    return options
  } catch (cause) {
    throw new IpamError('denied', 'Cannot reach Kubernetes: the kubeconfig gave no credentials', { cause })
  }
}

function materialOf({ ca, cert, key, servername, rejectUnauthorized }: RequestOptions) {
  return {
    ca: single(ca),
    cert: single(cert),
    key: single(key),
    servername,
    ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
  }
}

function single(pem: RequestOptions['key']): string | Buffer | undefined {
  return typeof pem === 'string' || Buffer.isBuffer(pem) ? pem : undefined
}

function headersOf({ headers, auth }: RequestOptions): Record<string, string> {
  const all: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers ?? {})) all[name.toLowerCase()] = String(value)
  if (typeof auth === 'string') all['authorization'] = `Basic ${Buffer.from(auth).toString('base64')}`
  return all
}
