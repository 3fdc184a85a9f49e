// The agent's socket as the plugin uses it, and as nobody should: a real unix socket, real lines, real time.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, statSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type Clock, systemClock } from '../../internal/base/clock.ts'
import { serveCni } from '../../internal/node/cni-socket.ts'
import type { NodeSettings } from '../../internal/node/settings.ts'
import {
  type AgentAnswer,
  decodeAgentAnswer,
  encodeAgentRequest,
  lineReader,
  maxLine,
} from '../../internal/wire/agent-protocol.ts'
import { cniCode } from '../../internal/wire/cni-fault.ts'
import type { RawCniRequest } from '../../internal/wire/cni-request.ts'
import { VirtualClock } from '../fake/virtual-clock.ts'
import { publishedEni } from '../ipam/pools.ts'
import { NodeWorld } from './node-world.ts'

async function served(
  t: TestContext,
  settings: Partial<NodeSettings> = {},
  addresses = ['1', '2'],
  clock: Clock = systemClock, // of the socket alone
) {
  const world = new NodeWorld(t, systemClock)
  const path = join(world.folder, 'cni.sock')
  world.publish(addresses.length === 0 ? [] : [publishedEni(1, ...addresses)])
  const repaired = world.log.next('kernel repaired')
  const agent = await world.start(settings)
  const server = await serveCni({ agent, clock, log: world.log }, path)
  t.after(() => server.close())
  await repaired
  return { world, path, server }
}

function request(command: string, name: string, more: Record<string, unknown> = {}): RawCniRequest {
  return {
    command,
    containerId: `c-${name}`,
    netns: `/run/netns/c-${name}`,
    ifname: 'eth0',
    args: { K8S_POD_NAMESPACE: 'default', K8S_POD_NAME: name, K8S_POD_UID: `uid-${name}` },
    config: { cniVersion: '1.1.0', name: 'tke', type: 'tke-route-eni', ...more },
  }
}

/** Everything that comes back until the agent hangs up. */
async function exchange(path: string, ...pieces: readonly string[]): Promise<string> {
  const connection = await opened(path)
  let text = ''
  connection.on('data', (chunk: string) => {
    text += chunk
  })
  connection.on('error', () => {}) // the agent may hang up while we still write
  for (const piece of pieces) {
    if (connection.destroyed || !connection.writable) break
    await new Promise<void>((done) => connection.write(piece, () => done()))
  }
  if (!connection.closed) await once(connection, 'close')
  return text
}

async function opened(path: string, how: { allowHalfOpen?: boolean } = {}): Promise<Socket> {
  const connection = connect({ path, ...how })
  connection.setEncoding('utf8')
  await once(connection, 'connect')
  return connection
}

async function ask(path: string, raw: RawCniRequest): Promise<AgentAnswer> {
  const line = lineReader('node agent')(await exchange(path, encodeAgentRequest(raw)))
  assert.ok(line !== undefined, 'the agent answers with a line')
  return decodeAgentAnswer(line)
}

async function refusal(path: string, raw: RawCniRequest): Promise<number> {
  const answer = await ask(path, raw)
  assert.ok('error' in answer, JSON.stringify(answer))
  return answer.error.code
}

