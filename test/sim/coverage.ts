// At which crash points processes died over a whole run, and which of those that matter nobody has died at.
import { claimPoints, eipPoints, intentPoints } from './world/crash-targets.ts'
import type { Coverage } from './world/fate.ts'

export class CoverageSum {
  readonly #reached = new Map<string, number>()
  readonly #died = new Map<string, number>()

  add({ reached, died }: Coverage): void {
    addAll(this.#reached, reached)
    addAll(this.#died, died)
  }

  /** A line per call: how often it was made, and how often somebody died right before and right after it. */
  table(): readonly string[] {
    const calls = [
      ...new Set([...this.#reached.keys()].map((point) => point.replace(/\.(before|after)$/, ''))),
    ]
    const width = Math.max(...calls.map((call) => call.length), 0)
    const cell = (value: number | string) => String(value).padStart(10)
    return [
      `${'crash point'.padEnd(width)}${['calls', 'before', 'after'].map(cell).join('')}`,
      ...calls.toSorted(byText).map((call) => {
        const died = ['before', 'after'].map((when) => cell(this.#died.get(`${call}.${when}`) ?? 0))
        return `${call.padEnd(width)}${cell(this.#reached.get(`${call}.before`) ?? 0)}${died.join('')}`
      }),
    ]
  }

  /** Points between an intent and its outcome, or beside a step of a claim, at which nobody died. */
  missing(): readonly string[] {
    return [...intentPoints, ...claimPoints, ...eipPoints].filter((point) => !this.#died.has(point))
  }
}

/** A transaction of several steps counts for each of them. */
function stepsOf(point: string): readonly string[] {
  const [role, port, steps, when] = point.split('.')
  return (steps ?? '').split('+').map((step) => `${role}.${port}.${step}.${when}`)
}

function addAll(sum: Map<string, number>, counts: Readonly<Record<string, number>>): void {
  for (const [key, value] of Object.entries(counts)) {
    for (const point of stepsOf(key)) sum.set(point, (sum.get(point) ?? 0) + value)
  }
}

function byText(a: string, b: string): number {
  return a < b ? -1 : 1
}
