import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type Clock, systemClock } from '../../../internal/base/clock.ts'
import { type ServeOptions, serveVpcSim } from '../../../internal/sim/vpc/server.ts'
import type { VpcSim } from '../../../internal/sim/vpc/sim.ts'
import { sdkRequest } from '../../contract/sdk-request.ts'
import { list } from '../../contract/vpc-view.ts'
import { medium, openWorld, subnetA, vpcId } from './world.ts'

const key = { secretId: 'AKIDserver', secretKey: 'key' }
const create = { VpcId: vpcId, SubnetId: subnetA, NetworkInterfaceName: 'x' }

interface Served {
  readonly sim: VpcSim
  readonly url: string
}

async function serve(t: TestContext, options: Partial<ServeOptions> = {}): Promise<Served> {
  const sim = openWorld({ latency: { minMs: 1, maxMs: 5 } })
  sim.credentials.add(key.secretId, key.secretKey)
  const tcp = { host: '127.0.0.1', port: 0 }
  const server = await serveVpcSim({ sim, clock: systemClock, tcp, ...options })
  t.after(async () => {
    await server.close()
    sim.close()
  })
  return { sim, url: server.url }
}

function sdk(
  { sim, url }: Served,
  credential: { secretId: string; secretKey: string; token?: string } = key,
) {
  return sdkRequest({ endpoint: new URL(url).host, protocol: 'http://', region: sim.region, credential })
}

async function getJson(url: string, init: RequestInit = {}): Promise<Record<string, unknown>> {
  const response = await fetch(url, init)
  return { status: response.status, ...((await response.json()) as object) }
}

test('serveVpcSim() refuses a wrong key, version and region in the envelope, as HTTP 200', async (t) => {
  const served = await serve(t)
  await assert.rejects(sdk(served, { ...key, secretKey: 'other' })('DescribeVpcs', {}), {
    code: 'AuthFailure.SignatureFailure',
  })
  const elsewhere = sdkRequest({
    endpoint: new URL(served.url).host,
    protocol: 'http://',
    region: 'ap-shanghai',
    credential: key,
  })
  await assert.rejects(elsewhere('DescribeVpcs', {}), { code: 'UnsupportedRegion' })
  const unsigned = await fetch(served.url, { method: 'POST', body: '{}' })
  assert.equal(unsigned.status, 200)
  const { Response } = (await unsigned.json()) as { Response: { Error: { Code: string }; RequestId: string } }
  assert.equal(Response.Error.Code, 'AuthFailure.InvalidAuthorization')
  assert.match(Response.RequestId, /^[0-9a-f-]{36}$/)
})

test('a lost answer leaves the client without one, and the ENI with the cloud', async (t) => {
  const served = await serve(t)
  served.sim.setFaults({ loseNextAnswers: { CreateNetworkInterface: 1 } })
  await assert.rejects(sdk(served)('CreateNetworkInterface', create), (error: { code?: string }) => {
    assert.ok(!error.code, 'no code of the API')
    return true
  })
  const enis = served.sim.admin.audit(systemClock.now()).enis
  assert.equal(enis.filter(({ primary }) => !primary).length, 1)
})

for (const [outage, want] of [
  ['unavailable', { code: 'ServiceUnavailable' }],
  ['bad-gateway', { httpCode: 502 }],
  ['reset', { message: /socket hang up|ECONNRESET/ }],
] as const)
  test(`an outage can be "${outage}"`, async (t) => {
    const served = await serve(t)
    served.sim.setFaults({ outage })
    await assert.rejects(sdk(served)('DescribeVpcs', {}), want)
    assert.equal(
      (await getJson(`${served.url}/sim/faults`))['outage'],
      outage,
      'the side entrance stays open',
    )
    await fetch(`${served.url}/sim/faults`, { method: 'DELETE' })
    assert.equal((await sdk(served)('DescribeVpcs', {}))['TotalCount'], 1)
  })

test('an outage can hang', async (t) => {
  const served = await serve(t)
  served.sim.setFaults({ outage: 'hang' })
  const gone = new AbortController()
  const call = fetch(served.url, { method: 'POST', body: '{}', signal: gone.signal })
  // A later request is answered while the first one still waits.
  assert.equal((await getJson(`${served.url}/sim/faults`))['outage'], 'hang')
  gone.abort()
  await assert.rejects(call, { name: 'AbortError' })
})

