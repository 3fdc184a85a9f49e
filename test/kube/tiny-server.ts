// An HTTP server whose answers each test writes by hand, for what a well-behaved API server never does.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly body: unknown
}

export interface TinyServer {
  readonly url: string
  readonly port: number
  readonly seen: readonly Exchange[]
  /** Resolves with the next exchange that `matches`, seen already or not. */
  saw(matches: (exchange: Exchange) => boolean): Promise<Exchange>
  /** Cuts every connection and stops listening. */
  stop(): Promise<void>
}

export type Answer = (exchange: Exchange) => void

export async function startTinyServer(
  answer: Answer,
  where: { port?: number; socketPath?: string } = {},
): Promise<TinyServer> {
  const seen: Exchange[] = []
  const waiting: { matches: (exchange: Exchange) => boolean; tell: (exchange: Exchange) => void }[] = []
  const sockets = new Set<Socket>()
  const server = createServer((request, response) => {
    void readBody(request).then((body) => {
      const url = new URL(request.url ?? '/', 'http://localhost')
      const exchange = {
        request,
        response,
        method: request.method ?? '',
        path: url.pathname,
        query: url.searchParams,
        body,
      }
      seen.push(exchange)
      for (const each of waiting) if (each.matches(exchange)) each.tell(exchange)
      answer(exchange)
    })
  })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => {
    if (where.socketPath === undefined) server.listen(where.port ?? 0, '127.0.0.1', resolve)
    else server.listen(where.socketPath, resolve)
  })
  const port = where.socketPath === undefined ? (server.address() as AddressInfo).port : 0
  return {
    url: where.socketPath === undefined ? `http://127.0.0.1:${port}` : `unix://${where.socketPath}`,
    port,
    seen,
    saw(matches) {
      const past = seen.find(matches)
      if (past) return Promise.resolve(past)
      return new Promise((tell) => waiting.push({ matches, tell }))
    },
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve))
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

/** Answers with JSON. */
export function reply(exchange: Exchange, status: number, body: unknown, headers = {}): void {
  exchange.response.writeHead(status, { 'content-type': 'application/json', ...headers })
  exchange.response.end(JSON.stringify(body))
}

/** Answers as the API server refuses. */
export function refuse(exchange: Exchange, code: number, reason: string, headers = {}): void {
  reply(exchange, code, status(code, reason), headers)
}

export function status(code: number, reason: string) {
  return { kind: 'Status', status: 'Failure', code, reason, message: `${reason} it is` }
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return text === '' ? undefined : JSON.parse(text)
}
