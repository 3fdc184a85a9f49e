// How the contract suite reaches a Kubernetes API server, whatever it is: requests and watches, answers as they come.
import assert from 'node:assert/strict'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { asText, at, type Json, type JsonObject } from '../../../internal/apiserver/object.ts'

export interface RequestOptions {
  /** A string is sent as it is, anything else as JSON. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export interface RawAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

export interface RawWatch {
  readonly status: number
  /** One JSON text each; ends when the server ends the watch. */
  readonly lines: AsyncIterable<string>
  close(): void
}

/** What the suite needs of a server under test; authentication is the giver's business. */
export interface KubeServer {
  request(method: string, path: string, options?: RequestOptions): Promise<RawAnswer>
  watch(path: string, headers?: Readonly<Record<string, string>>): Promise<RawWatch>
}

export interface Answer {
  readonly status: number
  readonly headers: RawAnswer['headers']
  readonly body: JsonObject
}

export interface WatchEvent {
  readonly type: string
  readonly object: JsonObject
}

export interface KubeWatch {
  /** The next event; undefined when the server has ended the watch. */
  next(): Promise<WatchEvent | undefined>
  close(): void
}

/** Short words for what tests do all the time. */
export class Kube {
  private readonly server: KubeServer

  constructor(server: KubeServer) {
    this.server = server
  }

  raw(method: string, path: string, options?: RequestOptions): Promise<RawAnswer> {
    return this.server.request(method, path, options)
  }

  async send(
    method: string,
    path: string,
    body?: unknown,
    headers?: RequestOptions['headers'],
  ): Promise<Answer> {
    const answer = await this.server.request(method, path, {
      ...(body === undefined ? {} : { body }),
      ...(headers === undefined ? {} : { headers }),
    })
    return { ...answer, body: parse(answer.body) }
  }

  get(path: string, headers?: RequestOptions['headers']): Promise<Answer> {
    return this.send('GET', path, undefined, headers)
  }

  /** A write that must succeed; its object. */
  async must(
    method: string,
    path: string,
    body?: unknown,
    headers?: RequestOptions['headers'],
  ): Promise<JsonObject> {
    const answer = await this.send(method, path, body, headers)
    assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer.body
  }

  create(path: string, body: unknown): Promise<JsonObject> {
    return this.must('POST', path, body)
  }

  patch(kind: 'json' | 'merge' | 'strategic-merge', path: string, body: unknown): Promise<Answer> {
    return this.send('PATCH', path, body, { 'content-type': `application/${kind}-patch+json` })
  }

  async watch(path: string, headers?: RequestOptions['headers']): Promise<KubeWatch> {
    const { status, lines, close } = await this.server.watch(path, headers)
    assert.equal(status, 200)
    const iterator = lines[Symbol.asyncIterator]()
    return {
      async next() {
        const { done, value } = await iterator.next()
        return done === true ? undefined : (JSON.parse(value) as WatchEvent)
      },
      close,
    }
  }
}

function parse(text: string): JsonObject {
  try {
    return JSON.parse(text) as JsonObject
  } catch {
    return { text }
  }
}

/** "ADDED a" for each of the next `count` events. */
export async function nextEvents(watch: KubeWatch, count: number): Promise<string[]> {
  const seen: string[] = []
  while (seen.length < count) {
    const event = await watch.next()
    if (event === undefined) break
    seen.push(`${event.type} ${nameOf(event.object)}`)
  }
  return seen
}

export function nameOf(object: Json | undefined): string {
  return asText(at(object, 'metadata', 'name'))
}

export function versionOf(object: Json | undefined): string {
  return asText(at(object, 'metadata', 'resourceVersion'))
}

export function namesIn(list: JsonObject): string[] {
  const { items } = list
  return Array.isArray(items) ? items.map(nameOf) : []
}

export interface HttpServerOptions {
  readonly baseUrl: string
  readonly headers?: Readonly<Record<string, string>>
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  readonly socketPath?: string
}

/** A server reached over HTTP(S). */
export function httpKubeServer(options: HttpServerOptions): KubeServer {
  const open = (method: string, path: string, { body, headers = {} }: RequestOptions = {}) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const { baseUrl, headers: always = {}, ...connection } = options
      const start = baseUrl.startsWith('https:') ? httpsRequest : httpRequest
      const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body)
      // Node gives a DELETE's body no length of its own, which would make it the start of the next request.
      const type =
        text === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) }
      const sent = start(new URL(path, baseUrl), {
        ...connection,
        method,
        headers: { ...type, ...always, ...headers },
      })
      sent.once('response', resolve)
      sent.once('error', reject)
      sent.end(text)
    })
  return {
    async request(method, path, given) {
      const answer = await open(method, path, given)
      const chunks: Buffer[] = []
      for await (const chunk of answer as AsyncIterable<Buffer>) chunks.push(chunk)
      return {
        status: answer.statusCode ?? 0,
        headers: answer.headers,
        body: Buffer.concat(chunks).toString(),
      }
    },
    async watch(path, headers) {
      const answer = await open('GET', path, headers === undefined ? {} : { headers })
      return {
        status: answer.statusCode ?? 0,
        lines: linesOf(answer),
        close: () => answer.destroy(),
      }
    },
  }
}

async function* linesOf(stream: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  try {
    for await (const chunk of stream) {
      const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n')
      rest = parts.pop() ?? ''
      for (const part of parts) if (part !== '') yield part
    }
  } catch {
    // The connection was cut, by the server or by close(): either way there are no more events.
  }
}
