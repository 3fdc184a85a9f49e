// One HTTP request on its way out, over TCP, TLS or a unix socket.
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Access, Endpoint } from './endpoint.ts'
import { KubeError } from './error.ts'

export interface KubeRequest {
  /** For messages: "Cannot <doing>: …". */
  readonly doing: string
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly query?: Readonly<Record<string, string | number | undefined>>
  /** Sent as JSON; of a PATCH a list is a JSON patch, an object a merge patch. */
  readonly body?: unknown
  /** The representation that is wanted; plain JSON when missing. */
  readonly accept?: string | undefined
  readonly signal?: AbortSignal
}

/** The answer's head, whatever its status. Throws ConnectionLost. */
export function send(
  endpoint: Endpoint,
  access: Access,
  userAgent: string,
  request: KubeRequest,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const { url, socketPath } = endpoint
  const method = request.method ?? 'GET'
  const body = request.body === undefined ? undefined : Buffer.from(JSON.stringify(request.body))
  const options = {
    method,
    agent: access.agent,
    signal,
    path: url.pathname.replace(/\/$/, '') + request.path + queryText(request.query),
    ...(socketPath === undefined
      ? {
          host: url.hostname.replace(/^\[|\]$/g, ''),
          port: url.port || (url.protocol === 'https:' ? 443 : 80),
        }
      : { socketPath, host: url.host }),
    headers: {
      ...access.headers,
      accept: request.accept ?? 'application/json',
      'user-agent': userAgent,
      ...(body && {
        'content-type': contentType(method, request.body),
        'content-length': body.length,
      }),
    },
  }
  return new Promise((resolve, reject) => {
    const outgoing = (url.protocol === 'https:' ? httpsRequest : httpRequest)(options, resolve)
    outgoing.on('error', (cause) => reject(new ConnectionLost(request.doing, cause, outgoing.reusedSocket)))
    outgoing.end(body)
  })
}

function contentType(method: string, body: unknown): string {
  if (method !== 'PATCH') return 'application/json'
  return Array.isArray(body) ? 'application/json-patch+json' : 'application/merge-patch+json'
}

export class ConnectionLost extends KubeError {
  /** The server closed an idle connection just as we used it: a new one will do. */
  readonly idle: boolean

  constructor(doing: string, cause: Error, reused: boolean) {
    super('unavailable', `Cannot ${doing}: no connection to the API server (${wordOf(cause)})`, {
      status: 0,
      cause,
    })
    this.idle = reused && wordOf(cause) !== 'ABORT_ERR'
  }
}

/** What befell a connection, in a word. */
export function wordOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause)
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message
}

function queryText(query: KubeRequest['query']): string {
  const pairs = Object.entries(query ?? {}).filter(([, value]) => value !== undefined)
  return pairs.length === 0
    ? ''
    : `?${pairs.map(([key, value]) => `${key}=${encodeURIComponent(String(value))}`).join('&')}`
}
