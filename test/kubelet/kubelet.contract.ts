// What a kubelet shows of resources that are offered to it: held against the twin in npm test, and against the device manager of
// a real kubelet in npm run test:e2e.
import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { ResourceView, TestKubelet } from './test-kubelet.ts'

const ip = 'tke.cloud.tencent.com/eni-ip'
const eni = 'tke.cloud.tencent.com/direct-eni'

interface Offer {
  readonly resource: string
  readonly capacity: number
  readonly allocatable: number
}

/** An agent's part in it, in a process of its own that can be killed. */
interface Agent {
  offer(...offers: readonly Offer[]): void
  withdraw(resource: string): void
  kill(): Promise<void>
  stop(): Promise<void>
}

function startAgent(directory: string): Agent {
  const child: ChildProcess = fork(join(import.meta.dirname, 'plugin-process.ts'), [directory], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  return {
    offer(...offers) {
      for (const offer of offers) child.send(offer)
    },
    withdraw: (resource) => void child.send({ withdraw: resource }),
    async kill() {
      child.kill('SIGKILL')
      await gone
    },
    async stop() {
      if (child.connected) child.send('stop')
      await gone
    },
  }
}

/** In order: each test goes on where the one before left off. */
export function kubeletContract(what: string, make: () => TestKubelet, skip: string | false = false): void {
  describe(`${what} and device plugins`, { skip, concurrency: false }, () => {
    let kubelet: TestKubelet
    let agent: Agent

    const shows = async (resource: string, view: ResourceView | undefined) => {
      let found: ResourceView | undefined
      for (let tries = 0; tries < 400; tries++) {
        found = (await kubelet.resources())[resource]
        if (found?.capacity === view?.capacity && found?.allocatable === view?.allocatable) return
        await delay(50)
      }
      assert.deepEqual(found, view)
    }

    before(async () => {
      kubelet = make()
      agent = startAgent(kubelet.directory)
      // There is no kubelet yet: it is waited for.
      agent.offer({ resource: ip, capacity: 10, allocatable: 4 })
      await kubelet.start()
    })
    after(async () => {
      await agent.stop()
      await kubelet.stop()
    })

    test('[P17] capacity is what may be bound, allocatable what is', async () => {
      await shows(ip, { capacity: 10, allocatable: 4 })
      assert.equal((await kubelet.resources())[eni], undefined)
    })

    test('[P17] counts follow the pool, each resource on its own', async () => {
      agent.offer(
        { resource: ip, capacity: 10, allocatable: 7 },
        { resource: eni, capacity: 2, allocatable: 1 },
      )
      await shows(ip, { capacity: 10, allocatable: 7 })
      await shows(eni, { capacity: 2, allocatable: 1 })
      agent.offer({ resource: ip, capacity: 12, allocatable: 2 })
      await shows(ip, { capacity: 12, allocatable: 2 })
      await shows(eni, { capacity: 2, allocatable: 1 })
    })

    test('pods get devices as long as there are bound ones', async () => {
      assert.deepEqual(await kubelet.allocate('a', ip, 1), ['eni-ip-0'])
      assert.deepEqual(await kubelet.allocate('b', ip, 1), ['eni-ip-1'])
      await assert.rejects(kubelet.allocate('c', ip, 1), /unavailable/)
      await kubelet.endPod('c')
      assert.deepEqual(await kubelet.allocate('owner', eni, 1), ['direct-eni-0'])
    })

    test('what a pod has stays healthy while the pool shrinks around it', async () => {
      await kubelet.endPod('a')
      agent.offer({ resource: ip, capacity: 12, allocatable: 1 })
      await shows(ip, { capacity: 12, allocatable: 1 })
      assert.deepEqual(await kubelet.allocate('b', ip, 1), ['eni-ip-1'])
      // even when it should not be there any more
      agent.offer({ resource: ip, capacity: 1, allocatable: 1 })
      await shows(ip, { capacity: 1, allocatable: 1 })
      assert.deepEqual(await kubelet.allocate('b', ip, 1), ['eni-ip-1'])
    })

    test('a kubelet that is started anew is told again, and its pods keep what they have', async () => {
      agent.offer({ resource: ip, capacity: 12, allocatable: 3 })
      await shows(ip, { capacity: 12, allocatable: 3 })
      for (let round = 0; round < 2; round++) {
        await kubelet.stop()
        await kubelet.start()
        await shows(ip, { capacity: 12, allocatable: 3 })
        await shows(eni, { capacity: 2, allocatable: 1 })
        assert.deepEqual(await kubelet.allocate('b', ip, 1), ['eni-ip-1'])
      }
    })

    test('an agent that was killed is none, and one that is started again takes over', async () => {
      await agent.kill()
      await shows(ip, { capacity: 12, allocatable: 0 })
      agent = startAgent(kubelet.directory)
      agent.offer(
        { resource: ip, capacity: 12, allocatable: 1 },
        { resource: eni, capacity: 2, allocatable: 1 },
      )
      await shows(ip, { capacity: 12, allocatable: 1 })
      await shows(eni, { capacity: 2, allocatable: 1 })
      // The new agent has never seen what the old one handed out.
      assert.deepEqual(await kubelet.allocate('b', ip, 1), ['eni-ip-1'])
      await assert.rejects(kubelet.allocate('d', ip, 1), /unavailable/)
      await kubelet.endPod('d')
    })

    test('an agent and a kubelet that end at once find each other again', async () => {
      await Promise.all([agent.kill(), kubelet.stop()])
      agent = startAgent(kubelet.directory)
      agent.offer({ resource: ip, capacity: 12, allocatable: 5 })
      await kubelet.start()
      await shows(ip, { capacity: 12, allocatable: 5 })
      assert.deepEqual(await kubelet.allocate('b', ip, 1), ['eni-ip-1'])
      assert.deepEqual(await kubelet.allocate('e', ip, 4), ['eni-ip-0', 'eni-ip-2', 'eni-ip-3', 'eni-ip-4'])
    })

    test('what is not offered any more cannot be had, and leaves no socket', async () => {
      agent.withdraw(ip)
      await shows(ip, { capacity: 12, allocatable: 0 })
      assert.equal(existsSync(join(kubelet.directory, 'tke-eni-eni-ip.sock')), false)
      agent.offer({ resource: ip, capacity: 12, allocatable: 5 })
      await shows(ip, { capacity: 12, allocatable: 5 })
      await agent.stop()
      const left = readdirSync(kubelet.directory).filter((file) => file.startsWith('tke-eni'))
      assert.deepEqual(left, [])
    })
  })
}
