import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import type { Serve } from '../../internal/apiserver/entrance.ts'
import { exchange } from '../../internal/apiserver/http-exchange.ts'
import { serveKubeApi } from '../../internal/apiserver/http-server.ts'
import { type Limits, openListener } from '../../internal/apiserver/listener.ts'
import { parseTarget } from '../../internal/apiserver/request-target.ts'
import { openSqliteStorage } from '../../internal/apiserver/sqlite-storage.ts'
import { systemClock } from '../../internal/base/clock.ts'
import { type Log, silentLog } from '../../internal/base/log.ts'
import { type At, ask, open, statusIn } from './raw-request.ts'

const secrets = '/api/v1/namespaces/default/configmaps'

/** Each of them once reached what needs a token, or could. */
const tricks = [
  `/healthz/..${secrets}`,
  `/healthz/%2e%2e${secrets}`,
  `/healthz/%2E.${secrets}`,
  `/healthz/.%2e${secrets}`,
  `/healthz/x/../..${secrets}`,
  `/./healthz/..${secrets}`,
  `/healthz\\..${secrets}`,
  `/healthz%2f..${secrets}`,
  `/healthz%5C..${secrets}`,
  '//apis',
  `//healthz${secrets}`,
  `/healthz#/..${secrets}`,
  `http://x${secrets}`,
  'http://x/healthz',
  '*',
]

test('parseTarget() reads paths as they are, and no others', () => {
  for (const path of [
    '/',
    '/apis/',
    '/healthz',
    '/api/v1/namespaces/a/pods/b.c',
    '/a/b:c',
    '/a/%20',
    '/a/...',
  ])
    assert.equal(parseTarget(`${path}?x=1/../2//3`)?.path, path)
  assert.equal(parseTarget('/a?x=%2e&y=1')?.query.get('x'), '.')
  for (const url of ['', '?', 'healthz', ...tricks]) assert.equal(parseTarget(url), undefined, url)
})

for (const aggregate of [false, true]) {
  test(`serveKubeApi() refuses paths that could be taken for others${aggregate ? ', also when it passes requests on' : ''}`, async (t) => {
    const at = await serving(t, aggregate)
    for (const target of tricks) {
      for (const method of ['GET', 'DELETE']) {
        const answer = await ask(at, target, method)
        assert.equal(statusIn(answer), 400, `${method} ${target}: ${answer}`)
        assert.match(answer, /"kind":"Status".*"reason":"BadRequest"/)
      }
    }
    for (const target of ['/healthz', '/healthz?x', '/healthz?/../x', '/livez', '/readyz/ping'])
      assert.equal(statusIn(await ask(at, target)), 200, target)
    for (const target of ['/healthz-x', '/healthz/', '/healthz/x', '/healthz%20', secrets, '/x?/healthz'])
      assert.equal(statusIn(await ask(at, target)), 401, target)
    assert.equal(statusIn(await ask(at, '/healthz', 'POST')), 405)
  })
}

test('health is told, and refusals are, before a body is there', async (t) => {
  const at = await serving(t)
  const length = ['content-length: 3000000']
  assert.equal(statusIn(await ask(at, '/healthz', 'GET', length)), 200)
  assert.equal(statusIn(await ask(at, '/healthz', 'POST', length)), 405)
  assert.equal(statusIn(await ask(at, secrets, 'POST', length)), 401)
})

test('openListener() cuts off who does not come to the end of a request, and no answer that is long', async (t) => {
  const errors: string[] = []
  const log: Log = { ...silentLog, error: (event) => void errors.push(event) }
  const limits: Limits = { connections: 10, headers: 100, request: 200 }
  const at = await listening(t, limits, (request, response) => {
    if (request.url === '/watch') return void response.write('begun')
    if (request.method === 'GET') return void response.end('done')
    void exchange(request, response, () => assert.fail('handled'), log)
  })
  const watch = open(at, 'GET /watch HTTP/1.1\r\nhost: a\r\n\r\n')
  const again = open(at, 'GET / HTTP/1.1\r\nhost: a\r\n\r\n')
  await Promise.all([once(watch.socket, 'data'), once(again.socket, 'data')])
  const slow = await Promise.all([
    open(at, 'GET / HTTP/1.1\r\n').closed,
    open(at, 'POST /a HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\nhalf').closed,
    open(at).closed,
  ])
  assert.match(slow[0], /^HTTP\/1\.1 408/)
  assert.deepEqual([watch.socket.closed, again.socket.closed], [false, false])
  again.socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n')
  await once(again.socket, 'data')
  for (const { socket } of [watch, again]) socket.destroy()
  assert.deepEqual(errors, [])
})

test('openListener() takes so many connections and no more', async (t) => {
  const at = await listening(t, { connections: 2, headers: 5000, request: 5000 }, (_, response) => {
    response.write('begun')
  })
  const taken = [0, 1].map(() => open(at, 'GET / HTTP/1.1\r\nhost: a\r\n\r\n'))
  await Promise.all(taken.map(({ socket }) => once(socket, 'data')))
  assert.equal(await open(at, 'GET / HTTP/1.1\r\nhost: a\r\n\r\n').closed, '')
  for (const { socket } of taken) socket.destroy()
})

async function serving(t: TestContext, aggregate = false): Promise<At> {
  const storage = openSqliteStorage({ path: ':memory:', clock: systemClock })
  const listen = { host: '127.0.0.1', port: 0 }
  const common = { storage, clock: systemClock, log: silentLog, listen }
  const server = await serveKubeApi({ ...common, token: 'secret', aggregate })
  t.after(() => server.close())
  return { port: Number(new URL(server.url).port) }
}

async function listening(t: TestContext, limits: Limits, serve: Serve): Promise<At> {
  const listener = await openListener({ host: '127.0.0.1', port: 0 }, serve, { limits })
  t.after(() => listener.stop())
  return { port: 'port' in listener.bound ? listener.bound.port : 0 }
}
