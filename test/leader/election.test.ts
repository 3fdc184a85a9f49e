// Candidates under a virtual clock: each with a steady clock of its own rate and start, over one lease.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../../internal/base/random.ts'
import { errorCode } from '../../internal/ipam/errors.ts'
import { campaign } from '../../internal/leader/election.ts'
import type { Term } from '../../internal/leader/term.ts'
import { VirtualClock } from '../fake/virtual-clock.ts'
import { known } from '../given.ts'
import { LogBook } from '../node/log-book.ts'
import { LeaseTwin } from '../sim/world/lease-twin.ts'
import { immortal, newMachine, Process } from '../sim/world/process.ts'

const second = 1000
const settings = { leaseDuration: 15 * second, renewDeadline: 10 * second, retryEvery: 2 * second }

class Arena {
  readonly clock = new VirtualClock()
  readonly lease = new LeaseTwin()
  readonly random = seededRandom(11)
  readonly candidates: Candidate[] = []

  /** `rate`: how much faster its clock goes than true time. */
  enter(name: string, { rate = 1, highest = 0 } = {}): Candidate {
    const candidate = new Candidate(this, name, rate, highest)
    this.candidates.push(candidate)
    return candidate
  }

  leaders(): string[] {
    return this.candidates
      .filter(({ term, process }) => process.alive && term?.holds())
      .map(({ name }) => name)
  }

  /** Looks every 100 ms that nobody leads beside another one. */
  async pass(duration: number): Promise<void> {
    for (let passed = 0; passed < duration; passed += 100) {
      await this.clock.advance(100)
      assert.ok(this.leaders().length <= 1, `${this.leaders().join(' and ')} lead`)
    }
  }
}

class Candidate {
  readonly name: string
  readonly process: Process
  readonly stop = new AbortController()
  readonly log = new LogBook()
  term: Term | undefined
  status = ''
  /** Cannot reach the API server. */
  cutOff = false

  constructor(arena: Arena, name: string, rate: number, highest: number) {
    const { clock, lease, random } = arena
    this.name = name
    this.process = new Process(newMachine(name, random), clock, immortal, () => {})
    const start = clock.now()
    void campaign(
      {
        store: lease.store(this.process, () => this.cutOff),
        clock: this.process.clock,
        steady: () => (clock.now() - start) * rate,
        random,
        log: this.log,
        identity: name,
        settings,
        highestEpoch: (ofLease) => Promise.resolve(Math.max(ofLease, highest)),
        tell: (status) => {
          this.status = status
        },
      },
      this.stop.signal,
    ).then((term) => {
      this.term = term
    })
  }

  why(): string {
    return (this.term?.over.reason as Error | undefined)?.message ?? ''
  }
}

test('[R8] campaign() lets the first candidate lead at once, and keeps the others waiting while it lives', async () => {
  const arena = new Arena()
  const a = arena.enter('a')
  await arena.pass(second)
  const b = arena.enter('b')
  const c = arena.enter('c')
  await arena.pass(120 * second)
  assert.deepEqual(arena.leaders(), ['a'])
  assert.equal(a.term?.epoch, 1)
  assert.deepEqual([b.status, c.status], ['standby: a leads', 'standby: a leads'])
})

test('[R8] campaign() hands over to one of the others when the leader dies, with a higher epoch, within the lease', async () => {
  const arena = new Arena()
  const a = arena.enter('a')
  await arena.pass(second)
  arena.enter('b')
  arena.enter('c')
  await arena.pass(5 * second)
  a.process.kill('test')
  const died = arena.clock.now()
  while (arena.candidates.every(({ name, term }) => name === 'a' || term === undefined)) await arena.pass(100)
  assert.ok(arena.clock.now() - died <= settings.leaseDuration + settings.retryEvery)
  assert.ok(!a.term?.holds())
  await arena.pass(60 * second)
  const [winner] = arena.leaders()
  assert.equal(arena.candidates.find(({ name }) => name === winner)?.term?.epoch, 2)
})

test('[R8] campaign() takes a lease that was given back at once, and its own without waiting', async () => {
  const arena = new Arena()
  const a = arena.enter('a')
  await arena.pass(second)
  const b = arena.enter('b')
  await arena.pass(second)
  await Promise.all([known(a.term).release(), arena.pass(3 * second)])
  assert.deepEqual(arena.leaders(), ['b'])
  assert.equal(a.why(), '')
  assert.throws(() => a.term?.check(), { code: 'deposed' })
  b.process.kill('test')
  const again = arena.enter('b')
  await arena.pass(second)
  assert.equal(again.term?.epoch, 3)
})

for (const { does, rate } of [
  { does: 'fast', rate: 1.2 },
  { does: 'slow', rate: 0.8 },
])
  test(`[R8] campaign() never makes two leaders while one of the clocks is ${does}`, async () => {
    const arena = new Arena()
    const a = arena.enter('a')
    await arena.pass(second)
    arena.enter('b', { rate })
    await arena.pass(30 * second)
    assert.deepEqual(arena.leaders(), ['a'])
    a.cutOff = true
    await arena.pass(60 * second)
    assert.deepEqual(arena.leaders(), ['b'])
    assert.match(a.why(), /Cannot go on leading: its lease could not be renewed for 10 s: .*is out/)
  })

test('[R8] a leader survives an API server that is slow, and answers that are lost', async () => {
  const arena = new Arena()
  const a = arena.enter('a')
  await arena.pass(second)
  arena.enter('b')
  arena.lease.latency = { minMs: 500, maxMs: 1500 }
  arena.lease.loseAnswers = 3
  await arena.pass(120 * second)
  assert.deepEqual(arena.leaders(), ['a'])
  assert.equal(a.term?.epoch, 1)
})

