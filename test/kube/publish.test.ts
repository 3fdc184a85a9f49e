import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import { systemClock } from '../../internal/base/clock.ts'
import { silentLog } from '../../internal/base/log.ts'
import { seededRandom } from '../../internal/base/random.ts'
import { errorCode } from '../../internal/ipam/errors.ts'
import { createKubeClient } from '../../internal/kube/client.ts'
import { createEndpoint } from '../../internal/kube/endpoint.ts'
import { at, listAt } from '../../internal/kube/json.ts'
import { createLeaderKube } from '../../internal/kube/leader-kube.ts'
import { createNodeKube } from '../../internal/kube/node-kube.ts'
import { decodeNec } from '../../internal/wire/nec.ts'
import { publication, report, warmed } from './samples.ts'
import { createTinyApi } from './tiny-api.ts'
import { type Exchange, refuse, reply, startTinyServer } from './tiny-server.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})
const path = '/apis/networking.tke.cloud.tencent.com/v1/nodeeniconfigs/node-1'

test('publishNec() creates a NEC that is missing, then fills its status', async () => {
  const { leader, api, requests } = await serve()
  await leader.publishNec('node-1', publication)
  assert.deepEqual(decodeNec(api.objects.get(path))?.publication, publication)
  assert.deepEqual(requests(), ['GET ', 'POST', 'PATCH /status'])
})

test('publishNec() writes the status alone when spec is as wanted already', async () => {
  const { leader, requests } = await serve()
  await leader.publishNec('node-1', publication)
  await leader.publishNec('node-1', { ...publication, enis: [] })
  assert.deepEqual(requests().slice(3), ['PATCH /status'])
  await leader.publishNec('node-1', warmed({ maxWarm: 9 }))
  assert.deepEqual(requests().slice(4), ['PATCH /status', 'PATCH '])
})

test('publishNec() and report() leave each other and strangers alone', async () => {
  const { leader, agent, api } = await serve()
  await leader.publishNec('node-1', publication)
  const object = api.objects.get(path)
  assert.ok(object)
  object['spec'] = { ...(object['spec'] as object), securityGroups: ['sg-1'] }
  await agent.report(report)
  await leader.publishNec('node-1', { ...warmed({ minWarm: 1 }), enis: [] })
  const nec = decodeNec(api.objects.get(path))
  assert.deepEqual(nec?.report, report)
  assert.deepEqual(nec?.publication, { ...warmed({ minWarm: 1 }), enis: [] })
  assert.deepEqual(listAt(api.objects.get(path), 'spec', 'securityGroups'), ['sg-1'])
})

test('report() replaces the returned addresses as a whole', async () => {
  const { leader, agent, api } = await serve()
  await leader.publishNec('node-1', publication)
  await agent.report(report)
  await agent.report({ ...report, returned: [] })
  assert.deepEqual(decodeNec(api.objects.get(path))?.report?.returned, [])
})

test('[R8] publishNec() raises the epoch of a NEC before it writes anything else of it', async () => {
  const { leader, api, requests } = await serve()
  const next = await serve({ api })
  await leader.publishNec('node-1', publication)
  await next.leader.publishNec('node-1', { ...publication, epoch: 4, enis: [] })
  assert.deepEqual(next.requests(), ['GET ', 'PATCH ', 'PATCH /status'])
  assert.deepEqual(decodeNec(api.objects.get(path))?.publication, { ...publication, epoch: 4, enis: [] })
  const before = api.objects.get(path)
  await assert.rejects(leader.publishNec('node-1', warmed({ maxWarm: 9 })), {
    code: 'deposed',
    message: 'Cannot write NEC "node-1" in epoch 3: a leader of epoch 4 has written it',
  })
  await assert.rejects(leader.deleteNec('node-1', 3), { code: 'deposed' })
  assert.equal(api.objects.get(path), before, 'nothing was written')
  assert.deepEqual(requests().slice(3), ['PATCH /status', 'GET ', 'GET '])
})

