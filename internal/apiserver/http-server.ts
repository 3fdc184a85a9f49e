// The API over HTTP, on loopback addresses and unix sockets; can play dead for tests of an outage.
import { timingSafeEqual } from 'node:crypto'
import { chmodSync, lstatSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { type Random, systemRandom } from '../base/random.ts'
import { IpamError } from '../ipam/errors.ts'
import type { KnownPolicy } from './admission.ts'
import { type Api, createApi } from './api.ts'
import { mediaType } from './body.ts'
import { parseProtobuf } from './protobuf.ts'
import { type Answer, isWatch, jsonAnswer, type WatchAnswer } from './request.ts'
import { StatusError, unauthorized } from './status-error.ts'
import type { Storage } from './storage.ts'

export type ListenOn = { readonly host: string; readonly port: number } | { readonly socketPath: string }

export interface ServeOptions {
  readonly storage: Storage
  readonly clock: Clock
  readonly log: Log
  readonly random?: Random
  readonly listen: ListenOn | readonly ListenOn[]
  /** When given, every request but the health checks must carry it as a bearer token. */
  readonly token?: string
  /** Admission policies that may be installed. */
  readonly policies?: readonly KnownPolicy[]
}

export interface ServedApi {
  /** Of the first TCP address; "http://localhost" when there are only sockets. */
  readonly url: string
  /** The same API without HTTP. */
  readonly api: Api
  /** Refuses connections and cuts those that are open, as a server that has died. */
  interrupt(): Promise<void>
  /** Listens again where it did. */
  resume(): Promise<void>
  close(): Promise<void>
}

/** Serves a cluster's API from `storage`, which stays the caller's to close. Throws IpamError `unavailable` when an address is taken. */
export async function serveKubeApi(options: ServeOptions): Promise<ServedApi> {
  const { storage, clock, log, random = systemRandom, token, policies = [] } = options
  const api = createApi({ storage, clock, random, policies })
  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    answer(api, request, response, token, log).catch((error: unknown) => {
      log.error('request failed', { method: request.method, url: request.url, error: String(error) })
      if (response.headersSent) response.destroy()
      else
        reply(
          response,
          refusal(new StatusError(500, 'InternalError', `Internal error occurred: ${String(error)}`)),
        )
    })
  }
  const wanted = 'length' in options.listen ? options.listen : [options.listen]
  const listeners = await openListeners(wanted, serve)
  const tcp = listeners.map(({ bound }) => bound).find((bound) => 'port' in bound)
  const interrupt = async (): Promise<void> => {
    await Promise.all(listeners.map((listener) => listener.stop()))
  }
  return {
    url: tcp === undefined ? 'http://localhost' : urlOf(tcp),
    api,
    interrupt,
    resume: async () => {
      await Promise.all(listeners.map((listener) => listener.start()))
    },
    close: interrupt,
  }
}

interface Listener {
  /** As asked, with the port that was given. */
  readonly bound: ListenOn
  start(): Promise<void>
  stop(): Promise<void>
}

/** All of them, or none: one left open would keep the process from ending. */
async function openListeners(wanted: readonly ListenOn[], serve: Serve): Promise<readonly Listener[]> {
  const outcomes = await Promise.allSettled(wanted.map((address) => openListener(address, serve)))
  const open = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
  const refused = outcomes.find(({ status }) => status === 'rejected')
  if (refused?.status !== 'rejected') return open
  await Promise.all(open.map((listener) => listener.stop()))
  throw refused.reason
}

type Serve = (request: IncomingMessage, response: ServerResponse) => void

async function openListener(address: ListenOn, serve: Serve): Promise<Listener> {
  let server = await listen(address, serve)
  const given = server.address() as AddressInfo | string | null
  const bound: ListenOn =
    'host' in address && typeof given === 'object' && given !== null
      ? { host: address.host, port: given.port }
      : address
  return {
    bound,
    start: async () => {
      if (!server.listening) server = await listen(bound, serve)
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function listen(address: ListenOn, serve: Serve): Promise<Server> {
  const server = createServer({ keepAliveTimeout: 120_000 }, serve)
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      const where = 'host' in address ? `${address.host}:${address.port}` : address.socketPath
      reject(new IpamError('unavailable', `Cannot listen on "${where}": ${cause.message}`, { cause }))
    })
    if ('host' in address) server.listen(address.port, address.host, () => resolve(server))
    else {
      removeStaleSocket(address.socketPath)
      server.listen(address.socketPath, () => {
        chmodSync(address.socketPath, 0o600) // whoever may open it may do everything
        resolve(server)
      })
    }
  })
}

/** A killed server leaves its socket behind; a file of another kind is not ours to remove. */
function removeStaleSocket(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket()) rmSync(path)
}

function urlOf({ host, port }: { host: string; port: number }): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}

async function answer(
  api: Api,
  request: IncomingMessage,
  response: ServerResponse,
  token: string | undefined,
  log: Log,
): Promise<void> {
  const url = request.url ?? '/'
  if (token !== undefined && !isHealth(url) && !hasToken(request, token))
    return reply(response, refusal(unauthorized()))
  const body = await readBody(request)
  if (body === undefined) return reply(response, refusal(tooLarge))
  const headers = plainHeaders(request)
  const message = mediaType(headers['content-type']) === protobuf ? parseProtobuf(body) : undefined
  const answered = api.handle({
    method: request.method ?? 'GET',
    url,
    headers: message === undefined ? headers : { ...headers, 'content-type': 'application/json' },
    body: message === undefined ? body.toString('utf8') : JSON.stringify(message),
  })
  log.debug('request served', { method: request.method, url, status: answered.status })
  if (isWatch(answered)) stream(answered, response)
  else reply(response, answered)
}

const protobuf = 'application/vnd.kubernetes.protobuf'
const bodyLimit = 3 * 1024 * 1024
const tooLarge = new StatusError(
  413,
  'RequestEntityTooLarge',
  `Request entity too large: limit is ${bodyLimit}`,
)

function refusal(error: StatusError): Answer {
  return jsonAnswer(error.code, error)
}

function isHealth(url: string): boolean {
  return /^\/(healthz|livez|readyz)\b/.test(url)
}

function hasToken(request: IncomingMessage, token: string): boolean {
  const given = Buffer.from(request.headers.authorization ?? '')
  const wanted = Buffer.from(`Bearer ${token}`)
  return given.length === wanted.length && timingSafeEqual(given, wanted)
}

function plainHeaders(request: IncomingMessage): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(',') : value,
    ]),
  )
}

/** The whole body, or undefined when it is too long. */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > bodyLimit) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function reply(response: ServerResponse, { status, contentType, body, warnings = [] }: Answer): void {
  if (warnings.length > 0) {
    response.setHeader(
      'warning',
      warnings.map((text) => `299 - ${JSON.stringify(text)}`),
    )
  }
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-cache, private',
  })
  response.end(body)
}

/** A reader this far behind is cut off; it will list again. */
const backlogLimit = 64 * 1024 * 1024

function stream(answered: WatchAnswer, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': answered.contentType, 'cache-control': 'no-cache, private' })
  response.flushHeaders()
  const stop = answered.start({
    send: (event) => {
      response.write(event)
      if (response.writableLength > backlogLimit) response.destroy()
    },
    end: () => response.end(),
  })
  response.on('close', stop)
}
