import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, test } from 'node:test'
import { systemClock } from '../../internal/base/clock.ts'
import { IpamError } from '../../internal/ipam/errors.ts'
import { type ClientSettings, createKubeClient, type KubeClient } from '../../internal/kube/client.ts'
import { createEndpoint } from '../../internal/kube/endpoint.ts'
import { type Answer, refuse, reply, startTinyServer, type TinyServer } from './tiny-server.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})
const ask = { doing: 'get node "n"', path: '/api/v1/nodes/n' }

test('call() sends JSON and gives the parsed answer', async () => {
  const { server, client } = await serve((exchange) => reply(exchange, 200, { echo: exchange.body }))
  const answer = await client.call({
    ...ask,
    method: 'POST',
    body: { a: 'ü' },
    query: { x: 'a=b&c', y: undefined },
  })
  assert.deepEqual(answer, { echo: { a: 'ü' } })
  const [exchange] = server.seen
  assert.equal(exchange?.query.get('x'), 'a=b&c')
  assert.equal(exchange?.query.has('y'), false)
  assert.equal(exchange?.request.headers['content-type'], 'application/json')
})

test('call() sends a PATCH as a merge patch', async () => {
  const { server, client } = await serve((exchange) => reply(exchange, 200, {}))
  await client.call({ ...ask, method: 'PATCH', body: { status: {} } })
  assert.equal(server.seen[0]?.request.headers['content-type'], 'application/merge-patch+json')
})

for (const { status, code } of [
  { status: 400, code: 'bad_input' },
  { status: 401, code: 'denied' },
  { status: 403, code: 'denied' },
  { status: 404, code: 'not_found' },
  { status: 409, code: 'conflict' },
  { status: 415, code: 'bad_input' },
  { status: 422, code: 'bad_input' },
  { status: 500, code: 'unavailable' },
  { status: 503, code: 'unavailable' },
])
  test(`call() gives ${code} for ${status}, with what the server said`, async () => {
    const { client } = await serve((exchange) => refuse(exchange, status, 'Whatever'))
    await assert.rejects(client.call(ask), (error) => {
      assert.ok(error instanceof IpamError)
      assert.equal(error.code, code)
      assert.equal(error.message, `Cannot get node "n": the API server answered ${status} "Whatever it is"`)
      return true
    })
  })

test('call() names both causes of a 403: roles that are missing, and roles that are not read yet', async () => {
  const { client } = await serve((exchange) => refuse(exchange, 403, 'Forbidden'))
  await assert.rejects(client.call(ask), { hint: /just started .* check the ClusterRole/ })
})

test('call() gives unavailable for a success that is not JSON', async () => {
  const { client } = await serve(({ response }) => response.end('<html>login</html>'))
  await assert.rejects(client.call(ask), { code: 'unavailable', message: /not JSON: "<html>login/ })
})

test('call() gives unavailable when nobody listens, and when the answer is cut', async () => {
  const { server, client } = await serve(({ response }) => {
    response.writeHead(200, { 'content-length': 100 })
    response.write('{', () => response.destroy())
  })
  await assert.rejects(client.call(ask), { code: 'unavailable' })
  await server.stop()
  await assert.rejects(client.call(ask), { code: 'unavailable', message: /ECONNREFUSED/ })
})

test('call() gives unavailable when the answer takes too long, body included', async () => {
  const { client } = await serve(({ response }) => void response.write('{'), { timeout: 30 })
  await assert.rejects(client.call(ask), { code: 'unavailable', message: /no answer within 30 ms/ })
})

test('call() ends when its caller gives up', async () => {
  const { server, client } = await serve(() => {})
  const abort = new AbortController()
  const outcome = assert.rejects(client.call({ ...ask, signal: abort.signal }), { message: /it was stopped/ })
  await server.saw(() => true)
  abort.abort()
  await outcome
})

test('close() fails what is under way', async () => {
  const { server, client } = await serve(() => {})
  const outcome = assert.rejects(client.call(ask), { code: 'unavailable' })
  await server.saw(() => true)
  client.close()
  await outcome
})

test('[R5] call() waits as long as a throttling server asks, and tries again', async () => {
  let asked = 0
  const { client } = await serve((exchange) => {
    if (asked++ < 2) refuse(exchange, 429, 'TooManyRequests', { 'retry-after': '0' })
    else reply(exchange, 200, { ok: true })
  })
  assert.deepEqual(await client.call(ask), { ok: true })
  assert.equal(asked, 3)
})

test('[R5] call() gives up on a server that keeps throttling', async () => {
  const { server, client } = await serve((exchange) =>
    refuse(exchange, 429, 'TooManyRequests', { 'retry-after': '0' }),
  )
  await assert.rejects(client.call(ask), { code: 'unavailable' })
  assert.equal(server.seen.length, 4)
})

test('call() survives an idle connection that the server closed', async () => {
  const { server, client } = await serve((exchange) => {
    reply(exchange, 200, { n: server.seen.length })
    // Closed right after the answer, when the client already counts on the connection.
    if (server.seen.length === 1) exchange.request.socket.destroySoon()
  })
  assert.deepEqual(await client.call(ask), { n: 1 })
  assert.deepEqual(await client.call(ask), { n: 2 })
})

test('call() reaches a server over a unix socket, and under a path prefix', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'kube-'))
  closing.push(() => rmSync(directory, { recursive: true }))
  const answer: Answer = (exchange) => reply(exchange, 200, { path: exchange.path })
  const { server } = await serve(answer, {}, join(directory, 'api.sock'))
  for (const settings of [
    { server: server.url },
    { server: 'http://nowhere.invalid/', socketPath: join(directory, 'api.sock') },
  ]) {
    const client = createKubeClient(createEndpoint(settings, systemClock), systemClock)
    assert.deepEqual(await client.call(ask), { path: ask.path })
    client.close()
  }
  const prefixed = createKubeClient(
    createEndpoint(
      { server: 'http://h/k8s/clusters/c-1/', socketPath: join(directory, 'api.sock') },
      systemClock,
    ),
    systemClock,
  )
  assert.deepEqual(await prefixed.call(ask), { path: `/k8s/clusters/c-1${ask.path}` })
  prefixed.close()
})

test('open() hands out the body as it comes', async () => {
  const { client } = await serve(({ response }) => {
    response.write('one\n')
  })
  const stream = await client.open(ask)
  for await (const chunk of stream) {
    assert.equal(String(chunk), 'one\n')
    break
  }
})

async function serve(
  answer: Answer,
  settings: Partial<ClientSettings> = {},
  socketPath?: string,
): Promise<{ server: TinyServer; client: KubeClient }> {
  const server = await startTinyServer(answer, socketPath === undefined ? {} : { socketPath })
  const client = createKubeClient(createEndpoint({ server: server.url }, systemClock), systemClock, settings)
  closing.push(server.stop, client.close)
  return { server, client }
}
