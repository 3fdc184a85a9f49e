// The embedded API server as tests want it: in memory, on a free port, with a short memory that can be made to forget.
import { type ServedApi, type ServeOptions, serveKubeApi } from '../../internal/apiserver/http-server.ts'
import { openSqliteStorage } from '../../internal/apiserver/sqlite-storage.ts'
import type { Storage } from '../../internal/apiserver/storage.ts'
import { systemClock } from '../../internal/base/clock.ts'
import { silentLog } from '../../internal/base/log.ts'

export const keepChanges = 200

export interface OpenServer extends ServedApi {
  readonly storage: Storage
  /** Writes more than the log of changes keeps. */
  forget(): void
}

export async function openServer(
  path = ':memory:',
  options: Pick<ServeOptions, 'policies'> = {},
): Promise<OpenServer> {
  const storage = openSqliteStorage({ path, clock: systemClock, keepChanges })
  const served = await serveKubeApi({
    ...options,
    storage,
    clock: systemClock,
    log: silentLog,
    listen: { host: '127.0.0.1', port: 0 },
  })
  return {
    ...served,
    storage,
    forget() {
      const url = '/api/v1/namespaces/default/configmaps'
      const name = `forget-${storage.revision()}`
      served.api.handle({ method: 'POST', url, body: JSON.stringify({ metadata: { name } }) })
      for (let i = 0; i < keepChanges * 1.2; i++) {
        const body = JSON.stringify({ data: { i: String(i) } })
        served.api.handle({
          method: 'PATCH',
          url: `${url}/${name}`,
          headers: { 'content-type': 'application/merge-patch+json' },
          body,
        })
      }
    },
    async close() {
      await served.close()
      storage.close()
    },
  }
}