test('[D6] ADD, CHECK, DEL and GC on the socket', async (t) => {
  const { world, path } = await served(t)
  world.sandbox('a')
  const answer = await ask(path, request('ADD', 'a'))
  assert.ok('result' in answer, JSON.stringify(answer))
  const [attachment] = world.ledger.attachments()
  const { ips, interfaces, cniVersion } = answer.result as {
    ips: { address: string }[]
    interfaces: { name: string; sandbox?: string }[]
    cniVersion: string
  }
  assert.equal(cniVersion, '1.1.0')
  assert.equal(ips[0]?.address, `${attachment?.address}/32`)
  assert.deepEqual(
    interfaces.map(({ name, sandbox }) => [name, sandbox]),
    [
      [attachment?.hostLink, undefined],
      ['eth0', '/run/netns/c-a'],
    ],
  )
  assert.deepEqual(await ask(path, request('ADD', 'a')), answer, '[R9] the same answer again')
  const prevResult = answer.result
  assert.deepEqual(await ask(path, request('CHECK', 'a', { prevResult })), { result: undefined })
  world.kernel.podLinks.clear()
  assert.equal(await refusal(path, request('CHECK', 'a', { prevResult })), cniCode.kernel)
  assert.equal(await refusal(path, request('CHECK', 'b', { prevResult })), cniCode.refused)
  assert.deepEqual(await ask(path, request('DEL', 'a')), { result: undefined })
  assert.deepEqual(await ask(path, request('DEL', 'a')), { result: undefined })
  world.sandbox('b')
  await ask(path, request('ADD', 'b'))
  const valid = [{ containerID: 'c-other', ifname: 'eth0' }]
  assert.deepEqual(await ask(path, request('GC', 'a', { 'cni.dev/valid-attachments': valid })), {
    result: undefined,
  })
  assert.deepEqual(world.ledger.attachments(), [])
})

test('[D6] STATUS is 50 while pods cannot be served, and nothing once they can', async (t) => {
  const { world, path } = await served(t, {}, [])
  assert.equal(await refusal(path, request('STATUS', 'a')), cniCode.notAvailable)
  const follows = world.log.next('pool follows NEC')
  world.publish([publishedEni(1, '1')])
  await follows
  assert.deepEqual(await ask(path, request('STATUS', 'a')), { result: undefined })
})

test('[D6] ADD without an idle address is told to try again, after its time', async (t) => {
  const { world, path } = await served(t, { addTimeout: 30 }, ['1'])
  world.sandbox('a')
  world.sandbox('b')
  await ask(path, request('ADD', 'a'))
  assert.equal(await refusal(path, request('ADD', 'b')), cniCode.tryAgainLater)
})

test('[R6] a fault of the kernel has its own code', async (t) => {
  const { world, path } = await served(t)
  world.sandbox('a')
  world.broken.add('connectPod')
  assert.equal(await refusal(path, request('ADD', 'a')), cniCode.kernel)
  assert.deepEqual(world.ledger.attachments(), [])
})

for (const { what, line, code } of [
  { what: 'no JSON', line: 'hello', code: cniCode.protocol },
  { what: 'an empty line', line: '', code: cniCode.protocol },
  { what: 'no object', line: '[1]', code: cniCode.protocol },
  { what: 'a protocol of the far future', line: '{"v":99,"command":"ADD"}', code: cniCode.protocol },
  { what: 'no command', line: '{"v":1}', code: cniCode.invalidEnvironment },
  { what: 'an unknown command', line: '{"v":1,"command":"DANCE"}', code: cniCode.invalidEnvironment },
  { what: 'bytes that are no text', line: '\u0000\uffff\u0001', code: cniCode.protocol },
]) {
  test(`[R6] the socket refuses ${what}, and goes on serving`, async (t) => {
    const { path } = await served(t)
    const [answer] = (await exchange(path, `${line}\n`)).split('\n')
    const decoded = decodeAgentAnswer(answer ?? '')
    assert.ok('error' in decoded)
    assert.equal(decoded.error.code, code)
    assert.deepEqual(await ask(path, request('STATUS', 'a')), { result: undefined })
  })
}

test('[R6] the socket takes a request in pieces, and nothing after it', async (t) => {
  const { world, path } = await served(t)
  world.sandbox('a')
  const line = encodeAgentRequest(request('ADD', 'a'))
  const text = await exchange(path, line.slice(0, 5), line.slice(5, 50), line.slice(50), line, 'noise')
  assert.equal(text.split('\n').length, 2, 'one line')
  assert.ok('result' in decodeAgentAnswer(text.trim()))
})

