// The official SDK against the simulated cloud over real sockets: signatures, and what each way to fail means.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { systemClock } from '../../internal/base/clock.ts'
import { silentLog } from '../../internal/base/log.ts'
import { seededRandom } from '../../internal/base/random.ts'
import { IpamError } from '../../internal/ipam/errors.ts'
import { type ServeOptions, serveVpcSim, type VpcSimServer } from '../../internal/sim/vpc/server.ts'
import { openVpcSim } from '../../internal/sim/vpc/sim.ts'
import { chooseCredentials } from '../../internal/vpc/choose-credentials.ts'
import { createCloud } from '../../internal/vpc/cloud.ts'
import { type Credentials, type Secret, staticCredentials } from '../../internal/vpc/credentials.ts'
import { sdkTransport } from '../../internal/vpc/sdk-transport.ts'

const secret: Secret = { secretId: 'AKIDtestidentity', secretKey: 'hush-hush-secret-key' }
const vpcId = 'vpc-00000001'
const subnetId = 'subnet-00000001'
const pod = 'waiting-pod'

/** A cloud over the SDK that connects to `endpoint`. */
function cloudAt(endpoint: string, credentials: Credentials = staticCredentials(secret), timeoutMs = 5000) {
  const transport = sdkTransport({ region: 'ap-guangzhou', credentials, endpoint })
  return createCloud({
    transport,
    clock: systemClock,
    random: seededRandom(1),
    log: silentLog,
    describeTimeoutMs: timeoutMs,
    mutateTimeoutMs: timeoutMs,
  })
}

async function setUp(t: TestContext, listen: Pick<ServeOptions, 'socketPath' | 'role'> = {}) {
  const sim = openVpcSim({ path: ':memory:', random: seededRandom(1), latency: { minMs: 1, maxMs: 5 } })
  const now = systemClock.now()
  sim.credentials.add(secret.secretId, secret.secretKey)
  sim.admin.createVpc({ id: vpcId, cidr: '10.0.0.0/16' }, now)
  sim.admin.createSubnet({ id: subnetId, vpcId, cidr: '10.0.1.0/24', zone: 'ap-guangzhou-3' }, now)
  const server: VpcSimServer = await serveVpcSim({
    sim,
    clock: systemClock,
    tcp: { host: '127.0.0.1', port: 0 },
    ...listen,
  })
  t.after(async () => {
    await server.close()
    sim.close()
  })
  return { sim, server, cloud: cloudAt(server.url) }
}

function creation(token: string, name = 'eni-a') {
  return {
    name,
    description: 'für "uns" 你好',
    subnetId,
    securityGroups: [],
    secondaryIps: 1,
    tags: { cluster: 'c', token },
    clientToken: token,
  }
}

/** A server of another kind, on a port of its own. */
async function serve(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test('sdkTransport() signs calls that the cloud accepts', async (t) => {
  const { cloud } = await setUp(t)
  const made = await cloud.createEni(creation('t1'), pod)
  const found = await cloud.describeEnis({ tags: { cluster: 'c' } }, pod)
  assert.deepEqual(
    found.map(({ id, mac, tags }) => [id, mac, tags]),
    [[made.id, made.mac, { cluster: 'c', token: 't1' }]],
  )
})

test('sdkTransport() takes an EIP from allocation to release', async (t) => {
  const { cloud } = await setUp(t)
  const request = {
    bandwidth: 100,
    chargeType: 'TRAFFIC_POSTPAID_BY_HOUR',
    isp: 'BGP',
    name: 'web-0',
  } as const
  const eip = await cloud.allocateEip({ ...request, tags: { cluster: 'c' }, raw: {}, clientToken: 'e' }, pod)
  const eni = await cloud.createEni(creation('t1'), pod)
  const inState = async (state: string | undefined) => {
    for (;;) {
      const [found] = await cloud.describeEips({ tags: { cluster: 'c' } }, pod)
      if (found?.state === state) return found
    }
  }
  const free = await inState('unbound')
  const privateIp = eni.primaryIp
  for (;;) {
    const [made] = await cloud.describeEnis({ ids: [eni.id] }, pod)
    if (made?.state === 'available') break
  }
  await cloud.associateEip({ eip, eni: eni.id, privateIp }, pod)
  const bound = { ...free, state: 'bound_to_loose_eni', eniId: eni.id, privateIp }
  assert.deepEqual(await inState('bound_to_loose_eni'), bound)
  assert.deepEqual((await cloud.describeEipQuota(pod)).total, { used: 1, limit: 20 })
  await cloud.disassociateEip(eip, pod)
  await cloud.releaseEip(eip, pod)
  assert.equal(await inState(undefined), undefined)
})

test('sdkTransport() reaches a unix socket', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'tke-eni-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const socketPath = join(directory, 'vpc.sock')
  await setUp(t, { socketPath })
  const found = await cloudAt(`unix:${socketPath}`).describeSubnets([subnetId], pod)
  assert.equal(found[0]?.vpcId, vpcId)
})

