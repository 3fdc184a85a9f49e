// Chance, cut into streams: what one part of the world draws moves no other part, so that a happening can be left out of a
// run without changing the rest.
import { type Random, seededRandom } from '../../../internal/base/random.ts'

/** The stream of `label` under `seed`. */
export function stream(seed: number, label: string): Random {
  return seededRandom(hash(`${seed} ${label}`))
}

/** Decides, call by call, what a rate says only on average; each decision has a name, by which it can be repeated alone. */
export class Chaos {
  /** Names of what was decided to happen, in order. */
  readonly taken: string[] = []
  readonly #seed: number
  readonly #only: ReadonlySet<string> | undefined
  readonly #counts = new Map<string, number>()

  /** With `only`, nothing but these happens, where a rate allows it. */
  constructor(seed: number, only: readonly string[] | undefined) {
    this.#seed = seed
    this.#only = only === undefined ? undefined : new Set(only)
  }

  decide(what: string, rate: number): boolean {
    if (rate <= 0) return false
    const count = (this.#counts.get(what) ?? 0) + 1
    this.#counts.set(what, count)
    const name = `${what} #${count}`
    const yes =
      this.#only === undefined ? hash(`${this.#seed} ${name}`) / 2 ** 32 < rate : this.#only.has(name)
    if (yes) this.taken.push(name)
    return yes
  }
}

/** FNV-1a with a last stir: neighbouring texts have unlike numbers. */
function hash(text: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/** Between `min` and `max`, every order of magnitude as likely as the other. */
export function logUniform(random: Random, min: number, max: number): number {
  return Math.round(min * (max / min) ** random.next())
}
