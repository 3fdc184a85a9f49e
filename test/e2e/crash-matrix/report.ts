// The table of the crash matrix: each point, whose it is, while what it was died at, how often, and what the audit after it said.
import { createTable } from '../../../internal/base/table.ts'
import type { Death } from './matrix.ts'
import type { Gust } from './storm.ts'

export interface Findings {
  /** Every point that there is, and why some cannot be reached. */
  readonly points: readonly string[]
  readonly exceptions: Readonly<Record<string, string>>
  /** Mixtures of changes that nobody died at. */
  readonly byChance: string[]
  /** One after the other, each followed by an audit. */
  readonly deaths: Death[]
  /** Many, and then an audit. */
  readonly gusts: Gust[]
}

interface Row {
  readonly point: string
  readonly during: string
  readonly deaths: readonly Death[]
  readonly inStorm: number
  readonly verdict: string
}

/** The table and what it comes to; points that nobody died at are in it, and say so. */
export function reportOf(findings: Findings): string {
  const rows = rowsOf(findings)
  const most = (row: Row, measure: (death: Death) => number) => Math.max(0, ...row.deaths.map(measure))
  const table = createTable<Row>(
    [
      { header: 'DIED AT', cell: ({ point }) => point },
      { header: 'PROCESS', cell: ({ point }) => processOf(point) },
      { header: 'WHILE', cell: ({ during }) => during },
      { header: 'TIMES', align: 'right', cell: ({ deaths }) => deaths.length },
      { header: 'IN STORM', align: 'right', cell: ({ inStorm }) => inStorm },
      {
        header: 'SETTLED',
        align: 'right',
        cell: (row) =>
          row.deaths.length === 0 ? '' : `${most(row, ({ settledAfterMs }) => settledAfterMs)} ms`,
      },
      { header: 'LEAKS', align: 'right', cell: (row) => most(row, ({ verdict }) => verdict.leaks.length) },
      {
        header: 'DOUBLES',
        align: 'right',
        cell: (row) => most(row, ({ verdict }) => verdict.doubles.length),
      },
      { header: 'PODS', align: 'right', cell: ({ deaths }) => deaths.map(podsOf).at(-1) ?? '' },
      { header: 'VERDICT', cell: ({ verdict }) => verdict },
    ],
    true,
  ).add(rows)
  return `${table}\n${totalOf(rows, findings)}`
}

function rowsOf({ points, exceptions, byChance, deaths, gusts }: Findings): readonly Row[] {
  const storm = gusts.flatMap((gust) => gust.points)
  const all = new Set([...points, ...byChance, ...deaths.map(({ point }) => point), ...storm])
  return [...all]
    .toSorted((a, b) => Number(a > b) - Number(a < b))
    .map((point) => {
      const here = deaths.filter((death) => death.point === point)
      const inStorm = storm.filter((each) => each === point).length
      const exception = exceptions[callOf(point)]
      const excuse = byChance.includes(point) ? byChanceNote : exception && `excepted: ${exception}`
      const verdict = here.length > 0 ? verdictOf(here) : (excuse ?? missed(inStorm))
      return {
        point,
        during: [...new Set(here.map(({ during }) => during))].join('; '),
        deaths: here,
        inStorm,
        verdict,
      }
    })
}

const byChanceNote = 'comes by chance; each of its changes was died at in others'

function missed(inStorm: number): string {
  return inStorm > 0 ? 'in the storm only' : 'NOT REACHED'
}

function verdictOf(deaths: readonly Death[]): string {
  const bad = deaths.filter(({ verdict }) => verdict.leaks.length + verdict.doubles.length > 0)
  return bad.length === 0 ? 'ok' : 'BAD'
}

function totalOf(rows: readonly Row[], { deaths, gusts }: Findings): string {
  const verdicts = [...deaths, ...gusts].map(({ verdict }) => verdict)
  const sum = (what: 'leaks' | 'doubles') => verdicts.reduce((n, verdict) => n + verdict[what].length, 0)
  const died = rows.filter(({ deaths: here, inStorm }) => here.length + inStorm > 0).length
  const missed = rows.filter(({ verdict }) => verdict === 'NOT REACHED').length
  const inStorm = rows.reduce((n, row) => n + row.inStorm, 0)
  return `${died} points died at, ${missed} not reached; ${deaths.length} deaths with an audit each, ${inStorm} more in a storm; ${sum('leaks')} leaks, ${sum('doubles')} doubles`
}

function podsOf({ verdict: { answering, wanted } }: Death): string {
  return `${answering}/${wanted}`
}

/** Without "before" and "after". */
export function callOf(point: string): string {
  return point.replace(/\.(?:before|after)$/, '')
}

function processOf(point: string): string {
  if (point.startsWith('leader.')) return 'leader'
  return point.startsWith('node.') ? 'agent' : 'CNI plugin'
}