test('[R8] an API server that is out for an hour ends the term; afterwards one leads, under a higher epoch', async () => {
  const arena = new Arena()
  const a = arena.enter('a')
  await arena.pass(second)
  arena.enter('b')
  await arena.pass(5 * second)
  arena.lease.out = true
  const out = arena.clock.now()
  while (a.term?.holds()) await arena.pass(100)
  assert.ok(arena.clock.now() - out <= settings.renewDeadline)
  assert.equal(errorCode(a.term?.over.reason), 'deposed')
  arena.enter('a') // its service is started again
  await arena.pass(3600 * second)
  assert.deepEqual(arena.leaders(), [])
  arena.lease.out = false
  await arena.pass(20 * second)
  assert.equal(arena.leaders().length, 1)
  assert.equal(arena.candidates.find(({ term }) => term?.holds())?.term?.epoch, 2)
})

test('[R8] a leader that slept through its lease is deposed before it does anything, though no timer has run', async () => {
  const arena = new Arena()
  let steady = 0
  const process = new Process(newMachine('a', arena.random), arena.clock, immortal, () => {})
  const winning = campaign(
    {
      store: arena.lease.store(process),
      clock: process.clock,
      steady: () => steady,
      random: arena.random,
      log: new LogBook(),
      identity: 'a',
      settings,
      highestEpoch: (ofLease) => Promise.resolve(ofLease),
      tell() {},
    },
    new AbortController().signal,
  )
  const term = known(await arena.clock.runUntil(winning))
  assert.ok(term.holds())
  steady += settings.leaseDuration
  assert.throws(() => term.check(), {
    code: 'deposed',
    message: 'Cannot go on leading: its lease could not be renewed for 10 s: this process did not run',
  })
  assert.ok(term.over.aborted)
})

test('[R8] a leader ends its term when it finds another one in its lease', async () => {
  const arena = new Arena()
  const a = arena.enter('a')
  await arena.pass(second)
  const record = known(arena.lease.record)
  arena.lease.record = { ...record, holder: 'x', epoch: 7, version: 'other' }
  await arena.pass(3 * second)
  assert.equal(a.why(), 'Cannot go on leading: "x" holds its lease now, in epoch 7')
})

test('[R8] two candidates that read the same version: one leads', async () => {
  for (let seed = 0; seed < 20; seed++) {
    const arena = new Arena()
    for (let i = 0; i < seed; i++) arena.random.next()
    arena.enter('a')
    arena.enter('b')
    arena.enter('c')
    await arena.pass(3 * second)
    assert.equal(arena.leaders().length, 1)
    assert.equal(
      arena.lease.writes
        .filter(({ epoch }) => epoch === 1)
        .every(({ holder }) => holder === arena.leaders()[0]),
      true,
    )
  }
})

test('[R8] a lease that was deleted under a leader: it makes it again, or whoever does waits the lease out', async () => {
  const arena = new Arena()
  const a = arena.enter('a')
  await arena.pass(second)
  arena.lease.delete()
  await arena.pass(5 * second)
  assert.deepEqual(arena.leaders(), ['a'])
  assert.equal(known(arena.lease.record).epoch, 1)
  a.cutOff = true
  arena.lease.delete()
  arena.enter('b', { highest: 1 })
  await arena.pass(60 * second)
  assert.deepEqual(arena.leaders(), ['b'])
  assert.equal(known(arena.lease.record).epoch, 2)
})

test('[R8] whoever waits out a lease that was deleted, and dies meanwhile or is asked to end, shortens the wait of nobody', async () => {
  for (const next of ['b', 'c']) {
    const arena = new Arena()
    const a = arena.enter('a')
    await arena.pass(second)
    a.cutOff = true
    arena.lease.delete()
    const b = arena.enter('b', { highest: 1 })
    await arena.pass(second)
    if (next === 'b') b.process.kill('test')
    else b.stop.abort()
    await arena.pass(100)
    await b.term?.release()
    arena.enter(next, { highest: 1 })
    await arena.pass(60 * second)
    assert.deepEqual(arena.leaders(), [next])
    assert.equal(b.term, undefined)
  }
})

test('[R8] campaign() goes above every epoch that anything shows, whatever the lease says', async () => {
  const arena = new Arena()
  const a = arena.enter('a', { highest: 41 })
  await arena.pass(20 * second)
  assert.equal(a.term?.epoch, 42)
})

test('nameLedger() writes the ledger into the lease, and the next leader reads it', async () => {
  const arena = new Arena()
  const a = arena.enter('a')
  await arena.pass(second)
  assert.equal(a.term?.formerLedger, undefined)
  arena.lease.loseAnswers = 1
  await Promise.all([known(a.term).nameLedger('ledger-1'), arena.pass(5 * second)])
  assert.equal(known(arena.lease.record).ledgerId, 'ledger-1')
  a.process.kill('test')
  const b = arena.enter('b')
  await arena.pass(20 * second)
  assert.equal(b.term?.formerLedger, 'ledger-1')
  await arena.pass(20 * second)
  assert.equal(known(arena.lease.record).ledgerId, 'ledger-1')
})

test('campaign() ends when it is asked to', async () => {
  const arena = new Arena()
  arena.enter('a')
  await arena.pass(second)
  const b = arena.enter('b')
  await arena.pass(5 * second)
  b.stop.abort()
  arena.candidates[0]?.process.kill('test')
  await arena.pass(60 * second)
  assert.equal(b.term, undefined)
})
