// A way to a server that remembers what was sent over it, and by whom nothing was: one per process under test.

import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Recorded {
  readonly at: number
  readonly method: string
  readonly path: string
  /** Of the cloud: what it is to do. */
  readonly action: string | undefined
  readonly status: number
}

export interface RecordingProxy {
  readonly url: string
  /** Everything that arrived, in order. */
  readonly seen: readonly Recorded[]
  close(): void
}

export type Target = { readonly socketPath: string } | { readonly url: string }

/** Listens on a port of the loopback. */
export async function recordingProxy(target: Target): Promise<RecordingProxy> {
  const seen: Recorded[] = []

  function forward(incoming: IncomingMessage, answer: ServerResponse): void {
    const at = Date.now()
    const where =
      'url' in target ? { host: new URL(target.url).hostname, port: new URL(target.url).port } : target
    const { method = 'GET', url: path = '/', headers } = incoming
    const action = headers['x-tc-action']
    const note = (status: number) =>
      void seen.push({ at, method, path, action: typeof action === 'string' ? action : undefined, status })
    const outgoing = request({ ...where, method, path, headers }, (response) => {
      note(response.statusCode ?? 0)
      answer.writeHead(response.statusCode ?? 502, response.headers)
      answer.flushHeaders()
      response.pipe(answer)
      response.on('error', () => answer.destroy())
    })
    outgoing.on('error', () => {
      note(0)
      answer.destroy()
    })
    answer.on('close', () => outgoing.destroy())
    incoming.pipe(outgoing)
  }

  const server = createServer(forward)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}

/** Requests that change something: writes to the API server, and what the cloud is asked to do. */
export function changes(seen: readonly Recorded[]): readonly Recorded[] {
  return seen.filter(({ method, action }) =>
    action === undefined ? method !== 'GET' : !action.startsWith('Describe'),
  )
}
