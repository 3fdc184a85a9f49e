// A node agent behind its real socket, with a pool of some addresses, for callers who misbehave.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { systemClock } from '../../internal/base/clock.ts'
import { serveCni } from '../../internal/node/cni-socket.ts'
import {
  type AgentAnswer,
  decodeAgentAnswer,
  encodeAgentRequest,
  lineReader,
} from '../../internal/wire/agent-protocol.ts'
import type { RawCniRequest } from '../../internal/wire/cni-request.ts'
import { publishedEni } from '../ipam/pools.ts'
import { NodeWorld } from '../node/node-world.ts'

export interface ServedAgent {
  readonly world: NodeWorld
  readonly path: string
  /** Everything is in order: an honest pod is served, no address is held by nobody. */
  checkService(): Promise<void>
}

export async function serveAgent(t: Pick<TestContext, 'after'>): Promise<ServedAgent> {
  const world = new NodeWorld(t, systemClock)
  const path = join(world.folder, 'cni.sock')
  world.publish([publishedEni(1, '1', '2', '3', '4')])
  const repaired = world.log.next('kernel repaired')
  const agent = await world.start({ addTimeout: 50, cooldown: 0 })
  const server = await serveCni({ agent, clock: systemClock, log: world.log }, path)
  t.after(() => server.close())
  await repaired
  let calls = 0
  return {
    world,
    path,
    async checkService() {
      const name = `honest-${++calls}`
      const { containerId, netns } = world.sandbox(name)
      assert.ok('result' in (await ask(path, request('STATUS', containerId, netns))))
      for (const { containerId: other, netns: where, ifname } of world.ledger.attachments())
        assert.ok('result' in (await ask(path, { ...request('DEL', other, where), ifname })))
      assert.ok('result' in (await ask(path, request('ADD', containerId, netns))))
      assert.equal(world.ledger.attachments().length, 1)
      assert.equal(world.kernel.podLinks.size, 1, 'who has no address has no link')
      assert.ok('result' in (await ask(path, request('DEL', containerId, netns))))
      assert.equal(world.ledger.ips().filter((ip) => ip.inUse).length, 0)
      assert.equal(world.ledger.ips().length, 4)
      assert.equal(world.kernel.podLinks.size, 0)
      world.log.entries.length = 0
    },
  }
}

export function request(command: string, containerId: string, netns: string): RawCniRequest {
  return {
    command,
    containerId,
    netns,
    ifname: 'eth0',
    args: {},
    config: { cniVersion: '1.1.0', name: 'tke', type: 'tke-route-eni' },
  }
}

export async function ask(path: string, raw: RawCniRequest): Promise<AgentAnswer> {
  const line = lineReader('node agent')(await exchange(path, [Buffer.from(encodeAgentRequest(raw))]))
  assert.ok(line !== undefined, 'the agent answers with a line')
  return decodeAgentAnswer(line)
}

/** Writes `pieces` one by one, and gives what comes back until the agent hangs up; `after` hangs up by itself. */
export async function exchange(path: string, pieces: readonly Buffer[], hangUp = false): Promise<string> {
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
  if (hangUp) connection.destroy()
  if (!connection.closed) await once(connection, 'close')
  return text
}

async function opened(path: string): Promise<Socket> {
  const connection = connect({ path })
  connection.setEncoding('utf8')
  await once(connection, 'connect')
  return connection
}
