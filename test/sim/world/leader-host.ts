// A machine on which a leader runs, or stands by: its disk, and what its process does from its start on, as cmd/leader-wiring.ts has it.
import { type Clock, evenClock } from '../../../internal/base/clock.ts'
import type { Log } from '../../../internal/base/log.ts'
import { campaign } from '../../../internal/leader/election.ts'
import { fencedCloud, fencedKube, fencedLedger } from '../../../internal/leader/fenced.ts'
import { type Leader, startLeader } from '../../../internal/leader/leader.ts'
import { type LeaderSettings, leaderDefaults } from '../../../internal/leader/settings.ts'
import { type Term, unlimitedTerm } from '../../../internal/leader/term.ts'
import type { LeaderLedger } from '../../../internal/ports.ts'
import { type Database, openDatabase } from '../../../internal/sqlite/database.ts'
import { readEpoch } from '../../../internal/store/leader/epoch.ts'
import { leaderLedger } from '../../../internal/store/leader/ledger.ts'
import { ledgerId } from '../../../internal/store/leader/meta.ts'
import { markRestored } from '../../../internal/store/mark-restored.ts'
import { createCloud } from '../../../internal/vpc/cloud.ts'
import { leaderMigrations } from '../../../migrations/index.ts'
import { withCrashPoints } from '../../crash/crash-points.ts'
import { cloudLink } from './cloud-link.ts'
import { copyDatabase } from './copy-database.ts'
import type { Shape } from './draw.ts'
import type { KubeTwin } from './kube-twin.ts'
import type { LeaseTwin } from './lease-twin.ts'
import type { Plant } from './plants.ts'
import { type Machine, Process } from './process.ts'
import { clusterId, podSubnets, type World } from './world.ts'

/** In an order in which their references hold. */
const tables = [
  'meta',
  'node',
  'eni',
  'ip',
  'intent',
  'ip_history',
  'quarantine',
  'claim',
  'eip_claim',
  'change',
] as const

export interface HostParts {
  readonly world: World
  readonly machine: Machine
  readonly shape: Shape
  readonly plant: Plant
  readonly kube: KubeTwin
  readonly lease: LeaseTwin
  readonly log: Log
  readonly died: (host: LeaderHost, where: string) => void
}

export class LeaderHost {
  readonly machine: Machine
  db: Database
  ledger: LeaderLedger
  process: Process | undefined
  leader: Leader | undefined
  term: Term | undefined
  downUntil = 0
  /** When its database was last lost, or replaced by an older one. */
  lostAt = Number.NEGATIVE_INFINITY
  #backup: Database | undefined
  #inForce: LeaderSettings | undefined
  readonly #parts: HostParts

  constructor(parts: HostParts) {
    this.#parts = parts
    this.machine = parts.machine
    this.db = emptyLedger()
    this.ledger = leaderLedger(this.db, parts.world.clock)
  }

  /** Does it lead, as far as it knows? */
  leads(): boolean {
    return this.process?.alive === true && this.leader !== undefined && this.term?.holds() === true
  }

  start(): void {
    if (this.process?.alive === true) return
    const { world, died } = this.#parts
    const process = new Process(this.machine, world.clock, world.fate, (where) => died(this, where))
    this.process = process
    this.leader = undefined
    this.term = undefined
    // As the real one: what it cannot go on after ends it, and it is started again.
    this.#lead(process).catch((error: Error) => process.kill(error.message))
  }

  /** The file is gone, and the next process starts with an empty one. */
  loseDatabase(): void {
    this.#replaceDatabase(emptyLedger())
  }

  backUp(): void {
    this.#backup?.close()
    this.#backup = copyDatabase(this.db, 'leader', leaderMigrations, tables)
  }

