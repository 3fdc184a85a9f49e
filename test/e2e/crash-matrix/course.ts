// What the crash matrix learns on its way: which stimulus leads to which points, and so what to do next, and where to die then.
import type { Scenario, Stimulus } from './matrix.ts'

export interface Course {
  /** It ran so long, and processes came to these points meanwhile. */
  learn(stimulus: Stimulus, points: Iterable<string>, tookMs: number): void
  /** Deaths at these points to be expected of it, for its time; those that others lead to as well count less. Without limit when it was never tried. */
  worth(scenario: Scenario, points: readonly string[]): number
  /** Does some stimulus lead to the point more often than not? */
  isUsual(point: string): boolean
  /** Of the points, those to die at while the stimulus runs: what few others lead to first; none when it is not known to lead to any. */
  targets(stimulus: Stimulus, points: readonly string[]): readonly string[]
}

interface Way {
  runs: number
  tookMs: number
  readonly passed: Map<string, number>
}

export function createCourse(): Course {
  const ways = new Map<string, Way>()

  /** How often the stimulus leads to the point: from 0 to 1. */
  function odds(way: Way | undefined, point: string): number {
    return way === undefined ? 0 : (way.passed.get(point) ?? 0) / way.runs
  }

  /** Is it the only way to the point (1), or one of many (nearly 0)? */
  function part(way: Way, point: string): number {
    const all = [...ways.values()].reduce((sum, each) => sum + odds(each, point), 0)
    return all === 0 ? 0 : odds(way, point) / all
  }

  /** One process dies at most, as a rule. */
  function deaths(way: Way, points: readonly string[]): number {
    return Math.min(
      1,
      points.reduce((sum, point) => sum + odds(way, point) * part(way, point), 0),
    )
  }

  return {
    learn({ name }, points, tookMs) {
      const way = ways.get(name) ?? { runs: 0, tookMs: 0, passed: new Map<string, number>() }
      ways.set(name, way)
      way.runs++
      way.tookMs += tookMs
      for (const point of new Set(points)) way.passed.set(point, (way.passed.get(point) ?? 0) + 1)
    },
    worth({ steps }, points) {
      const known = steps.flatMap(({ name }) => ways.get(name) ?? [])
      if (known.length < steps.length) return Number.POSITIVE_INFINITY
      const expected = known.reduce((sum, way) => sum + deaths(way, points), 0)
      return expected / known.reduce((sum, { runs, tookMs }) => sum + tookMs / runs, 0)
    },
    isUsual: (point) => [...ways.values()].some((way) => odds(way, point) > 0.5),
    targets({ name }, points) {
      const way = ways.get(name)
      if (way === undefined) return points
      if (points.every((point) => odds(way, point) === 0)) return []
      return [...Map.groupBy(points, roleOf).values()].flatMap((own) => {
        const rare = own.filter((point) => odds(way, point) > 0.5 && part(way, point) > 0.5)
        return rare.length > 0 ? rare : own
      })
    },
  }
}

function roleOf(point: string): string {
  return point.slice(0, point.indexOf('.'))
}
