// `tke-eni db check`: what is wrong with databases, for people and for monitoring.
import { createTable } from '../../internal/base/table.ts'
import { IpamError, withHint } from '../../internal/ipam/errors.ts'
import { type Finding, inspectDatabase } from '../../internal/sqlite/inspect.ts'
import { openReadonly } from '../../internal/sqlite/open-readonly.ts'
import { leaderInvariants } from '../../internal/store/invariants/leader.ts'
import { nodeInvariants } from '../../internal/store/invariants/node.ts'
import { Exit, exitCode } from '../exit.ts'
import { databasesAt, type Kind, migrationsOf, type Place } from './place.ts'

export interface Checked {
  readonly database: string
  /** undefined: it could not be told. */
  readonly kind: Kind | undefined
  readonly findings: readonly Finding[]
}

const rulesOf = { leader: leaderInvariants, node: nodeInvariants }

/** Prints what was found; ends with 1 when that is anything. Throws `not_found`. */
export function checkDatabases(place: Place, output: 'table' | 'json'): void {
  const checked = databasesAt(place).map(checkDatabase)
  const lines = checked.flatMap(({ database, findings, kind }) =>
    findings.map(({ check, found, says }) => ({
      database,
      kind: kind ?? null,
      check,
      says,
      ok: found.length === 0,
      found,
    })),
  )
  process.stdout.write(output === 'json' ? `${JSON.stringify(lines, null, 2)}\n` : toTable(lines))
  if (lines.some(({ ok }) => !ok)) throw new Exit(exitCode.failed)
}

/** Never throws for what is wrong with the file. */
export function checkDatabase(path: string): Checked {
  const says = 'the file is a database of ours, of this version'
  try {
    const opened = openReadonly(path, migrationsOf)
    try {
      const { database, kind } = opened
      const findings = inspectDatabase(database, {
        kind,
        migrations: migrationsOf[kind],
        rules: rulesOf[kind],
      })
      return { database: path, kind, findings: [{ check: 'opens', says, found: [] }, ...findings] }
    } finally {
      opened.close()
    }
  } catch (error) {
    if (!(error instanceof IpamError)) throw error
    const found = [withHint(error).replaceAll(/\s+/g, ' ')]
    return { database: path, kind: undefined, findings: [{ check: 'opens', says, found }] }
  }
}

interface Line {
  readonly database: string
  readonly check: string
  readonly says: string
  readonly ok: boolean
  readonly found: readonly string[]
}

function toTable(lines: readonly Line[]): string {
  const rows = lines.flatMap(({ check, database, found, says }) => {
    if (found.length === 0) return [{ database, check, result: 'ok', says }]
    return found.map((sentence) => ({ database, check, result: 'WRONG', says: sentence }))
  })
  const several = new Set(lines.map(({ database }) => database)).size > 1
  return createTable<(typeof rows)[number]>(
    [
      ...(several ? [{ header: 'DATABASE', cell: ({ database }: (typeof rows)[number]) => database }] : []),
      { header: 'CHECK', cell: ({ check }) => check },
      { header: 'RESULT', cell: ({ result }) => result },
      { header: 'WHAT', cell: ({ says }) => says },
    ],
    false,
  ).add(rows)
}