test('the metadata service hands out keys of the role, and renews them before they end', async (t) => {
  let now = systemClock.now()
  const clock: Clock = { ...systemClock, now: () => now }
  const served = await serve(t, { clock, role: { name: 'TKE_Role', lifeMs: 200_000 } })
  const path = `${served.url}/latest/meta-data/cam/security-credentials/`
  assert.equal(await (await fetch(path)).text(), 'TKE_Role')
  assert.equal((await fetch(`${path}other`)).status, 404)
  const keys = async () => await getJson(`${path}TKE_Role`)
  const first = await keys()
  assert.equal(first['Code'], 'Success')
  assert.equal(first['ExpiredTime'], Math.floor((now + 200_000) / 1000))
  assert.deepEqual(await keys(), first)
  const credential = {
    secretId: String(first['TmpSecretId']),
    secretKey: String(first['TmpSecretKey']),
    token: String(first['Token']),
  }
  assert.equal((await sdk(served, credential)('DescribeVpcs', {}))['TotalCount'], 1)
  await assert.rejects(sdk(served, { ...credential, token: 'x' })('DescribeVpcs', {}), {
    code: 'AuthFailure.TokenFailure',
  })
  now += 170_000
  assert.notEqual((await keys())['Token'], first['Token'])
  now += 30_000
  await assert.rejects(sdk(served, credential)('DescribeVpcs', {}), { code: 'AuthFailure.TokenFailure' })
})

test('without a role the metadata service has none', async (t) => {
  const { url } = await serve(t)
  assert.equal((await fetch(`${url}/latest/meta-data/cam/security-credentials/`)).status, 404)
})

test('transitions happen without a call', async (t) => {
  const attached = Promise.withResolvers<void>()
  const served = await serve(t)
  served.sim.onChange(() => {
    if (served.sim.admin.fabric().some(({ deviceIndex }) => deviceIndex === 1)) attached.resolve()
  })
  await sdk(served)('CreateAndAttachNetworkInterface', { ...create, InstanceId: medium })
  await attached.promise
})

test('the side entrance seeds, shows and changes the cloud', async (t) => {
  const { url } = await serve(t)
  const call = (method: string, path: string, body: unknown) =>
    getJson(`${url}/sim/${path}`, { method, body: JSON.stringify(body) })
  const spec = {
    types: [{ name: 'tiny', cpu: 1, memoryGb: 1, enis: 3, ipsPerEni: 3 }],
    subnets: [{ id: 'subnet-0000000c', vpcId, cidr: '10.0.3.0/24', zone: 'ap-guangzhou-3' }],
    instances: [{ id: 'ins-0000seed', instanceType: 'tiny', subnetId: 'subnet-0000000c' }],
  }
  const made = await call('POST', 'seed', spec)
  assert.equal(made['status'], 200)
  assert.deepEqual(await call('POST', 'seed', spec), made, 'seeding twice is harmless')
  const audit = await getJson(`${url}/sim/audit`)
  assert.deepEqual(audit['faults'], [])
  assert.ok(
    (audit['enis'] as { instanceId: string }[]).some(({ instanceId }) => instanceId === 'ins-0000seed'),
  )
  assert.equal((await call('POST', 'instance', { id: 'ins-0000seed', terminate: true }))['status'], 200)
  assert.equal((await call('PUT', 'limits', { enisPerVpc: 7 }))['enisPerVpc'], 7)
  assert.equal((await call('PUT', 'faults', { throttle: { '*': 0.5 } }))['status'], 200)

  const refused = await call('PUT', 'faults', { throttle: 'often' })
  assert.equal(refused['status'], 400)
  assert.match(JSON.stringify(refused['error']), /throttle/)
  assert.equal((await call('PUT', 'faults', { nonsense: 1 }))['status'], 400)
  assert.equal((await call('PUT', 'nowhere', {}))['status'], 404)
})

