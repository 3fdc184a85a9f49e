// One request and its answer over HTTP: bodies read with a bound, watches streamed with one.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Log } from '../base/log.ts'
import { mediaType } from './body.ts'
import { parseProtobuf } from './protobuf.ts'
import {
  type Answer,
  type ApiAnswer,
  type ApiRequest,
  isWatch,
  jsonAnswer,
  type Sink,
  type StreamedAnswer,
  type WatchAnswer,
} from './request.ts'
import { StatusError } from './status-error.ts'

export type Handle = (request: ApiRequest) => ApiAnswer | StreamedAnswer | Promise<ApiAnswer | StreamedAnswer>

/** Answers `request` with what `handle` says of it; a fault of its own is answered with 500. Never rejects. */
export async function exchange(
  request: IncomingMessage,
  response: ServerResponse,
  handle: Handle,
  log: Log,
): Promise<void> {
  try {
    await answer(request, response, handle, log)
  } catch (error) {
    if (request.complete) return fail(request, response, log, error)
    log.debug('request broken off', { method: request.method, url: request.url })
    response.destroy()
  }
}

function fail(request: IncomingMessage, response: ServerResponse, log: Log, error: unknown): void {
  log.error('request failed', { method: request.method, url: request.url, error: String(error) })
  if (response.headersSent) response.destroy()
  else reply(response, refusal(internalError(error)))
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  handle: Handle,
  log: Log,
): Promise<void> {
  const url = request.url ?? '/'
  const body = await readBody(request)
  if (body === undefined) return reply(response, refusal(tooLarge))
  const headers = plainHeaders(request)
  const message = mediaType(headers['content-type']) === protobuf ? parseProtobuf(body) : undefined
  const answered = await handle({
    method: request.method ?? 'GET',
    url,
    headers: message === undefined ? headers : { ...headers, 'content-type': 'application/json' },
    body: message === undefined ? body.toString('utf8') : JSON.stringify(message),
  })
  log.debug('request served', { method: request.method, url, status: answered.status })
  if ('parts' in answered) await writeParts(answered, response)
  else if (isWatch(answered)) stream(answered, response, (error) => fail(request, response, log, error))
  else reply(response, answered)
}

const protobuf = 'application/vnd.kubernetes.protobuf'
const bodyLimit = 3 * 1024 * 1024
const tooLarge = new StatusError(
  413,
  'RequestEntityTooLarge',
  `Request entity too large: limit is ${bodyLimit}`,
)

function internalError(error: unknown): StatusError {
  return new StatusError(500, 'InternalError', `Internal error occurred: ${String(error)}`)
}

export function refusal(error: StatusError): Answer {
  return jsonAnswer(error.code, error)
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

export function reply(response: ServerResponse, { status, contentType, body, warnings = [] }: Answer): void {
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

/** As fast as they are read. */
async function writeParts(
  { contentType, parts, status }: StreamedAnswer,
  response: ServerResponse,
): Promise<void> {
  begin(response, status, contentType)
  for await (const part of parts) {
    if (response.destroyed) return // nobody reads it any more
    response.write(part)
    await taken(response)
  }
  response.end()
}

function begin(response: ServerResponse, status: number, contentType: string): void {
  response.writeHead(status, { 'content-type': contentType, 'cache-control': 'no-cache, private' })
}

/** Resolves at once when little waits to be read, and when nobody reads any more. */
function taken(response: ServerResponse): Promise<void> {
  if (!response.writableNeedDrain || response.destroyed) return Promise.resolve()
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done).off('close', done)
      resolve()
    }
    response.on('drain', done).on('close', done)
  })
}

/** A reader this far behind is cut off; it will list again. */
const backlogLimit = 64 * 1024 * 1024

function stream(answered: WatchAnswer, response: ServerResponse, broken: Sink['fail']): void {
  begin(response, 200, answered.contentType)
  response.flushHeaders()
  const stop = answered.start({
    send: (event) => {
      response.write(event)
      if (response.writableLength > backlogLimit) response.destroy()
    },
    taken: () => taken(response),
    fail: broken,
    end: () => response.end(),
  })
  response.on('close', stop)
}