test('sdkTransport() does not follow http_proxy', async (t) => {
  const proxied: string[] = []
  const proxy = await serve(t, (request) => proxied.push(request.url ?? ''))
  const before = process.env['http_proxy']
  process.env['http_proxy'] = proxy
  t.after(() => {
    if (before === undefined) delete process.env['http_proxy']
    else process.env['http_proxy'] = before
  })
  const { cloud } = await setUp(t)
  assert.equal((await cloud.describeSubnets([subnetId], pod)).length, 1)
  assert.deepEqual(proxied, [])
})

test('a wrong key is told as such, and is not in the message', async (t) => {
  const { server } = await setUp(t)
  const wrong = cloudAt(server.url, staticCredentials({ ...secret, secretKey: 'hush-wrong' }))
  await assert.rejects(wrong.describeSubnets([subnetId], pod), (error) => {
    assert.ok(error instanceof IpamError)
    assert.equal(error.code, 'unauthenticated')
    assert.match(
      error.message,
      /^Cannot describe subnets "subnet-00000001": .*AuthFailure\.SignatureFailure .*request /,
    )
    assert.doesNotMatch(`${error.message} ${JSON.stringify(error)} ${String(error.cause)}`, /hush|AKIDtest/)
    return true
  })
})

test('a mutation whose answer is lost has an unknown outcome and is sent once', async (t) => {
  const { sim, cloud } = await setUp(t)
  await cloud.describeSubnets([subnetId], pod) // a connection is open, as in a running leader
  sim.setFaults({ loseNextAnswers: { CreateNetworkInterface: 1 } })
  await assert.rejects(cloud.createEni(creation('t1'), pod), { code: 'unknown_outcome' })
  assert.deepEqual(sim.stats()['CreateNetworkInterface']?.outcomes, { 'no-answer': 1 })
  const found = await cloud.describeEnis({ tags: { token: 't1' } }, pod)
  assert.equal((await cloud.createEni(creation('t1'), pod)).id, found[0]?.id)
})

test('a describe whose answer is lost is asked again', async (t) => {
  const { sim, cloud } = await setUp(t)
  sim.setFaults({ loseNextAnswers: { DescribeSubnets: 1 } })
  assert.equal((await cloud.describeSubnets([subnetId], pod)).length, 1)
})

test('[R5] a throttled call succeeds in the end', async (t) => {
  const { sim, cloud } = await setUp(t)
  await cloud.describeSubnets([subnetId], pod)
  sim.setFaults({ throttle: { '*': 1 }, throttleUntil: systemClock.now() + 300 })
  assert.equal((await cloud.createEni(creation('t1'), pod)).name, 'eni-a')
  const { outcomes = {} } = sim.stats()['CreateNetworkInterface'] ?? {}
  assert.equal(outcomes['ok'], 1)
  assert.ok(Object.keys(outcomes).length > 1, JSON.stringify(outcomes))
})

/** What the transport alone says of a call: no retries. */
async function faultAt(endpoint: string | undefined, timeoutMs = 5000, domain?: string) {
  const transport = sdkTransport({ region: 'r', credentials: staticCredentials(secret), endpoint, domain })
  const answer = await transport.request('vpc', 'CreateNetworkInterface', {}, { timeoutMs }).then(
    () => assert.fail('it succeeded'),
    (error: unknown) => error,
  )
  const { sent, httpCode, code, message } = answer as Record<string, unknown>
  return { sent, httpCode, code, message }
}

test('a refused connection surely sent nothing', async () => {
  const gone = createServer()
  await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve))
  const { port } = gone.address() as AddressInfo
  await new Promise((resolve) => gone.close(resolve))
  const fault = await faultAt(`http://127.0.0.1:${port}`)
  assert.deepEqual([fault.sent, fault.httpCode, fault.code], [false, undefined, undefined])
  assert.equal((await faultAt('unix:/nowhere/vpc.sock')).sent, false)
})

test('a name that does not resolve surely sent nothing, over TLS too', async () => {
  assert.equal((await faultAt(undefined, 5000, 'cloud.invalid')).sent, false)
})

test('a call that times out may have happened', async (t) => {
  const { sim, server } = await setUp(t)
  sim.setFaults({ outage: 'hang' })
  const fault = await faultAt(server.url, 100)
  assert.equal(fault.sent, true)
  assert.match(String(fault.message), /timeout/)
})