  restore(): void {
    if (this.#backup === undefined) return
    const copy = copyDatabase(this.#backup, 'leader', leaderMigrations, tables)
    markRestored(copy, 'leader', 'now')
    this.#replaceDatabase(copy)
  }

  /** As SIGHUP: what the operator has written is in force from now on. */
  reload(): void {
    if (!this.leads()) return
    if (this.#inForce !== undefined) Object.assign(this.#inForce, this.#parts.world.settings)
    this.leader?.wake()
  }

  close(): void {
    this.db.close()
    this.#backup?.close()
  }

  async #lead(process: Process): Promise<void> {
    const { world, plant } = this.#parts
    const clock = withoutJumps(process)
    const won = await this.#winTerm(process, clock)
    if (won === undefined || !process.alive) return
    const term = plant.term?.(won) ?? won
    this.term = term
    term.over.addEventListener('abort', () => process.kill('deposed'))
    plant.leaderDb?.(this.db)
    const ledger = leaderLedger(this.db, clock)
    this.ledger = ledger
    if (ledger.complete()) await term.nameLedger(ledgerId(this.db))
    if (!process.alive) return
    this.leader = this.#startLeader(process, clock, term, ledger)
    world.log(`${this.machine.name} leads in epoch ${term.epoch}`)
  }

  #startLeader(process: Process, clock: Clock, term: Term, plain: LeaderLedger): Leader {
    const { world, plant, log } = this.#parts
    const { random } = this.machine
    const { reached } = process
    const turn = world.nextTurn(this.machine.name)
    const ledger = plant.leaderLedger?.(plain, this.db, process.clock) ?? plain
    const plainKube = this.#parts.kube.leader(process)
    const kube = plant.leaderKube?.(plainKube, random, world) ?? plainKube
    const transport = cloudLink(world.cloud, process, {
      chaos: world.chaos,
      faults: () => world.linkFaults,
      performing: (action, params) => world.eips.performing(action, params),
      performed: (action, params) => world.performed(action, params, this, { turn, epoch: term.epoch }),
    })
    const plainCloud = createCloud({ transport, clock, random, log, beforeSend: () => term.check() })
    const cloud = plant.cloud?.(plainCloud) ?? plainCloud
    const inForce: LeaderSettings = {
      ...leaderDefaults,
      epoch: term.epoch,
      clusterId,
      subnetIds: podSubnets,
      securityGroups: ['sg-12345678'],
      ...world.settings,
      createMasqConfig: this.#parts.shape.createMasqConfig,
      ...plant.leaderSettings,
    }
    this.#inForce = inForce
    return startLeader(
      {
        kube: fencedKube(withCrashPoints('leader.kube', kube, reached), term),
        cloud: fencedCloud(withCrashPoints('leader.cloud', cloud, reached), term),
        ledger: fencedLedger(withCrashPoints('leader.ledger', ledger, reached), term),
        clock,
        random,
        log,
        nameLedger: () => term.nameLedger(ledgerId(this.db)),
      },
      inForce,
    )
  }

  async #winTerm(process: Process, clock: Clock): Promise<Term | undefined> {
    const { kube, lease, log, plant, shape } = this.#parts
    let necEpoch = 0
    const highestEpoch = async (ofLease: number) => {
      necEpoch = await kube.highestEpoch(process)
      return Math.max(ofLease, necEpoch, readEpoch(this.db))
    }
    if (shape.lease === undefined) return unlimitedTerm((await highestEpoch(0)) + 1)
    const store = lease.store(process, () => kube.isCutOff(process))
    const term = await campaign(
      {
        store: withCrashPoints('leader.lease', plant.lease?.(store) ?? store, process.reached),
        clock,
        steady: process.steady,
        random: this.machine.random,
        log,
        identity: this.machine.name,
        settings: shape.lease,
        highestEpoch,
        tell: () => {},
      },
      new AbortController().signal,
    )
    if (term !== undefined && process.alive) this.#setStaleAside(term, necEpoch)
    return term
  }

  /** A ledger that others have led without is a view of the past. */
  #setStaleAside(term: Term, necEpoch: number): void {
    const epoch = readEpoch(this.db)
    const newest =
      term.formerLedger === undefined ? epoch >= necEpoch : ledgerId(this.db) === term.formerLedger
    if (newest) return
    this.#parts.world.log(`${this.machine.name} sets its ledger of epoch ${epoch} aside`)
    this.db.close()
    this.db = emptyLedger()
    this.lostAt = this.#parts.world.clock.now()
    this.#parts.world.promises.ledgerLost()
    this.#parts.world.eips.ledgerLost()
  }

  #replaceDatabase(db: Database): void {
    this.process?.kill('database replaced')
    this.db.close()
    this.db = db
    this.lostAt = this.#parts.world.clock.now()
    this.#parts.world.promises.ledgerLost()
    this.#parts.world.eips.ledgerLost()
    this.ledger = leaderLedger(db, this.#parts.world.clock)
  }
}

function emptyLedger(): Database {
  return openDatabase({ path: ':memory:', kind: 'leader', migrations: leaderMigrations })
}

/** The clock that daemons go by. */
export function withoutJumps(process: Process): Clock {
  const { now } = evenClock(process.clock.now, process.steady)
  return { now, after: process.clock.after }
}
