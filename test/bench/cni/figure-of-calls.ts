// Q1 out of the samples: what a container runtime waits for, and where that time goes.
import type { Figure, Row } from '../figure.ts'
import { median, percentile } from '../statistics.ts'
import type { CniSamples } from './measure.ts'

const kinds = [
  ['ADD alone', 'ADD, alone'],
  ['ADD together', 'ADD, 60 at once'],
  ['DEL alone', 'DEL, alone'],
  ['DEL together', 'DEL, 60 at once'],
] as const

export function figureOfCalls(samples: CniSamples, notes: readonly string[]): Figure {
  const calls = kinds.flatMap(([kind, what]) =>
    ([0.5, 0.99] as const).map((share): Row => {
      const label = share === 0.5 ? 'p50' : 'p99'
      const reference = samples.reference[kind]
      return {
        what: `${what}, ${label}`,
        value: percentile(samples.ours[kind] ?? [], share),
        unit: 'ms',
        ...(reference === undefined
          ? {}
          : { reference: { what: 'ptp + host-local', value: percentile(reference, share) } }),
      }
    }),
  )
  const whole = median(samples.ours['ADD alone'] ?? [])
  const start = median(samples.start['VERSION alone'] ?? [])
  const agent = median(samples.agent['ADD alone'] ?? [])
  return {
    id: 'q1',
    title: 'CNI calls with a warm address, from exec to exit',
    rows: [
      ...calls,
      { what: '  of ADD, alone: plugin process starts and ends', value: start, unit: 'ms' },
      { what: '  of ADD, alone: plugin talks to the agent', value: whole - start - agent, unit: 'ms' },
      { what: '  of ADD, alone: agent answers', value: agent, unit: 'ms' },
      ...kinds.slice(1).map(
        ([kind, what]): Row => ({
          what: `  agent answers ${what}, p50`,
          value: median(samples.agent[kind] ?? []),
          unit: 'ms',
        }),
      ),
    ],
    notes,
  }
}