test('the side entrance reserves and releases addresses, and denies actions', async (t) => {
  const served = await serve(t)
  const call = (method: string, path: string, body: unknown) =>
    getJson(`${served.url}/sim/${path}`, { method, body: JSON.stringify(body) })
  const made = await call('POST', 'reservation', {
    subnetId: subnetA,
    address: '10.0.1.40',
    tags: { by: 'hand' },
  })
  assert.deepEqual([made['status'], made['address']], [200, '10.0.1.40'])
  const { reservations } = (await getJson(`${served.url}/sim/audit`)) as { reservations?: unknown }
  assert.deepEqual(reservations, [
    {
      id: made['id'],
      vpcId,
      subnetId: subnetA,
      address: '10.0.1.40',
      name: '',
      eniId: null,
      tags: { by: 'hand' },
    },
  ])
  assert.equal((await call('POST', 'reservation', { id: made['id'], release: true }))['status'], 200)
  for (const wrong of [
    { id: made['id'], release: true },
    { release: true },
    { subnetId: subnetA, address: '10.0.1' },
    {},
  ])
    assert.equal((await call('POST', 'reservation', wrong))['status'], 400)
  await call('PUT', 'faults', { deny: { DescribeVpcs: 1 } })
  await assert.rejects(sdk(served)('DescribeVpcs', {}), { code: 'UnauthorizedOperation' })
})

test('the side entrance makes, troubles and releases EIPs', async (t) => {
  const served = await serve(t)
  const call = (body: unknown) =>
    getJson(`${served.url}/sim/eip`, { method: 'POST', body: JSON.stringify(body) })
  const made = await call({ id: 'eip-0000hand', address: '203.0.113.7', bandwidth: 5, tags: { by: 'hand' } })
  assert.deepEqual(made, { status: 200, id: 'eip-0000hand', address: '203.0.113.7' })
  assert.deepEqual(await call({ id: 'eip-0000hand', blocked: true }), {
    status: 200,
    id: 'eip-0000hand',
    blocked: true,
  })
  const answer = await sdk(served)('DescribeAddresses', { AddressIds: ['eip-0000hand'] })
  const [shown] = list(answer, 'AddressSet')
  assert.deepEqual(
    [shown?.['AddressIp'], shown?.['IsBlocked'], shown?.['IsArrears'], shown?.['Bandwidth']],
    ['203.0.113.7', true, false, 5],
  )
  const { eips } = (await getJson(`${served.url}/sim/audit`)) as { eips?: { tags: unknown }[] }
  assert.deepEqual(eips?.[0]?.tags, { by: 'hand' })
  await getJson(`${served.url}/sim/limits`, { method: 'PUT', body: '{"eips": 1}' })
  await assert.rejects(sdk(served)('AllocateAddresses', {}), { code: 'AddressQuotaLimitExceeded' })
  assert.equal((await call({ id: 'eip-0000hand', release: true }))['status'], 200)
  await getJson(`${served.url}/sim/faults`, { method: 'PUT', body: '{"noBalance": true}' })
  await assert.rejects(sdk(served)('AllocateAddresses', {}), { code: 'FailedOperation.BalanceInsufficient' })
  for (const wrong of [
    { id: 'eip-0000hand', release: true },
    { blocked: true },
    { id: 'eip-1' },
    { address: '1.1.1.1' },
  ])
    assert.equal((await call(wrong))['status'], 400)
})

test('the side entrance is for local callers', async (t) => {
  const { url } = await serve(t)
  const status = await new Promise((resolve, reject) => {
    const headers = { host: 'attacker.example' } // what a page that was led to this address would send
    httpRequest(`${url}/sim/audit`, { headers }, (response) => resolve(response.resume().statusCode))
      .on('error', reject)
      .end()
  })
  assert.equal(status, 403)
})

test('serveVpcSim() listens on a unix socket of this user, and replaces one that is left over', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'vpc-sim-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const socketPath = join(folder, 'vpc.sock')
  const sim = openWorld()
  const only = { sim, clock: systemClock, socketPath }
  const first = await serveVpcSim(only)
  t.after(() => first.close())
  assert.equal(statSync(socketPath).mode & 0o777, 0o600)
  await assert.rejects(serveVpcSim(only), { code: 'unavailable' })
  await first.close()
  const second = await serveVpcSim(only)
  t.after(() => second.close())
  const status = await new Promise((resolve, reject) => {
    httpRequest({ socketPath, path: '/sim' }, (response) => resolve(response.resume().statusCode))
      .on('error', reject)
      .end()
  })
  assert.equal(status, 200)
})
