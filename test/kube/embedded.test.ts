// The ports on the embedded API server, over TCP and over a unix socket, and through its death.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, test } from 'node:test'
import { serveKubeApi } from '../../internal/apiserver/http-server.ts'
import { openSqliteStorage } from '../../internal/apiserver/sqlite-storage.ts'
import { systemClock } from '../../internal/base/clock.ts'
import { silentLog } from '../../internal/base/log.ts'
import { systemRandom } from '../../internal/base/random.ts'
import type { NodeFact } from '../../internal/ipam/types.ts'
import { connectKube } from '../../internal/kube/connect.ts'
import { toNodeFact } from '../../internal/kube/facts.ts'
import { reflect } from '../../internal/kube/reflector.ts'
import { holdToKubePorts } from './ports.contract.ts'
import { createRecorder } from './recorder.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

holdToKubePorts('embedded, TCP', async () => {
  const { served, close } = await serve({ host: '127.0.0.1', port: 0 })
  return { settings: { server: served.url }, close }
})

holdToKubePorts('embedded, unix socket', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'kube-'))
  const socketPath = join(directory, 'api.sock')
  const { close } = await serve({ socketPath })
  return {
    settings: { socketPath },
    close: async () => {
      await close()
      rmSync(directory, { recursive: true })
    },
  }
})

for (const { does, changes, kinds } of [
  { does: 'goes on where it was', changes: 2, kinds: '=++' },
  { does: 'lists again when too much has happened', changes: 60, kinds: '==' },
])
  test(`[R5] reflect() ${does} after an outage of the API server`, async () => {
    const { served, close } = await serve({ host: '127.0.0.1', port: 0 }, 20)
    closing.push(close)
    const client = await connectKube({ server: served.url }, systemClock)
    const nodes = createRecorder((node: NodeFact) => node.name)
    const stop = reflect(
      { what: 'nodes', path: '/api/v1/nodes', read: toNodeFact, freshness: 'consistent' },
      nodes,
      {
        client,
        clock: systemClock,
        random: systemRandom,
        log: silentLog,
        limits: { backoff: { firstMs: 1, maxMs: 5 } },
      },
    )
    closing.push(client.close, stop)
    await nodes.until(({ told }) => told.length === 1)
    await served.interrupt()
    for (let n = 0; n < changes; n++)
      served.api.handle({
        method: 'POST',
        url: '/api/v1/nodes',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ apiVersion: 'v1', kind: 'Node', metadata: { name: `n${n}` } }),
      })
    await served.resume()
    await nodes.until(({ truth }) => truth.size === changes)
    assert.equal(nodes.told.map((line) => line[0]).join(''), kinds)
  })

async function serve(listen: Parameters<typeof serveKubeApi>[0]['listen'], keepChanges = 1000) {
  const storage = openSqliteStorage({ path: ':memory:', clock: systemClock, keepChanges })
  const served = await serveKubeApi({ storage, clock: systemClock, log: silentLog, listen })
  const close = async () => {
    await served.close()
    storage.close()
  }
  return { served, close }
}
