// The port that claims are served on, as somebody finds it who has no certificate.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { serveAggregated } from '../../../internal/apiserver/aggregated/serve-aggregated.ts'
import type { Limits } from '../../../internal/apiserver/listener.ts'
import { issueCertificate, makeAuthority } from '../../../internal/apiserver/tls/certificate.ts'
import { systemClock } from '../../../internal/base/clock.ts'
import { silentLog } from '../../../internal/base/log.ts'
import { type At, ask, open, statusIn } from '../raw-request.ts'

const claims = '/apis/ipam.tke.cloud.tencent.com/v1beta1'

test('[K4] serveAggregated() answers nobody whose path only looks like health', async (t) => {
  const at = await serving(t)
  for (const target of [
    `/healthz/..${claims}/vpcips`,
    `/healthz/%2e%2e${claims}/vpcips`,
    `/healthz/%2E.${claims}/vpcips`,
    `/healthz/../hook`,
    `//${claims}/vpcips`,
    '//apis',
    `/healthz%2f..${claims}/vpcips`,
    `/healthz\\..${claims}/vpcips`,
    `http://x${claims}/vpcips`,
    'http://x/healthz',
  ])
    for (const method of ['GET', 'DELETE', 'POST'])
      assert.equal(statusIn(await ask(at, target, method)), 400, target)
  for (const target of ['/healthz-x', '/healthz/', `${claims}/vpcips`, '/'])
    assert.equal(statusIn(await ask(at, target)), 401, target)
  for (const target of ['/healthz', '/healthz?x', '/livez', '/readyz'])
    assert.equal(statusIn(await ask(at, target)), 200, target)
})

test('serveAggregated() reads no body of anybody who has not said who he is', async (t) => {
  const at = await serving(t)
  const length = 3 * 1024 * 1024
  const before = process.memoryUsage().rss
  const connections = Array.from({ length: 100 }, (_, i) => {
    const path = ['/healthz', `${claims}/vpcips`, '//'][i % 3] ?? ''
    const head = `POST ${path} HTTP/1.1\r\nhost: a\r\ncontent-length: ${length}\r\n\r\n`
    return open(at, head + 'x'.repeat(64 * 1024))
  })
  const answers = await Promise.all(connections.map(({ closed }) => closed))
  assert.deepEqual(new Set(answers.map(statusIn)), new Set([405, 401, 400]))
  assert.ok(process.memoryUsage().rss - before < 200 * 1024 * 1024)
})

test('serveAggregated() waits a moment only for who says nothing', async (t) => {
  const at = await serving(t, { connections: 200, headers: 300, request: 400 })
  assert.equal(await open({ port: at.port }).closed, '') // not even TLS
  assert.match(await open(at, 'GET / HTTP/1.1\r\n').closed, /^HTTP\/1\.1 408/)
})

const usual: Limits = { connections: 200, headers: 2000, request: 3000 }

async function serving(t: TestContext, limits = usual): Promise<At> {
  const now = systemClock.now()
  const validity = { from: now - 1000, to: now + 60_000 }
  const authority = makeAuthority('ca', validity)
  const handle = () => assert.fail('handled')
  const server = await serveAggregated({
    handle,
    allows: () => assert.fail('asked'),
    listen: { host: '127.0.0.1', port: 0 },
    certificate: issueCertificate(authority, 'ca', ['a'], validity),
    hook: { path: '/hook', name: '/hook', handle },
    limits,
    log: silentLog,
  })
  t.after(() => server.close())
  return { port: server.port, secure: true }
}
