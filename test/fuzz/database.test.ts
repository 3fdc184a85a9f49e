// Databases with bytes that changed on the disk: opening and reading them works or says what is so; a file that is refused is left as
// it is, to the byte.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before } from 'node:test'
import fc from 'fast-check'
import { IpamError } from '../../internal/ipam/errors.ts'
import { type Database, openDatabase } from '../../internal/sqlite/database.ts'
import { openReadonly } from '../../internal/sqlite/open-readonly.ts'
import { leaderLedger } from '../../internal/store/leader/ledger.ts'
import { nodeLedger } from '../../internal/store/node/ledger.ts'
import { leaderMigrations, nodeMigrations } from '../../migrations/index.ts'
import { fillAgent, fillLeader, openAgent, openLeader } from '../cmd/ledger-files.ts'
import { VirtualClock } from '../fake/virtual-clock.ts'
import { nth } from '../given.ts'
import { fuzz } from './fuzz.ts'
import { outcome, outcomeOf } from './outcome.ts'

const now = Date.UTC(2026, 0, 1)
const kinds = { leader: leaderMigrations, node: nodeMigrations } as const
type Kind = keyof typeof kinds

let folder: string
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fuzz-database-'))
  const place = join(folder, 'whole')
  const leader = openLeader(place, now)
  await fillLeader(leader)
  leader.close()
  const node = openAgent(place, now)
  await fillAgent(node, now + 10_000)
  node.close()
  // Open again, so that the last changes are in the log alone …
  const leaderAgain = openLeader(place, now)
  await leaderAgain.write((tx) => tx.setPod(nth(9), { namespace: 'default', name: 'late', uid: 'uid-late' }))
  const nodeAgain = openAgent(place, now)
  await nodeAgain.write((tx) => tx.setReleaseTimer('shared', now))
  for (const name of ['leader', 'node'])
    for (const end of ['', '-wal'])
      copyFileSync(join(place, `${name}.db${end}`), join(folder, `${name}-log.db${end}`))
  leaderAgain.close()
  nodeAgain.close()
  // … and once it is closed, all in one file.
  for (const name of ['leader', 'node'])
    copyFileSync(join(place, `${name}.db`), join(folder, `${name}-closed.db`))
})
after(() => rmSync(folder, { recursive: true }))

interface Damage {
  readonly at: number
  readonly how: 'flip' | 'zero' | 'text' | 'cut' | 'move'
  readonly bit: number
}

const damage: fc.Arbitrary<Damage> = fc.record({
  // Often in the header or in the pages of the schema.
  at: fc.oneof(fc.nat(1_000_000), fc.nat(100), fc.nat(10_000)),
  how: fc.oneof(
    { weight: 4, arbitrary: fc.constant('flip' as const) },
    fc.constantFrom('zero', 'text', 'cut', 'move'),
  ),
  bit: fc.nat(7),
})

const input = fc.record({
  kind: fc.constantFrom<Kind>('leader', 'node'),
  state: fc.constantFrom('closed', 'log'),
  inLog: fc.boolean(),
  damages: fc.array(damage, { minLength: 1, maxLength: 6 }),
})

function hurt(bytes: Buffer, { at, how, bit }: Damage): Buffer {
  if (bytes.length === 0) return bytes
  const place = at % bytes.length
  const page = place - (place % 4096)
  switch (how) {
    case 'flip':
      bytes[place] = (bytes[place] ?? 0) ^ (1 << bit)
      return bytes
    case 'zero':
      return bytes.fill(0, page, Math.min(bytes.length, page + 512 * (bit + 1)))
    case 'text':
      bytes.write('[{"x":null}]', place)
      return bytes
    case 'cut':
      return bytes.subarray(0, place)
    case 'move':
      bytes.copy(bytes, page, (4096 * bit) % bytes.length, ((4096 * bit) % bytes.length) + 4096)
      return bytes
  }
}

fuzz(
  '[R6] a damaged database works or says so, and is never written over when it is refused',
  input,
  async ({ kind, state, inLog, damages }) => {
    const path = join(folder, `${kind}.db`)
    const files = [path, `${path}-wal`]
    for (const file of [...files, `${path}-shm`]) rmSync(file, { force: true })
    for (const end of ['', '-wal']) {
      const whole = join(folder, `${kind}-${state}.db${end}`)
      if (!existsSync(whole)) continue
      const hit = inLog === (end === '-wal') || state === 'closed'
      writeFileSync(`${path}${end}`, hit ? damages.reduce(hurt, readFileSync(whole)) : readFileSync(whole))
    }
    const bytes = () => files.map(digest)
    const given = bytes()
    look(path, kind)
    assert.deepEqual(bytes(), given, 'looking changed it')
    const db = trusted(() => openDatabase({ path, kind, migrations: kinds[kind] }))
    if (db === undefined) return assert.deepEqual(bytes(), given, 'a refused file was changed')
    try {
      await (kind === 'leader' ? useLeader(db) : useNode(db))
    } finally {
      db.close()
    }
  },
  { cost: 4 },
)

/** Readers make an empty log where there is none. */
function digest(file: string): string {
  const content = existsSync(file) ? readFileSync(file) : Buffer.alloc(0)
  return content.length === 0 ? 'nothing' : createHash('sha256').update(content).digest('hex')
}

/** As `tke-eni get` does. */
function look(path: string, kind: Kind): void {
  const opened = trusted(() => openReadonly(path, kinds))
  if (opened === undefined) return
  const views =
    kind === 'leader'
      ? ['v_ip', 'v_eni', 'v_node', 'v_intent', 'v_history']
      : ['v_ip', 'v_eni', 'v_attachment', 'v_history']
  try {
    for (const view of views) trusted(() => opened.database.all(`SELECT * FROM ${view}`))
  } finally {
    opened.close()
  }
}

/** What `work` gives; undefined when the file cannot be trusted. */
function trusted<T>(work: () => T): T | undefined {
  return outcome(() => {
    try {
      return work()
    } catch (error) {
      if (error instanceof IpamError) assert.equal(error.code, 'storage', error.message)
      throw error
    }
  })
}

async function useLeader(db: Database): Promise<void> {
  const clock = new VirtualClock(now)
  const ledger = trusted(() => leaderLedger(db, clock))
  if (ledger === undefined) return
  for (const { name } of trusted(() => ledger.nodes()) ?? []) {
    trusted(() => ledger.pool(name))
    trusted(() => ledger.publishedEnis(name))
  }
  trusted(() => ledger.openIntents())
  trusted(() => ledger.allEnis())
  trusted(() => ledger.podAddresses())
  trusted(() => ledger.suspects())
  await clock.runUntil(outcomeOf(ledger.write((tx) => tx.setPod(nth(9), undefined))))
  await clock.runUntil(outcomeOf(ledger.write((tx) => tx.dropIp(nth(9), 'test'))))
}

async function useNode(db: Database): Promise<void> {
  const clock = new VirtualClock(now)
  const ledger = trusted(() => nodeLedger(db, clock, () => 'db-x'))
  if (ledger === undefined) return
  trusted(() => ledger.ips())
  trusted(() => ledger.enis())
  trusted(() => ledger.attachments())
  trusted(() => ledger.quarantine())
  trusted(() => ledger.releaseTimer('shared'))
  await clock.runUntil(outcomeOf(ledger.write((tx) => tx.giveBack([nth(1)], 'test'))))
  await clock.runUntil(outcomeOf(ledger.write((tx) => tx.setBootId('boot'))))
}
