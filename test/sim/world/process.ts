// A process that can die or be stopped for a while, on a machine whose clock somebody may set: when it is dead its timers
// stop, what it waits for never comes, what it had not committed is gone.
import type { Clock } from '../../../internal/base/clock.ts'
import { type Random, randomInt } from '../../../internal/base/random.ts'

/** What outlives a process. */
export interface Machine {
  readonly name: string
  readonly random: Random
  /** Its wall clock is so far off. */
  skewMs: number
  /** When its clock was last set. */
  clockSetAt: number
}

export function newMachine(name: string, random: Random): Machine {
  return { name, random, skewMs: 0, clockSetAt: Number.NEGATIVE_INFINITY }
}

/** Decides who dies where. */
export interface Fate {
  dies(who: string, point: string): boolean
}

export const immortal: Fate = { dies: () => false }

export class Process {
  readonly machine: Machine
  readonly clock: Clock
  alive = true
  #stopped = false
  readonly #backlog: (() => void)[] = []
  readonly #world: Clock
  readonly #fate: Fate
  readonly #died: (where: string) => void

  constructor(machine: Machine, world: Clock, fate: Fate, died: (where: string) => void) {
    this.machine = machine
    this.#world = world
    this.#fate = fate
    this.#died = died
    this.clock = {
      now: () => world.now() + machine.skewMs,
      after: (delay, run) => world.after(delay, () => this.hear(run)),
    }
  }

  /** Time that nobody sets. */
  readonly steady = (): number => this.#world.now()

  /** Whatever becomes of this process. */
  later(delayMs: number, run: () => void): void {
    this.#world.after(delayMs, run)
  }

  kill(where: string): void {
    if (!this.alive) return
    this.alive = false
    this.#backlog.length = 0
    this.#died(where)
  }

  /** As SIGSTOP: what it would hear waits. */
  stop(): void {
    this.#stopped = true
  }

  /** As SIGCONT: it hears all at once. */
  goOn(): void {
    this.#stopped = false
    for (const run of this.#backlog.splice(0)) this.hear(run)
  }

  get stopped(): boolean {
    return this.#stopped
  }

  /** `run` now, when it goes on, or never. */
  hear(run: () => void): void {
    if (!this.alive) return
    if (this.#stopped) this.#backlog.push(run)
    else run()
  }

  /** For withCrashPoints: false when it is dead, by this point or an earlier one. */
  readonly reached = (point: string): boolean => {
    if (this.alive && this.#fate.dies(this.machine.name, point)) this.kill(point)
    return this.alive
  }

  /** A call to the outside: `effect` happens after a while, its answer arrives after another. */
  io<T>(effect: () => T, latency: { minMs: number; maxMs: number }): Promise<T> {
    return new Promise((resolve, reject) => {
      const wait = () => randomInt(this.machine.random, latency.minMs, latency.maxMs)
      this.#world.after(wait(), () => {
        // Sent is sent: a request on its way takes effect although its sender has died.
        let answer: () => void
        try {
          const value = effect()
          answer = () => resolve(value)
        } catch (error) {
          answer = () => reject(error)
        }
        if (this.alive) this.#world.after(wait(), () => this.hear(answer))
      })
    })
  }
}