test('[R8] whenever the next leader comes, a write of the one before leaves nothing of it', async () => {
  const later = { ...warmed({ maxWarm: 7 }), epoch: 4, enis: [] }
  for (const fresh of [true, false])
    for (let moment = 1; moment <= 3; moment++) {
      const { leader, api } = await serve()
      const next = await serve({ api })
      if (!fresh) await leader.publishNec('node-1', publication)
      let left = moment
      let taking: Promise<void> | undefined
      api.disturb = (exchange) => {
        if (--left > 0 || taking !== undefined) return false
        taking = next.leader.publishNec('node-1', later)
        void taking.then(() => api.answer(exchange)) // the next leader is faster
        return true
      }
      await leader.publishNec('node-1', { ...warmed({ minWarm: 2 }), enis: [] }).catch((error: unknown) => {
        assert.equal(errorCode(error), 'deposed')
      })
      await taking
      assert.deepEqual(
        decodeNec(api.objects.get(path))?.publication,
        taking === undefined ? { ...warmed({ minWarm: 2 }), enis: [] } : later,
      )
      api.objects.clear()
    }
})

test('[R8] publishNec() corrects an epoch that no leader can have come to, and still refuses the leader before', async () => {
  const { leader, api } = await serve()
  const next = await serve({ api })
  await leader.publishNec('node-1', publication)
  const now = { ...publication, epoch: 4 }
  await next.leader.publishNec('node-1', now)
  const object = api.objects.get(path)
  const spec = { ...(at(object, 'spec') as Record<string, unknown>), leaderEpoch: 2_147_483_647 }
  api.objects.set(path, { ...object, spec })
  await next.leader.publishNec('node-1', { ...now, enis: [] })
  assert.deepEqual(decodeNec(api.objects.get(path))?.publication, { ...now, enis: [] })
  await assert.rejects(leader.publishNec('node-1', publication), { code: 'deposed' })
})

test('publishNec() puts back the epoch that somebody took out of a NEC', async () => {
  const { leader, api } = await serve()
  await leader.publishNec('node-1', publication)
  const object = api.objects.get(path)
  const { leaderEpoch: _, ...spec } = at(object, 'spec') as Record<string, unknown>
  api.objects.set(path, { ...object, spec })
  assert.equal(decodeNec(api.objects.get(path))?.fault, 'spec.leaderEpoch: missing')
  await leader.publishNec('node-1', { ...publication, enis: [] })
  assert.deepEqual(decodeNec(api.objects.get(path))?.publication, { ...publication, enis: [] })
})

test('[R8] reports of the agent never make the leader fail', async () => {
  const { leader, agent, api } = await serve()
  await leader.publishNec('node-1', publication)
  for (let n = 0; n < 20; n++) {
    const reported = agent.report({ ...report, inUse: n })
    await leader.publishNec('node-1', warmed({ minWarm: n % 5 }))
    await reported
  }
  assert.equal(decodeNec(api.objects.get(path))?.report?.inUse, 19)
})

test('publishNec() goes on when somebody else creates or deletes the NEC at that moment', async () => {
  const { leader, api } = await serve()
  const races: ((exchange: Exchange) => void)[] = [
    ({ method }) =>
      method === 'POST' && api.objects.set(path, { metadata: { name: 'node-1', resourceVersion: '0' } }),
    ({ path: at }) => at.endsWith('/status') && api.objects.delete(path),
  ]
  for (const race of races) {
    api.objects.clear()
    let raced = false
    api.disturb = (exchange) => {
      const before = api.objects.size
      if (!raced) race(exchange)
      raced ||= api.objects.size !== before
      return false
    }
    await leader.publishNec('node-1', publication)
    assert.deepEqual(decodeNec(api.objects.get(path))?.publication, publication)
  }
})

