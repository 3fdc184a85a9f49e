// What pods show of their public addresses, while the API server refuses to write it, and after.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../../../internal/base/random.ts'
import { IpamError } from '../../../internal/ipam/errors.ts'
import { createPublicIpKeeper } from '../../../internal/leader/eips/public-ip.ts'
import { VirtualClock } from '../../fake/virtual-clock.ts'
import { ip, known } from '../../given.ts'
import { LogBook } from '../../node/log-book.ts'
import { podOn } from '../leader-world.ts'
import { EipWorld, minute, second } from './eip-world.ts'

const notShown = 'public address of a pod not shown'

/** An API server that refuses to write annotations of pods as long as it is told to, and counts what it is asked. */
function refusing(world: EipWorld): { why: string | undefined; asked: number } {
  const state: ReturnType<typeof refusing> = { why: undefined, asked: 0 }
  const { kube } = world
  const of = kube.leader.bind(kube)
  kube.leader = (process) => {
    const port = of(process)
    return {
      ...port,
      async setPublicIp(pod, address) {
        state.asked++
        if (state.why !== undefined) throw new IpamError('denied', state.why)
        return port.setPublicIp(pod, address)
      },
    }
  }
  return state
}

async function started(t: Parameters<typeof EipWorld.start>[0]) {
  const world = EipWorld.of(t)
  const api = refusing(world)
  world.start()
  await world.until(() => world.addresses('node-1').length > 1)
  return { world, api: Object.assign(api, { atRest: await fewestTimers(world) }) }
}

test('[E11][R5] where pods may not be patched, that is tried ever more slowly, and told once for each cause', async (t) => {
  const { api, world } = await started(t)
  api.why = 'Cannot annotate the pod: forbidden'
  const uid = world.run('node-1', 'web-0')
  await world.until(() => api.asked > 0)
  await world.clock.advance(10 * minute)
  assert.ok(api.asked >= 10 && api.asked <= 20, `${api.asked} in 10 minutes`)
  assert.equal(world.log.count(notShown), 1)
  api.why = 'Cannot annotate the pod: no room'
  await world.clock.advance(20 * minute)
  assert.ok(api.asked <= 48, `${api.asked} in 30 minutes`)
  assert.equal(world.log.count(notShown), 2)
  api.why = undefined
  await world.clock.advance(5 * minute)
  await world.untilEip(uid)
  const before = api.asked
  await world.clock.advance(10 * minute)
  assert.equal(api.asked, before)
})

test('[E11] keep() writes another address at once, and one that nobody shows after a pause', async () => {
  const clock = new VirtualClock()
  const written: (string | undefined)[] = []
  const kube = { setPublicIp: async (_: unknown, address?: string) => void written.push(address) }
  const keeper = createPublicIpKeeper({ clock, kube, random: seededRandom(1), log: new LogBook() })
  const [one, two] = [ip('9.9.9.1'), ip('9.9.9.2')]
  const pod = podOn('node-1', 'web-0')
  for (const address of [one, one, two, two, undefined]) await keeper.keep(pod, address)
  assert.deepEqual(written, [one, two])
  const shows = { ...pod, publicIp: one }
  for (const address of [two, undefined, undefined]) await keeper.keep(shows, address)
  const again = await keeper.keep(shows, undefined)
  assert.ok(again !== undefined && again > 0 && again <= 5 * second)
  await clock.advance(again)
  await keeper.keep(shows, undefined)
  assert.deepEqual(written, [one, two, two, undefined, undefined])
})

test('[R5] keep() and somebody else who writes the annotation do not chase each other', async () => {
  const clock = new VirtualClock()
  let [publicIp, writes]: [string | undefined, number] = [undefined, 0]
  const kube = {
    async setPublicIp(_: unknown, address?: string) {
      publicIp = address
      writes++
    },
  }
  const keeper = createPublicIpKeeper({ clock, kube, random: seededRandom(1), log: new LogBook() })
  const keep = () => keeper.keep({ ...podOn('node-1', 'web-0'), ...(publicIp && { publicIp }) }, undefined)
  for (let passed = 0; passed < 10 * minute; passed += second) {
    publicIp = '9.9.9.1'
    await keep()
    await keep()
    await clock.advance(second)
  }
  assert.ok(writes >= 10 && writes <= 20, `${writes} in 10 minutes`)
})

/** Its annotations are removed, and what leaders have written stays. */
function asksNoMore(world: EipWorld, uid: string): void {
  const { eip: _, ...pod } = known(world.kube.pods.items.get(uid))
  world.kube.pods.put(uid, pod)
}

/** Nothing is left to do. */
async function assertAtRest(world: EipWorld, api: Readonly<Record<'asked' | 'atRest', number>>) {
  await world.until(() => !world.ledger.eips.any())
  await world.clock.advance(minute)
  const { asked } = api
  await world.clock.advance(10 * minute)
  assert.deepEqual([api.asked, await fewestTimers(world), world.eips()], [asked, api.atRest, []])
}

/** Whoever looks again and again has always one. */
async function fewestTimers(world: EipWorld): Promise<number> {
  let fewest = world.clock.pending
  for (let waited = 0; waited < 3 * minute; waited += second) {
    await world.clock.advance(second)
    fewest = Math.min(fewest, world.clock.pending)
  }
  return fewest
}

test('[E11] one that asks for none any more shows none, though that may not be written at first', async (t) => {
  const { api, world } = await started(t)
  const uid = world.run('node-1', 'web-0')
  await world.untilEip(uid)
  const before = api.asked
  api.why = 'Cannot annotate the pod: forbidden'
  asksNoMore(world, uid)
  await world.clock.advance(10 * minute)
  assert.notEqual(world.shownBy(uid), undefined)
  assert.ok(api.asked - before >= 10 && api.asked - before <= 20, `${api.asked - before} in 10 minutes`)
  assert.equal(world.log.count(notShown), 1)
  api.why = undefined
  await world.until(() => world.shownBy(uid) === undefined, 2 * minute)
  assert.equal(world.shownBy(uid), undefined)
  await assertAtRest(world, api)
})

test('[E11][R1] one that asked for none any more while no leader was there shows none', async (t) => {
  const { api, world } = await started(t)
  const uid = world.run('node-1', 'web-0')
  await world.untilEip(uid)
  world.crash()
  asksNoMore(world, uid)
  world.start()
  await world.until(() => world.shownBy(uid) === undefined)
  assert.equal(world.shownBy(uid), undefined)
  await assertAtRest(world, api)
})

test('[E11][R4] one that shows what no claim knows of shows none, and one that asks again has its own', async (t) => {
  const { api, world } = await started(t)
  const uid = world.run('node-1', 'web-0')
  const eip = known(world.kube.pods.items.get(uid)?.eip)
  await world.untilEip(uid)
  world.crash()
  asksNoMore(world, uid)
  world.loseLedger()
  world.start()
  await world.until(() => world.shownBy(uid) === undefined)
  assert.equal(world.shownBy(uid), undefined)
  world.kube.pods.put(uid, { ...known(world.kube.pods.items.get(uid)), eip })
  await world.untilEip(uid)
  asksNoMore(world, uid)
  await world.until(() => world.shownBy(uid) === undefined)
  await assertAtRest(world, api)
})

test('what pods of other nodes show is not ours', async (t) => {
  const { world } = await started(t)
  const pod = podOn('virtual-1', 'web-0', { uid: 'uid-web', publicIp: ip('203.0.113.9') })
  world.kube.pods.put(pod.uid, pod)
  await world.clock.advance(10 * minute)
  assert.equal(world.shownBy(pod.uid), '203.0.113.9')
})
