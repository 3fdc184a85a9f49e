// A process that can die: its timers stop, what it waits for never comes, what it had not committed is gone.
import type { Clock } from '../../../internal/base/clock.ts'
import { type Random, randomInt } from '../../../internal/base/random.ts'

export interface CrashPoints {
  /** Probability, per call to the outside, to die right before or right after its effect. */
  chance: number
}

export class Process {
  readonly name: string
  readonly clock: Clock
  alive = true
  readonly #random: Random
  readonly #world: Clock
  readonly #crash: CrashPoints
  readonly #died: (where: string) => void

  constructor(name: string, world: Clock, random: Random, crash: CrashPoints, died: (where: string) => void) {
    this.name = name
    this.#world = world
    this.#random = random
    this.#crash = crash
    this.#died = died
    this.clock = {
      now: () => world.now(),
      after: (delay, run) => world.after(delay, () => this.alive && run()),
    }
  }

  kill(where: string): void {
    if (!this.alive) return
    this.alive = false
    this.#died(where)
  }

  /**
   * A call to the outside: `effect` happens after a while, its answer arrives after another; a process that dies in
   * between never hears of it, and one that dies before never made it.
   */
  io<T>(where: string, effect: () => T, latency: { minMs: number; maxMs: number }): Promise<T> {
    return new Promise((resolve, reject) => {
      const wait = () => randomInt(this.#random, latency.minMs, latency.maxMs)
      if (this.#rolls()) return this.kill(`before ${where}`)
      this.#world.after(wait(), () => {
        // Sent is sent: a request on its way takes effect although its sender has died.
        let answer: () => void
        try {
          const value = effect()
          answer = () => resolve(value)
        } catch (error) {
          answer = () => reject(error)
        }
        if (!this.alive) return
        if (this.#rolls()) return this.kill(`after ${where}`)
        this.#world.after(wait(), () => this.alive && answer())
      })
    })
  }

  /** Wraps a callback so that a dead process no longer hears it. */
  hears<A extends unknown[]>(listener: (...args: A) => void): (...args: A) => void {
    return (...args) => {
      if (this.alive) listener(...args)
    }
  }

  #rolls(): boolean {
    return this.alive && this.#crash.chance > 0 && this.#random.next() < this.#crash.chance
  }
}