test('publishNec() and report() repeat a write that conflicts', async () => {
  const { leader, agent, api } = await serve()
  let conflicts = 0
  api.disturb = (exchange) => {
    if (exchange.method !== 'PATCH' || conflicts++ % 3 === 2) return false
    refuse(exchange, 409, 'Conflict')
    return true
  }
  await leader.publishNec('node-1', publication)
  await agent.report(report)
  assert.deepEqual(decodeNec(api.objects.get(path))?.report, report)
  api.disturb = (exchange) => {
    refuse(exchange, 409, 'Conflict')
    return true
  }
  await assert.rejects(agent.report(report), { code: 'conflict' })
})

test('publishNec() says so when the API server knows no NECs', async () => {
  const { leader, api } = await serve()
  api.disturb = (exchange) => {
    refuse(exchange, 404, 'NotFound')
    return true
  }
  await assert.rejects(leader.publishNec('node-1', publication), {
    code: 'unavailable',
    message: /does not know NECs/,
    hint: /install the CRD/,
  })
})

test('report() without a NEC says not_found', async () => {
  const { agent } = await serve()
  await assert.rejects(agent.report(report), { code: 'not_found' })
})

test('deleteNec() is done when the NEC is gone', async () => {
  const { leader, api } = await serve()
  await leader.publishNec('node-1', publication)
  await leader.deleteNec('node-1', 3)
  assert.equal(api.objects.size, 0)
  await leader.deleteNec('node-1', 3)
})

test('[R7] getNode() asks past every cache', async () => {
  const { leader, api, server } = await serve()
  api.objects.set('/api/v1/nodes/node-1', { metadata: { name: 'node-1', uid: 'n1' } })
  assert.equal((await leader.getNode('node-1'))?.uid, 'n1')
  assert.equal(await leader.getNode('node-2'), undefined)
  assert.ok(server.seen.every(({ query }) => !query.has('resourceVersion')))
})

test('[R7] getPod() asks past every cache', async () => {
  const { leader, api, server } = await serve()
  const metadata = { name: 'web-0', namespace: 'shop', uid: 'u1' }
  api.objects.set('/api/v1/namespaces/shop/pods/web-0', { metadata })
  assert.equal((await leader.getPod({ namespace: 'shop', name: 'web-0' }))?.uid, 'u1')
  assert.equal(await leader.getPod({ namespace: 'shop', name: 'web-1' }), undefined)
  assert.ok(server.seen.every(({ query }) => !query.has('resourceVersion')))
})

test('[R7] getNode() throws what is no answer about the node', async () => {
  const { leader, api } = await serve()
  for (const [status, code] of [
    [403, 'denied'],
    [500, 'unavailable'],
  ] as const) {
    api.disturb = (exchange) => {
      refuse(exchange, status, 'No')
      return true
    }
    await assert.rejects(leader.getNode('node-1'), { code })
  }
  // Not a node at all, though the status says that all is well.
  api.disturb = (exchange) => {
    reply(exchange, 200, { kind: 'Status' })
    return true
  }
  await assert.rejects(leader.getNode('node-1'), { code: 'unavailable' })
})

async function serve({ api = createTinyApi() } = {}) {
  const server = await startTinyServer(api.answer)
  const client = createKubeClient(createEndpoint({ server: server.url }, systemClock), systemClock)
  const parts = {
    client,
    clock: systemClock,
    random: seededRandom(3),
    log: silentLog,
    defaultNetwork: 'other' as const,
  }
  const leader = createLeaderKube({ ...parts, eventClient: client, instance: 'leader-1' })
  const agent = createNodeKube({ ...parts, node: 'node-1' })
  closing.push(server.stop, client.close, leader.close, agent.close)
  const short = (at: string) => at.slice(path.length)
  return {
    api,
    server,
    leader,
    agent,
    requests: () => server.seen.map((e) => `${e.method} ${short(e.path)}`.replace('POST ', 'POST')),
  }
}
