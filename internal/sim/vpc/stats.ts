// How often each action was called, and what came of it. In memory: since the start of this process.

export interface ActionStats {
  readonly calls: number
  /** By outcome: "ok", "no-answer", or an error code. */
  readonly outcomes: Readonly<Record<string, number>>
}

export type Stats = Readonly<Record<string, ActionStats>>

export interface StatsCounter {
  count(action: string, outcome: string): void
  read(): Stats
}

export function createStats(): StatsCounter {
  const counts = new Map<string, Map<string, number>>()
  return {
    count(action, outcome) {
      const outcomes = counts.get(action) ?? new Map<string, number>()
      counts.set(action, outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1))
    },
    read() {
      const all = [...counts].map(([action, outcomes]) => {
        const calls = [...outcomes.values()].reduce((sum, n) => sum + n, 0)
        return [action, { calls, outcomes: Object.fromEntries(outcomes) }] as const
      })
      return Object.fromEntries(all)
    },
  }
}
