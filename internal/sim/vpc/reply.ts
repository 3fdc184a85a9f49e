// Reading a request's body and sending an answer.
import type { IncomingMessage, ServerResponse } from 'node:http'

export interface Reply {
  readonly status: number
  readonly type: string
  readonly body: string
}

/** Larger requests are refused by the API. */
export const maxBodyBytes = 10 * 1024 * 1024

export function json(status: number, value: unknown): Reply {
  return { status, type: 'application/json', body: JSON.stringify(value) }
}

export function plain(status: number, body: string): Reply {
  return { status, type: 'text/plain', body }
}

/** The whole body; of one that is too large so much that this can be seen. */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    if (size <= maxBodyBytes) parts.push(part)
    size += part.length
  }
  return Buffer.concat(parts)
}

export function send(response: ServerResponse, { status, type, body }: Reply): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) })
  response.end(body)
}