test('[R6] the socket hangs up on a line without end, with one answer', async (t) => {
  const { path } = await served(t)
  const piece = 'x'.repeat(maxLine / 4)
  const text = await exchange(path, ...Array<string>(40).fill(piece))
  const lines = text.split('\n').filter((line) => line !== '')
  assert.ok(lines.length <= 1, `${lines.length} answers`)
  if (lines[0] !== undefined) {
    const answer = decodeAgentAnswer(lines[0])
    assert.ok('error' in answer && answer.error.code === cniCode.protocol)
  }
  assert.deepEqual(await ask(path, request('STATUS', 'a')), { result: undefined })
})

test('who hangs up no longer waits for an address: it goes to the next one', async (t) => {
  const { world, path } = await served(t, {}, ['1'])
  for (const name of ['a', 'b', 'c']) world.sandbox(name)
  await ask(path, request('ADD', 'a'))
  const connection = await opened(path)
  connection.write(encodeAgentRequest(request('ADD', 'b')))
  const others = await ask(path, request('STATUS', 'x')) // the agent has read what came before
  assert.deepEqual(others, { result: undefined })
  const ended = world.log.next('CNI call refused')
  connection.destroy()
  await ended
  await ask(path, request('DEL', 'a'))
  assert.deepEqual(world.ledger.attachments(), [])
  const answer = await ask(path, request('ADD', 'c'))
  assert.ok('result' in answer)
  assert.deepEqual(
    world.ledger.attachments().map(({ pod }) => pod.name),
    ['c'],
  )
})

test('who connects and says nothing, or half a line, leaves nothing behind', async (t) => {
  const { path, server } = await served(t)
  const silent = await opened(path)
  const half = await opened(path)
  half.write('{"v":1,')
  for (const connection of [silent, half]) connection.destroy()
  assert.deepEqual(await ask(path, request('STATUS', 'a')), { result: undefined })
  server.close()
  await once(server, 'close')
})

test('[R6] who is silent, leaves a line unfinished or keeps its answer open is hung up on', async (t) => {
  // Callers that hung kept a connection each, for as long as the agent lived.
  const clock = new VirtualClock()
  const { world, path, server } = await served(t, {}, ['1'], clock)
  const [silent, half, lingering] = await Promise.all([
    opened(path),
    opened(path),
    opened(path, { allowHalfOpen: true }),
  ])
  half.write('{"v":1,')
  const answered = once(lingering, 'data')
  lingering.write(encodeAgentRequest(request('STATUS', 'a')))
  await answered
  const closed = [silent, half, lingering].map((connection) => once(connection.resume(), 'close'))
  await clock.advance(9 * 1000)
  assert.equal(world.log.count('CNI caller idle'), 0, 'not yet')
  await clock.advance(1000)
  lingering.end()
  await Promise.all(closed)
  assert.equal(world.log.count('CNI caller idle'), 3)
  const ended = once(server, 'connection').then(([connection]) => once(connection as Socket, 'close'))
  await ask(path, request('STATUS', 'a'))
  await ended
  assert.equal(clock.pending, 0, 'no timer is left')
})

test('sixty ADDs at once get sixty addresses', async (t) => {
  const numbers = Array.from({ length: 60 }, (_, i) => `${i + 1}`)
  const { world, path } = await served(t, {}, numbers)
  const names = numbers.map((n) => `p${n}`)
  for (const name of names) world.sandbox(name)
  const answers = await Promise.all(names.map((name) => ask(path, request('ADD', name))))
  assert.ok(answers.every((answer) => 'result' in answer))
  assert.equal(new Set(world.ledger.attachments().map(({ address }) => address)).size, 60)
})

test('serveCni() replaces what an earlier process left, for root alone', async (t) => {
  const world = new NodeWorld(t, systemClock)
  const path = join(world.folder, 'cni.sock')
  writeFileSync(path, 'left over')
  const server = await serveCni({ agent: await world.start(), clock: systemClock, log: world.log }, path)
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.equal(await refusal(path, request('STATUS', 'a')), cniCode.notAvailable)
  server.close()
  await once(server, 'close')
  assert.ok(!existsSync(path))
})
