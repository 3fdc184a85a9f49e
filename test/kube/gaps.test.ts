// The API server goes away again and again, and forgets what happened meanwhile (410 Gone): leader and agent list anew, take nothing
// from a pod that runs, and miss nothing that came or went.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Sandbox } from '../../internal/ports.ts'
import { GapWorld, node, until } from './gap-world.ts'

test('[R5] [R7] pods come and go in gaps of every watch: none loses its address, none is missed', {
  timeout: 60_000,
}, async (t) => {
  const world = await GapWorld.start(t)
  await until('the pool is warm', () => world.nodeLedger.ips().length === 2)
  const running = new Map<string, { sandbox: Sandbox; address: string }>()
  const keepTheirs = () => {
    const bound = world.bound()
    for (const [name, { address }] of running) assert.ok(bound.has(address), `${name} keeps ${address}`)
    const addresses = [...running.values()].map(({ address }) => address)
    assert.equal(new Set(addresses).size, addresses.length, 'nobody shares')
  }
  const listed = () => world.log.count('listed')
  let made = 0
  for (let gap = 0; gap < 8; gap++) {
    await world.served.interrupt()
    // More than it remembers: nodes that nobody serves, pods that come, pods that go.
    for (let i = 0; i < 5; i++)
      world.change('POST', '/api/v1/namespaces', {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: `gap-${gap}-${i}` },
      })
    const fresh = Array.from({ length: 3 }, () => world.makePod(`p${++made}`))
    for (const [name, { sandbox }] of [...running].slice(0, 2)) {
      running.delete(name)
      await world.remove(sandbox)
    }
    keepTheirs()
    const before = listed()
    await world.served.resume()
    for (const sandbox of fresh) running.set(sandbox.pod.name, { sandbox, address: await world.add(sandbox) })
    keepTheirs()
    await until('somebody has listed anew', () => listed() > before)
  }
  const wanted = running.size
  const idle = () => world.nodeLedger.ips().length - wanted
  await until(
    'the pool is within its bounds',
    () => idle() >= 2 && idle() <= 3 && world.bound().size === wanted + idle(),
  )
  keepTheirs()
  await until('the ledger shows who has what', () => world.leaderLedger.podAddresses().size === wanted)
  const holders = [...running.values()].map(({ sandbox, address }) => [address, sandbox.pod.uid])
  assert.deepEqual(Object.fromEntries(world.leaderLedger.podAddresses()), Object.fromEntries(holders))
  assert.equal(world.leaderLedger.node(node)?.phase, 'active')
  t.diagnostic(`${made} pods, 8 gaps, ${listed()} lists; ${wanted} pods run, ${idle()} addresses idle`)
})
