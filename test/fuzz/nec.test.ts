// NECs that are wrong in places, as the node agent meets them: its pool follows one whole or not at all, and what pods have stays
// theirs whatever it says.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Nec } from '../../internal/ipam/types.ts'
import { compareIpv4 } from '../../internal/value/ipv4.ts'
import { decodeNec } from '../../internal/wire/nec.ts'
import { VirtualClock } from '../fake/virtual-clock.ts'
import { known } from '../given.ts'
import { NodeWorld } from '../node/node-world.ts'
import { fuzz } from './fuzz.ts'
import { type Mutation, mutate, mutations } from './mutate.ts'
import { necJson, publication } from './nec-inputs.ts'
import { oddName, oddValue } from './odd.ts'

fuzz('[R6] a NEC that is wrong in places is read, or its fault is named in short', mutations, (changes) => {
  check(decodeNec(mutate(necJson(), changes)))
})

fuzz(
  '[R6] parts of a NEC that are of any type are read, or their fault is named in short',
  fc.record({
    metadata: oddName,
    spec: oddName,
    status: oddName,
    eniInfos: oddName,
    node: oddName,
    ips: oddName,
  }),
  (names) => {
    const { metadata, spec, status, eniInfos, node, ips } = Object.fromEntries(
      Object.entries(names).map(([key, name]) => [key, oddValue(name)]),
    )
    const whole = necJson()
    check(decodeNec({ ...whole, metadata }))
    check(decodeNec({ ...whole, status }))
    check(decodeNec({ ...whole, spec, status: { ...whole.status, node } }))
    check(decodeNec({ ...whole, status: { eniInfos } }))
    check(decodeNec({ ...whole, status: { eniInfos: [{ ips }, spec] } }))
    check(decodeNec(metadata))
  },
)

function check(nec: Nec | undefined): void {
  if (nec === undefined) return
  assert.ok(nec.name !== '')
  assert.ok((nec.fault ?? '').length < 1000, `${nec.fault?.length} characters`)
  assert.ok(!(nec.fault ?? '').includes('\n'))
}

/** NECs one after the other, each wrong in other places. */
const story = fc.array(mutations, { minLength: 1, maxLength: 4 })

fuzz(
  '[R6] the pool of a node follows a NEC whole or not at all, and takes nothing from a pod',
  story,
  async (chapters) => {
    const cleanup: (() => unknown)[] = []
    try {
      await follow(
        chapters,
        new NodeWorld({ after: (work) => void cleanup.push(work as () => unknown) }, clock()),
      )
    } finally {
      for (const work of cleanup.reverse()) await work()
    }
  },
  { cost: 10 },
)

const clock = () => new VirtualClock()

async function follow(chapters: readonly (readonly Mutation[])[], world: NodeWorld): Promise<void> {
  const time = world.clock as VirtualClock
  world.publish(publication.enis)
  const agent = await time.runUntil(world.start())
  await time.advance(1000)
  for (const name of ['a', 'b']) await time.runUntil(agent.add(world.sandbox(name), undefined))
  const held = world.ledger.attachments()
  assert.equal(held.length, 2)
  for (const changes of chapters) {
    const before = pool(world)
    const nec = decodeNec(mutate(necJson(), changes))
    if (nec === undefined) continue
    world.tell(nec)
    await time.advance(50)
    assertWhole(world, before, nec)
    assert.deepEqual(world.ledger.attachments(), held)
    assert.equal(world.kernel.podLinks.size, 2)
    await time.advance(1000)
  }
  for (const { event, fields } of world.log.entries)
    if (event === 'NEC not stored') assert.match(String(fields['error']), /^Cannot [^\n]{1,500}$/)
  world.publish(publication.enis)
  await time.advance(120_000) // also past the doubts about an earlier leader
  assert.deepEqual(world.ledger.attachments(), held)
  assert.equal(world.kernel.podLinks.size, 2)
  for (const { ips } of publication.enis)
    for (const { address } of ips)
      assert.ok(known(world.ledger.ips().find((each) => each.address === address)).published)
}

function pool(world: NodeWorld): readonly string[] {
  return world.ledger
    .ips()
    .map(({ address }) => address)
    .toSorted(compareIpv4)
}

function assertWhole(world: NodeWorld, before: readonly string[], nec: Nec): void {
  const now = pool(world)
  const inUse = world.ledger.attachments().map(({ address }) => address)
  const shown = nec.publication?.enis.flatMap(({ ips }) => ips.map(({ address }) => address)) ?? []
  const whole = [...new Set([...shown, ...inUse])].toSorted(compareIpv4)
  const untouched = now.join() === before.join()
  const followed = nec.publication !== undefined && nec.name === 'n1' && now.join() === whole.join()
  assert.ok(untouched || followed, `${now.join()} is neither ${before.join()} nor ${whole.join()}`)
}
