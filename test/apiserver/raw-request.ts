// Requests as bytes: those that no HTTP client would send.
import { connect as connectPlain, type Socket } from 'node:net'
import { connect as connectSecurely } from 'node:tls'

export interface At {
  readonly port: number
  readonly secure?: boolean
}

export interface RawConnection {
  readonly socket: Socket
  /** What came until it was closed. */
  readonly closed: Promise<string>
}

/** Sends `bytes`, and leaves the connection open. */
export function open({ port, secure = false }: At, bytes = ''): RawConnection {
  const where = { host: '127.0.0.1', port }
  const socket = secure ? connectSecurely({ ...where, rejectUnauthorized: false }) : connectPlain(where)
  let text = ''
  socket.on('data', (chunk) => {
    text += String(chunk)
  })
  socket.on('error', () => {}) // cut off is closed
  const closed = new Promise<string>((resolve) => socket.once('close', () => resolve(text)))
  socket.write(bytes)
  return { socket, closed }
}

/** Head and body of the answer. `target` is sent as it is. */
export async function ask(
  at: At,
  target: string,
  method = 'GET',
  head: readonly string[] = [],
): Promise<string> {
  const lines = [`${method} ${target} HTTP/1.1`, 'host: a', 'connection: close', ...head, '', '']
  return open(at, lines.join('\r\n')).closed
}

export const statusIn = (answer: string): number => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1])
