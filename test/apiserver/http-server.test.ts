import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { serveKubeApi } from '../../internal/apiserver/http-server.ts'
import { kubeconfigFor } from '../../internal/apiserver/kubeconfig.ts'
import { openSqliteStorage } from '../../internal/apiserver/sqlite-storage.ts'
import { systemClock } from '../../internal/base/clock.ts'
import { silentLog } from '../../internal/base/log.ts'
import { errorCode } from '../../internal/ipam/errors.ts'
import { httpKubeServer, Kube } from '../contract/kube/server.ts'
import { openServer } from './open-server.ts'

const configMaps = '/api/v1/namespaces/default/configmaps'

test('serveKubeApi() serves one cluster on several addresses, sockets for their owner only', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'apiserver-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const socketPath = join(folder, 'api.sock')
  const storage = openSqliteStorage({ path: ':memory:', clock: systemClock })
  const listen = [{ host: '127.0.0.1', port: 0 }, { socketPath }]
  const server = await serveKubeApi({ storage, clock: systemClock, log: silentLog, listen })
  t.after(() => server.close())
  const overTcp = new Kube(httpKubeServer({ baseUrl: server.url }))
  const overSocket = new Kube(httpKubeServer({ baseUrl: 'http://localhost', socketPath }))
  const made = await overTcp.create(configMaps, { metadata: { name: 'a' } })
  assert.deepEqual((await overSocket.get(`${configMaps}/a`)).body, made)
  assert.equal(statSync(socketPath).mode & 0o777, 0o600)
})

test('serveKubeApi() with a token refuses those who do not have it', async (t) => {
  const storage = openSqliteStorage({ path: ':memory:', clock: systemClock })
  const listen = { host: '127.0.0.1', port: 0 }
  const server = await serveKubeApi({ storage, clock: systemClock, log: silentLog, listen, token: 'secret' })
  t.after(() => server.close())
  const status = async (headers: Record<string, string>, path = configMaps) =>
    (await httpKubeServer({ baseUrl: server.url, headers }).request('GET', path)).status
  assert.equal(await status({}), 401)
  assert.equal(await status({ authorization: 'Bearer other' }), 401)
  assert.equal(await status({ authorization: 'Bearer secret' }), 200)
  assert.equal(await status({}, '/healthz'), 200)
  assert.match(kubeconfigFor(server.url, 'secret'), /token: "secret"/)
})

test('serveKubeApi() tells the time of its own clock', async (t) => {
  const clock = { ...systemClock, now: () => Date.UTC(2031, 0, 2, 3, 4, 5) }
  const storage = openSqliteStorage({ path: ':memory:', clock })
  const listen = { host: '127.0.0.1', port: 0 }
  const server = await serveKubeApi({ storage, clock, log: silentLog, listen, aggregate: true })
  t.after(() => server.close())
  for (const path of ['/version', configMaps]) {
    const { headers } = await fetch(server.url + path)
    assert.equal(headers.get('date'), 'Thu, 02 Jan 2031 03:04:05 GMT')
  }
})

test('serveKubeApi() says which address is taken', async (t) => {
  const server = await openServer()
  t.after(() => server.close())
  const listen = { host: '127.0.0.1', port: Number(new URL(server.url).port) }
  const again = serveKubeApi({ storage: server.storage, clock: systemClock, log: silentLog, listen })
  await assert.rejects(
    again,
    (error: Error) => errorCode(error) === 'unavailable' && error.message.includes(String(listen.port)),
  )
})

test('interrupt() cuts watches and refuses connections until resume()', async (t) => {
  const server = await openServer()
  t.after(() => server.close())
  const kube = new Kube(httpKubeServer({ baseUrl: server.url }))
  const made = await kube.create(configMaps, { metadata: { name: 'before' } })
  const watch = await kube.watch(
    `${configMaps}?watch=true&resourceVersion=${made['metadata'] && server.storage.revision()}`,
  )
  await server.interrupt()
  assert.equal(await watch.next(), undefined)
  await assert.rejects(kube.get(configMaps), { code: 'ECONNREFUSED' })
  await server.resume()
  assert.equal((await kube.get(`${configMaps}/before`)).status, 200)
})

test('a body beyond the limit is refused', async (t) => {
  const server = await openServer()
  t.after(() => server.close())
  const kube = new Kube(httpKubeServer({ baseUrl: server.url }))
  const data = { big: 'x'.repeat(3 * 1024 * 1024) }
  const answer = await kube.send('POST', configMaps, { metadata: { name: 'big' }, data })
  assert.deepEqual([answer.status, answer.body['reason']], [413, 'RequestEntityTooLarge'])
})

test('YAML bodies are read', async (t) => {
  const server = await openServer()
  t.after(() => server.close())
  const kube = new Kube(httpKubeServer({ baseUrl: server.url }))
  const made = await kube.must('POST', configMaps, 'metadata:\n  name: yaml\ndata:\n  a: "1"\n', {
    'content-type': 'application/yaml',
  })
  assert.deepEqual(made['data'], { a: '1' })
})
