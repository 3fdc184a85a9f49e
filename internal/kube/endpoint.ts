// Where the API server is and how to prove who we are: addresses, certificates and tokens, read again as they rotate.
import { readFileSync } from 'node:fs'
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import type { Clock } from '../base/clock.ts'
import { IpamError } from '../ipam/errors.ts'
import type { Millis } from '../value/millis.ts'
import type { KubeconfigSettings, Material } from '../wire/kubeconfig.ts'

/** What one request needs besides its own path and body. */
export interface Access {
  readonly agent: HttpAgent | HttpsAgent
  readonly headers: Readonly<Record<string, string>>
}

export interface Endpoint {
  readonly url: URL
  readonly socketPath: string | undefined
  /** `renew` after a refusal: forgets whatever was cached. Throws bad_input, denied. */
  access(renew: boolean): Promise<Access>
  close(): void
}

export interface EndpointSettings extends KubeconfigSettings {
  /** Connect here whatever the host of `server`. */
  readonly socketPath?: string | undefined
}

/** How long a token or certificate read from a file is used; client-go's figure. */
const rereadAfter: Millis = 60_000

/** An endpoint whose credentials are texts and files. Throws bad_input when `server` is not a URL. */
export function createEndpoint(settings: EndpointSettings, clock: Clock): Endpoint {
  const { url, socketPath } = parseServer(settings)
  const agents = createAgentCache(url)
  let held: { access: Access; until: Millis } | undefined
  return {
    url,
    socketPath,
    async access(renew) {
      if (held && !renew && clock.now() < held.until) return held.access
      const agent = agents.get({
        ca: read(settings.ca),
        cert: read(settings.cert),
        key: read(settings.key),
        servername: settings.serverName,
        rejectUnauthorized: !settings.insecure,
      })
      held = { access: { agent, headers: authorization(settings) }, until: clock.now() + rereadAfter }
      return held.access
    },
    close: agents.close,
  }
}

/** The API server as pods see it, or undefined outside of a cluster. `env` is the process's environment. */
export function inClusterSettings(
  env: Readonly<Record<string, string | undefined>>,
  directory = '/var/run/secrets/kubernetes.io/serviceaccount',
): EndpointSettings | undefined {
  const host = env['KUBERNETES_SERVICE_HOST']
  const port = env['KUBERNETES_SERVICE_PORT']
  if (!host || !port) return undefined
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    ca: { file: `${directory}/ca.crt` },
    token: { file: `${directory}/token` },
  }
}

export interface TlsMaterial {
  readonly ca?: string | Buffer | undefined
  readonly cert?: string | Buffer | undefined
  readonly key?: string | Buffer | undefined
  readonly servername?: string | undefined
  readonly rejectUnauthorized?: boolean | undefined
}

export interface AgentCache {
  get(material: TlsMaterial): HttpAgent | HttpsAgent
  close(): void
}

/** One agent (and so one set of connections) as long as the certificates stay the same. */
export function createAgentCache(url: URL): AgentCache {
  let held: { key: string; agent: HttpAgent | HttpsAgent } | undefined
  return {
    get(material) {
      const key = [material.ca, material.cert, material.key, material.servername, material.rejectUnauthorized]
        .map(String)
        .join('\n')
      if (held?.key === key) return held.agent
      // Requests under way finish on the old agent; only its idle connections go.
      if (held) closeIdle(held.agent)
      const options = { keepAlive: true, keepAliveMsecs: 30_000, scheduling: 'lifo' as const }
      const agent =
        url.protocol === 'https:' ? new HttpsAgent({ ...options, ...material }) : new HttpAgent(options)
      held = { key, agent }
      return agent
    },
    close() {
      held?.agent.destroy()
      held = undefined
    },
  }
}

function closeIdle(agent: HttpAgent): void {
  for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy()
}

function parseServer({ server, socketPath }: EndpointSettings): {
  url: URL
  socketPath: string | undefined
} {
  if (server.startsWith('unix://'))
    return { url: new URL('http://localhost/'), socketPath: server.slice('unix://'.length) }
  const url = URL.canParse(server) ? new URL(server) : undefined
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return { url, socketPath }
  throw new IpamError('bad_input', `Cannot reach Kubernetes: "${server}" is not a URL of an API server`, {
    hint: 'http://host:port, https://host:port or unix:///path',
  })
}

function read(material: Material | undefined): string | undefined {
  if (material === undefined) return undefined
  if ('text' in material) return material.text
  try {
    return readFileSync(material.file, 'utf8')
  } catch (cause) {
    throw new IpamError('denied', `Cannot reach Kubernetes: "${material.file}" cannot be read`, { cause })
  }
}

function authorization({ token, basic }: EndpointSettings): Record<string, string> {
  const bearer = read(token)?.trim()
  if (bearer) return { authorization: `Bearer ${bearer}` }
  if (basic === undefined) return {}
  const pair = Buffer.from(`${basic.username}:${basic.password}`).toString('base64')
  return { authorization: `Basic ${pair}` }
}
