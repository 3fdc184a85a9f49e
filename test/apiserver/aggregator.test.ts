// The embedded API server passes on what a leader serves: the contract of claims holds through it, over TLS as in a real cluster.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type ServedClaims, serveClaims } from '../../cmd/leader-claims.ts'
import { type ServedApi, serveKubeApi } from '../../internal/apiserver/http-server.ts'
import { asObject, asObjects, asText, at } from '../../internal/apiserver/object.ts'
import { openSqliteStorage } from '../../internal/apiserver/sqlite-storage.ts'
import { systemClock } from '../../internal/base/clock.ts'
import { silentLog } from '../../internal/base/log.ts'
import { systemRandom } from '../../internal/base/random.ts'
import { connectKube } from '../../internal/kube/connect.ts'
import { parseIpv4 } from '../../internal/value/ipv4.ts'
import { claimsContract } from '../contract/claims.contract.ts'
import { httpKubeServer, Kube } from '../contract/kube/server.ts'
import { staticIpContract, zoneOfNodes } from '../contract/static-ip.contract.ts'
import { bound, insertClaim } from './claims/claim-rows.ts'
import { type ClaimLedger, openClaimLedger } from './claims/claim-server.ts'

const group = '/apis/ipam.tke.cloud.tencent.com/v1beta1'

interface World {
  readonly api: ServedApi
  readonly ledger: ClaimLedger
  stopLeader(): Promise<void>
  startLeader(keepsZones?: boolean): Promise<void>
  close(): Promise<void>
}

async function openWorld(): Promise<World> {
  const storage = openSqliteStorage({ path: ':memory:', clock: systemClock })
  const listen = { host: '127.0.0.1', port: 0 }
  const api = await serveKubeApi({ storage, clock: systemClock, log: silentLog, listen, aggregate: true })
  const ledger = openClaimLedger()
  const client = await connectKube({ server: api.url }, systemClock)
  const settings = {
    stateDir: ledger.folder,
    serveClaims: true,
    apiBindPort: 0,
    apiAdvertiseAddress: parseIpv4('127.0.0.1'),
    defaultNetwork: 'tke-route-eni' as const,
  }
  let served: ServedClaims | undefined
  const kube = new Kube(httpKubeServer({ baseUrl: api.url }))
  const world = {
    api,
    ledger,
    async stopLeader() {
      await served?.close()
    },
    async startLeader(keepsZones = true) {
      const { releases } = ledger
      const common = { clock: systemClock, log: silentLog, random: systemRandom }
      const now = { zone: zoneOfNodes, keepsZones: () => keepsZones, claimExpiry: () => undefined }
      served = serveClaims(settings, { db: ledger.db, releases, client, ...common, ...now })
      while ((await kube.get(`${group}/vpcips`)).status !== 200)
        await new Promise((resolve) => setImmediate(resolve))
    },
    async close() {
      await served?.close()
      client.close()
      ledger.close()
      await api.close()
      storage.close()
    },
  }
  await world.startLeader()
  return world
}

claimsContract('the embedded API server', async () => {
  const { api, ledger, close } = await openWorld()
  return { server: httpKubeServer({ baseUrl: api.url }), db: ledger.db, forget: ledger.forget, close }
})

staticIpContract('the embedded API server', async () => {
  const { api, ledger, ...rest } = await openWorld()
  return { server: httpKubeServer({ baseUrl: api.url }), db: ledger.db, ...rest }
})

describe('the embedded API server, with a leader behind it', { timeout: 60_000 }, () => {
  let world: World | undefined
  const its = (): World => {
    if (world === undefined) throw new Error('Cannot test: nothing was opened')
    return world
  }
  const kube = () => new Kube(httpKubeServer({ baseUrl: its().api.url }))
  before(async () => {
    world = await openWorld()
    insertClaim(world.ledger.db, bound('web-0', '10.0.0.5'))
  })
  after(() => world?.close())

  const discovery = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
  const found = async () => {
    const { body } = await kube().get('/apis', { accept: discovery })
    return asObjects(body['items']).find((item) => asText(at(item, 'metadata', 'name')).startsWith('ipam.'))
  }

  test('discovery and OpenAPI have the part of the leader, too', async () => {
    const names = asObjects((await kube().get('/apis')).body['groups']).map(({ name }) => name)
    assert.ok(names.includes('ipam.tke.cloud.tencent.com') && names.includes('apps'))
    const [version] = asObjects((await found())?.['versions'])
    assert.equal(version?.['freshness'], 'Current')
    assert.deepEqual(
      asObjects(version?.['resources']).map(({ resource }) => resource),
      ['vpcips', 'vpcipclaims', 'eipclaims'],
    )
    const one = await kube().get('/apis/ipam.tke.cloud.tencent.com')
    assert.partialDeepStrictEqual(one.body, { kind: 'APIGroup', preferredVersion: { version: 'v1beta1' } })
    const paths = asObject((await kube().get('/openapi/v3')).body['paths'])
    assert.ok(group.slice(1) in paths && 'apis/apps/v1' in paths)
    const { definitions } = (await kube().get('/openapi/v2')).body
    assert.ok(Object.keys(asObject(definitions)).some((name) => name.endsWith('VpcIPClaim')))
  })

  test('[K1] without a leader the group is stale, its requests are refused at once, all else goes on', async () => {
    await its().stopLeader()
    const { status, body } = await kube().get(`${group}/vpcips`)
    assert.equal(status, 503)
    assert.match(asText(body['message']), /error trying to reach service/)
    assert.equal(asObjects((await found())?.['versions'])[0]?.['freshness'], 'Stale')
    assert.equal((await kube().get('/apis/apps/v1')).status, 200)
    await its().startLeader()
    assert.equal((await kube().get(`${group}/vpcips/10.0.0.5`)).status, 200)
  })

  test('a watch ends with the leader', async () => {
    const watch = await kube().watch(`${group}/vpcips?watch=1`)
    assert.equal((await watch.next())?.type, 'ADDED')
    await its().stopLeader()
    assert.equal(await watch.next().catch(() => undefined), undefined)
    await its().startLeader()
  })
})
