// The command line of the bench.
import { parseArgs } from 'node:util'
import { type FigureId, figureIds } from './figure.ts'

export interface BenchOptions {
  readonly json: boolean
  readonly only: ReadonlySet<FigureId>
  /** Repetitions of Q1; its 99th percentile wants some. */
  readonly rounds: number
  /** Where databases and sockets are made. */
  readonly directory: string | undefined
}

export const usage = `npm run bench -- [--json] [--only q1,q2,q5,claims] [--rounds 5] [--directory /var/tmp]`

/** Throws an Error that tells what was expected. */
export function parseBenchOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: 'boolean', default: false },
      only: { type: 'string', default: figureIds.join(',') },
      rounds: { type: 'string', default: '5' },
      directory: { type: 'string' },
    },
  })
  const rounds = Number(values.rounds)
  if (!Number.isSafeInteger(rounds) || rounds < 1) {
    throw new Error(`Cannot use --rounds "${values.rounds}": expected a whole number above 0`)
  }
  return {
    json: values.json,
    only: new Set(values.only.split(',').map(toFigureId)),
    rounds,
    directory: values.directory,
  }
}

function toFigureId(text: string): FigureId {
  const id = figureIds.find((known) => known === text)
  if (id === undefined) throw new Error(`Cannot use --only "${text}": expected ${figureIds.join(', ')}`)
  return id
}
