// A kubeconfig's current context as plain settings: where the server is, and which texts or files prove who we are.
import { join } from 'node:path'
import { parse } from 'yaml'
import { isRecord, type JsonObject, quoteJson } from './json.ts'

/** PEM or a token: in the text itself, or in a file that may be replaced while we run. */
export type Material = { readonly text: string } | { readonly file: string }

export interface KubeconfigSettings {
  /** http(s)://host:port/prefix, or unix:///path */
  readonly server: string
  readonly ca?: Material | undefined
  readonly cert?: Material | undefined
  readonly key?: Material | undefined
  readonly token?: Material | undefined
  readonly basic?: { readonly username: string; readonly password: string } | undefined
  readonly serverName?: string | undefined
  readonly insecure?: boolean | undefined
}

/** `plain: false`: it asks for more than texts and files (a login program, a proxy, impersonation). */
export type Kubeconfig =
  | { readonly plain: true; readonly settings: KubeconfigSettings }
  | { readonly plain: false }
  | { readonly fault: string }

/** Paths in `text` are relative to `directory`. */
export function parseKubeconfig(text: string, directory: string): Kubeconfig {
  const root = parseYaml(text)
  if (!isRecord(root)) return { fault: 'it is not YAML with keys' }
  const current = root['current-context']
  if (typeof current !== 'string' || current === '') return { fault: 'it has no current-context' }
  const context = named(root['contexts'], current, 'context')
  if (context === undefined) return { fault: `it has no context ${quoteJson(current)}` }
  const cluster = named(root['clusters'], context['cluster'], 'cluster')
  const server = cluster?.['server']
  if (cluster === undefined || typeof server !== 'string')
    return { fault: `it has no cluster ${quoteJson(context['cluster'])} with a server` }
  const user = named(root['users'], context['user'], 'user') ?? {}
  if (needsMore(cluster, user)) return { plain: false }
  const material = (holder: JsonObject, name: string, dataKey = `${name}-data`) =>
    readMaterial(holder[name], holder[dataKey], directory)
  const token = string(user['token'])
  const username = string(user['username'])
  return {
    plain: true,
    settings: {
      server,
      ca: material(cluster, 'certificate-authority'),
      cert: material(user, 'client-certificate'),
      key: material(user, 'client-key'),
      // As everywhere: a token file goes before a token, because it can be renewed.
      token:
        readMaterial(user['tokenFile'], undefined, directory) ??
        (token === undefined ? undefined : { text: token }),
      basic: username === undefined ? undefined : { username, password: string(user['password']) ?? '' },
      serverName: string(cluster['tls-server-name']),
      insecure: cluster['insecure-skip-tls-verify'] === true,
    },
  }
}

function parseYaml(text: string): unknown {
  try {
    return parse(text, { uniqueKeys: false, logLevel: 'error' }) as unknown
  } catch {
    return undefined
  }
}

function needsMore(cluster: JsonObject, user: JsonObject): boolean {
  return (
    string(cluster['proxy-url']) !== undefined ||
    ['exec', 'auth-provider', 'as', 'as-groups', 'as-uid'].some((key) => user[key] != null)
  )
}

function named(list: unknown, name: unknown, part: string): JsonObject | undefined {
  if (!Array.isArray(list)) return undefined
  const entry = list.find((each) => isRecord(each) && each['name'] === name) as JsonObject | undefined
  const found = entry?.[part]
  return isRecord(found) ? found : undefined
}

/** Data goes before a file, as in kubectl. */
function readMaterial(file: unknown, data: unknown, directory: string): Material | undefined {
  const base64 = string(data)
  if (base64 !== undefined) return { text: Buffer.from(base64, 'base64').toString('utf8') }
  const path = string(file)
  return path === undefined ? undefined : { file: path.startsWith('/') ? path : join(directory, path) }
}

function string(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
