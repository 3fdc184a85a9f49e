// /healthz: the process lives. /readyz: it can do its work; else why not.
import { createServer, type Server } from 'node:http'

export interface HealthOptions {
  readonly host: string
  readonly port: number
  /** Why the process is not ready; undefined when it is. */
  readonly obstacle: () => string | undefined
}

/** Rejects when the address cannot be listened on. */
export async function serveHealth({ host, port, obstacle }: HealthOptions): Promise<Server> {
  const server = createServer((request, response) => {
    const path = request.url?.split('?')[0]
    if (path === '/healthz' || path === '/livez') return void response.end('ok\n')
    if (path === '/readyz') {
      const why = obstacle()
      return void response.writeHead(why === undefined ? 200 : 503).end(`${why ?? 'ok'}\n`)
    }
    response.writeHead(404).end('Cannot find this: there are /healthz and /readyz\n')
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  return server
}
