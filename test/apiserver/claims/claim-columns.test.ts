// The column EXPIRES, of claims that say how long they are kept and of others, which go by the leader's setting.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asObjects, type JsonObject } from '../../../internal/apiserver/object.ts'
import { bound, boundEip, insertClaim, insertEip, retained } from './claim-rows.ts'
import { openClaimServer } from './claim-server.ts'

const minute = 60_000

test('[S5] EXPIRES goes by the setting of the leader, as it is now, where a claim does not say how long it is kept', async (t) => {
  let setting: number | undefined = 10 * minute
  const server = await openClaimServer(() => setting)
  t.after(server.stop)
  insertClaim(server.db, bound('web-0', '10.0.0.5'))
  insertClaim(server.db, bound('web-1', '10.0.0.6', { expire_after: 20 * minute }))
  insertClaim(server.db, bound('web-2', '10.0.0.7', { policy: 'Immediate' }))
  insertClaim(
    server.db,
    retained('web-3', '10.0.0.8', { expire_after: 60 * minute, expires_at: 59 * minute }),
  )
  insertEip(server.db, boundEip('web-0', 5))
  const expires = async (resource: string) => {
    const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io'
    const url = `${server.url}/apis/ipam.tke.cloud.tencent.com/v1beta1/${resource}`
    const table = (await (await fetch(url, { headers: { accept } })).json()) as JsonObject
    const at = asObjects(table['columnDefinitions']).findIndex(({ name }) => name === 'Expires')
    return asObjects(table['rows']).map((row) => (row['cells'] as readonly unknown[])[at])
  }
  const own = ['20m after pod', 'with pod']
  assert.deepEqual((await expires('vpcipclaims')).slice(0, 3), ['10m after pod', ...own])
  assert.match(String((await expires('vpcipclaims'))[3]), /^in 5\dm/)
  assert.deepEqual(await expires('eipclaims'), ['10m after pod'])
  setting = undefined
  assert.deepEqual((await expires('vpcipclaims')).slice(0, 3), ['never', ...own])
  assert.deepEqual(await expires('eipclaims'), ['never'])
})
