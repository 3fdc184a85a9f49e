// Is a database sound? Asked beside its daemon, in one view of the file, changing nothing.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Database, openDatabase, openFile } from './database.ts'
import { meaningOf } from './faults.ts'
import type { Migration } from './migrate.ts'

export interface Finding {
  readonly check: string
  readonly says: string
  /** Sentences; empty when all is well. */
  readonly found: readonly string[]
}

export interface Rule {
  readonly name: string
  readonly says: string
  /** Gives rows with a column `found`. */
  readonly sql: string
}

/** Nobody reads more than that. */
const mostFound = 50

/** SQLite's own checks, the schema, and `rules`. */
export function inspectDatabase(
  database: Database,
  { kind, migrations, rules }: { kind: string; migrations: readonly Migration[]; rules: readonly Rule[] },
): readonly Finding[] {
  const constraints = finding('constraints', 'no row breaks a constraint of its table', () =>
    brokenConstraints(database),
  )
  database.script('BEGIN') // all of it looks at one moment
  try {
    return [
      constraints,
      finding('integrity', 'the file is whole, and its indexes agree with its tables', () =>
        database
          .all<{ integrity_check: string }>(`PRAGMA integrity_check(${mostFound})`)
          .map(({ integrity_check }) => integrity_check)
          .filter((line) => line !== 'ok'),
      ),
      finding('references', 'what a row refers to is there', () =>
        database
          .all<{ table: string; rowid: number | null; parent: string }>('PRAGMA foreign_key_check')
          .map(
            ({ parent, rowid, table }) =>
              `row ${rowid ?? ''} of ${table} refers to a ${parent} that is not there`,
          ),
      ),
      finding('schema', 'tables, indexes, triggers and views are those of this version', () =>
        differences(schemaOf(database), expectedSchema(kind, migrations)),
      ),
      ...rules.map(({ name, says, sql }) =>
        finding(name, says, () => database.all<{ found: string }>(sql).map(({ found }) => found)),
      ),
    ]
  } finally {
    database.script('COMMIT')
  }
}

/** SQLite does not even read the constraints of a database that it may not write to: a copy that it may tells. */
function brokenConstraints(database: Database): readonly string[] {
  const directory = mkdtempSync(join(tmpdir(), 'tke-eni-check-')) // mode 0700
  try {
    const path = join(directory, 'copy.db')
    database.run(`VACUUM INTO ?`, path)
    return openFile({ path, what: 'copy', readonly: false }, (copy) => {
      const rows = copy.all<{ quick_check: string }>(`PRAGMA quick_check(${mostFound})`)
      copy.close()
      return rows.map(({ quick_check }) => quick_check).filter((line) => line !== 'ok')
    })
  } catch (error) {
    if (meaningOf(error) === 'full') throw new Error(`"${tmpdir()}" has no room for a copy`, { cause: error })
    return [(error as Error).message.replace(/^Cannot open copy "[^"]*": it is damaged: /, '')]
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** What cannot be asked is not well either. */
function finding(check: string, says: string, look: () => readonly string[]): Finding {
  try {
    return { check, says, found: look().slice(0, mostFound).map(oneLine) }
  } catch (error) {
    return { check, says, found: [`it cannot be told: ${(error as Error).message}`] }
  }
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim()
}

function schemaOf(database: Database): ReadonlyMap<string, string> {
  const rows = database.all<{ type: string; name: string; sql: string }>(
    `SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL`,
  )
  return new Map(rows.map(({ name, sql, type }) => [`${type} ${name}`, sql]))
}

function expectedSchema(kind: string, migrations: readonly Migration[]): ReadonlyMap<string, string> {
  const fresh = openDatabase({ path: ':memory:', kind, migrations })
  try {
    return schemaOf(fresh)
  } finally {
    fresh.close()
  }
}

function differences(
  actual: ReadonlyMap<string, string>,
  expected: ReadonlyMap<string, string>,
): readonly string[] {
  return [
    ...[...expected.keys()].filter((name) => !actual.has(name)).map((name) => `${name} is missing`),
    ...[...actual.keys()].filter((name) => !expected.has(name)).map((name) => `${name} is not ours`),
    ...[...expected].flatMap(([name, sql]) => {
      const found = actual.get(name)
      return found === undefined || found === sql ? [] : [`${name} is not as this version makes it`]
    }),
  ]
}
