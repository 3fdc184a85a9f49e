// Which processes die where: at the points that every call through a port has (test/crash/crash-points.ts), by chance or on purpose.
import type { Chaos } from './chance.ts'
import type { Fate } from './process.ts'

export interface Coverage {
  /** How often each crash point was passed. */
  readonly reached: Readonly<Record<string, number>>
  /** How often a process died at it. */
  readonly died: Readonly<Record<string, number>>
}

export class CrashFate implements Fate {
  /** Probability to die, per point passed. */
  chance = 0
  readonly #armed: { readonly who: string; readonly point: string; skip: number }[] = []
  readonly #reached = new Map<string, number>()
  readonly #died = new Map<string, number>()
  readonly #chaos: Chaos

  constructor(chaos: Chaos) {
    this.#chaos = chaos
  }

  /** `who` dies at `point`, once it has passed it `skip` times from now on. A point that is a beginning stands for all with it. */
  arm(who: string, point: string, skip: number): void {
    this.#armed.push({ who, point, skip })
  }

  /** Nobody dies any more. */
  heal(): void {
    this.chance = 0
    this.#armed.length = 0
  }

  /** Passing `point`: does `who` die there? */
  dies(who: string, point: string): boolean {
    count(this.#reached, point)
    const dies = this.#isDue(who, point) || this.#chaos.decide(`${who} dies at ${point}`, this.chance)
    if (dies) count(this.#died, point)
    return dies
  }

  coverage(): Coverage {
    return { reached: Object.fromEntries(this.#reached), died: Object.fromEntries(this.#died) }
  }

  #isDue(who: string, point: string): boolean {
    if (this.#armed.length === 0) return false
    const index = this.#armed.findIndex((armed) => isCalled(who, armed.who) && matches(point, armed.point))
    const armed = this.#armed[index]
    if (armed === undefined || armed.skip-- > 0) return false
    this.#armed.splice(index, 1)
    return true
  }
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

/** "leader" is any of them, as is "node". */
function isCalled(who: string, wanted: string): boolean {
  return who === wanted || ((wanted === 'leader' || wanted === 'node') && who.startsWith(`${wanted}-`))
}

/** "leader.ledger.finish.after" also stands for "leader.ledger.finish+prune.after". */
function matches(point: string, wanted: string): boolean {
  if (point === wanted) return true
  const [role, port, method, when] = point.split('.')
  const [wantedRole, wantedPort, wantedMethod, wantedWhen] = wanted.split('.')
  return (
    role === wantedRole &&
    port === wantedPort &&
    when === wantedWhen &&
    (method ?? '').split('+').includes(wantedMethod ?? '')
  )
}
