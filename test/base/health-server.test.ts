import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { serveHealth } from '../../internal/base/health-server.ts'

test('serveHealth() says that it lives, and whether and why not it is ready', async (t) => {
  let obstacle: string | undefined = 'nothing has been read yet'
  const server = await serveHealth({ host: '127.0.0.1', port: 0, obstacle: () => obstacle })
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  const ask = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: 'close' } })
    return `${answer.status} ${(await answer.text()).trim()}`
  }
  assert.equal(await ask('/healthz'), '200 ok')
  assert.equal(await ask('/livez'), '200 ok')
  assert.equal(await ask('/readyz'), '503 nothing has been read yet')
  obstacle = undefined
  assert.equal(await ask('/readyz?verbose'), '200 ok')
  assert.match(await ask('/metrics'), /^404 Cannot find this/)
  await assert.rejects(serveHealth({ host: '127.0.0.1', port, obstacle: () => undefined }), /EADDRINUSE/)
})
