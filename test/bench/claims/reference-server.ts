// What a server of the same objects costs at least, beside which ours is measured: TLS, and JSON.stringify of what is in memory. Started
// as a process of its own; says its ports to who has started it.
//   GET /list /table /one    the objects in the files of the directory
//   GET /page?at=500&limit=500
//   GET /watch               a line for each DELETE, to everybody
//   DELETE /                 one has changed
import { readFileSync } from 'node:fs'
import { createServer as createHttpServer, type ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'

const [directory = ''] = process.argv.slice(2)
const read = (name: string) => readFileSync(join(directory, name), 'utf8')
const list = JSON.parse(read('list.json')) as { items: object[] }
const table: unknown = JSON.parse(read('table.json'))
const watchers = new Set<ServerResponse>()

const server = createServer(
  { cert: read('reference.crt'), key: read('reference.key') },
  (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'https://reference')
    if (pathname === '/watch') {
      response.writeHead(200).flushHeaders()
      watchers.add(response)
      response.once('close', () => watchers.delete(response))
      return
    }
    if (request.method === 'DELETE') {
      for (const each of watchers)
        each.write(`${JSON.stringify({ type: 'MODIFIED', object: list.items[0] })}\n`)
      return void response.end('{}')
    }
    const at = Number(searchParams.get('at'))
    const items = list.items.slice(at, at + Number(searchParams.get('limit')))
    const answers: Record<string, unknown> = { '/list': list, '/table': table, '/one': list.items[0] }
    response.end(JSON.stringify(answers[pathname] ?? { ...list, items }))
  },
)
const health = createHttpServer((_, response) => void response.end('ok\n'))
server.listen(0, '127.0.0.1', () => {
  health.listen(0, '127.0.0.1', () => {
    const [port, healthPort] = [server, health].map((each) => (each.address() as AddressInfo).port)
    process.send?.({ port, healthPort })
  })
})