for (const c of [
  { does: 'HTTP 502', status: 502, body: '<html>', http: 502 },
  { does: 'an answer that is not JSON', status: 200, body: '<html>', http: undefined },
  { does: 'an answer without Response', status: 200, body: '{}', http: undefined },
  { does: 'an empty answer', status: 200, body: '', http: undefined },
  { does: 'an answer that is null', status: 200, body: '{"Response":null}', http: undefined },
]) {
  test(`${c.does} says that the call may have happened`, async (t) => {
    const url = await serve(t, (_, response) => response.writeHead(c.status).end(c.body))
    const fault = await faultAt(url)
    assert.deepEqual([fault.sent, fault.httpCode, fault.code], [true, c.http, undefined])
  })
}

test('an answer that breaks off says that the call may have happened', async (t) => {
  const url = await serve(t, (_, response) => {
    response.writeHead(200, { 'content-length': 100 })
    response.write('{"Response"', () => response.destroy())
  })
  assert.equal((await faultAt(url, 200)).sent, true) // the SDK sees only that nothing more comes
})

test('a message of the API that quotes a secret is blanked', async (t) => {
  const text = `bad key ${secret.secretKey} of ${secret.secretId}`
  const url = await serve(t, (_, response) => {
    response.end(JSON.stringify({ Response: { Error: { Code: 'X', Message: text }, RequestId: 'r' } }))
  })
  assert.equal((await faultAt(url)).message, 'bad key [hidden] of [hidden]')
})

test('a call given up by its caller ends at once', async (t) => {
  const stop = new AbortController()
  const url = await serve(t, () => stop.abort())
  const transport = sdkTransport({ region: 'r', credentials: staticCredentials(secret), endpoint: url })
  const call = transport.request('vpc', 'A', {}, { timeoutMs: 60_000, signal: stop.signal })
  await assert.rejects(call, { sent: true })
})

for (const { does, allowed } of [
  { does: 'after it had its turn', allowed: 0 },
  { does: 'after its keys were found', allowed: 1 },
  { does: 'while it was being connected', allowed: 2 },
])
  test(`[R8] a call that became forbidden ${does} never leaves`, async (t) => {
    let arrived = 0
    const endpoint = await serve(t, (_request, response) => {
      arrived++
      response.end('{}')
    })
    let asked = 0
    const cloud = createCloud({
      transport: sdkTransport({ region: 'ap-guangzhou', credentials: staticCredentials(secret), endpoint }),
      clock: systemClock,
      random: seededRandom(1),
      log: silentLog,
      beforeSend() {
        if (++asked > allowed) throw new IpamError('deposed', 'Cannot go on: a test')
      },
    })
    await assert.rejects(cloud.deleteEni('eni-1', pod), { code: 'deposed', message: 'Cannot go on: a test' })
    assert.equal(arrived, 0)
    assert.ok(asked > allowed)
  })

test('sdkTransport() keeps connections', async (t) => {
  const sockets = new Set<Socket>()
  const url = await serve(t, (request, response) => {
    sockets.add(request.socket)
    response.end('{"Response":{"RequestId":"r"}}')
  })
  const transport = sdkTransport({ region: 'r', credentials: staticCredentials(secret), endpoint: url })
  for (let i = 0; i < 5; i++) await transport.request('vpc', 'A', {}, { timeoutMs: 5000 })
  assert.equal(sockets.size, 1)
})

test('the role of the machine signs calls, and is asked again after a failure', async (t) => {
  const { sim, server } = await setUp(t, { role: { name: 'IPAMDofTKE_QCSRole', lifeMs: 7_200_000 } })
  let up = false
  const front = await serve(t, async (request, response) => {
    if (!up) return void response.writeHead(503).end()
    const answer = await fetch(new URL(request.url ?? '', server.url))
    response.writeHead(answer.status).end(await answer.text())
  })
  const options = { clock: systemClock, random: seededRandom(1), log: silentLog, env: {}, metadataUrl: front }
  const credentials = chooseCredentials(options)
  const cloud = cloudAt(server.url, credentials)
  await assert.rejects(cloud.describeSubnets([subnetId], pod), { code: 'unavailable', message: /HTTP 503/ })
  up = true
  const again = async (): Promise<number> =>
    cloud.describeSubnets([subnetId], pod).then(
      (found) => found.length,
      () => new Promise((resolve) => setTimeout(() => resolve(again()), 50)),
    )
  assert.equal(await again(), 1)
  assert.match((await credentials.get()).token ?? '', /^[0-9a-f]{64}$/)
  assert.deepEqual(sim.stats()['DescribeSubnets']?.outcomes, { ok: 1 })
})

for (const endpoint of ['https://x', 'http://x/path', 'localhost:80', 'unix:relative', 'http://']) {
  test(`sdkTransport() refuses "${endpoint}" as an endpoint`, () => {
    const make = () => sdkTransport({ region: 'r', credentials: staticCredentials(secret), endpoint })
    assert.throws(make, { code: 'bad_input' })
  })
}
