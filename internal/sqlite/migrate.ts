// Brings a database forward, one hashed migration per transaction; refuses a changed past and a newer file.
import { createHash } from 'node:crypto'
import { IpamError } from '../ipam/errors.ts'
import type { Database } from './database.ts'

/** `name` is "0001_init"; names are in order and never change, nor does `sql` once released. */
export interface Migration {
  readonly name: string
  readonly sql: string
}

/** Throws as checkHistory. */
export function migrate(database: Database, kind: string, migrations: readonly Migration[]): void {
  database.transaction(() => {
    const applied = checkHistory(database, kind, migrations)
    if (applied === 0) database.run(historyTable)
    for (const migration of migrations.slice(applied)) apply(database, kind, migration)
  })
}

/**
 * How many of `migrations` the file has had; changes nothing. Throws `storage` when the file is of another kind, newer than us,
 * or its history is not ours.
 */
export function checkHistory(database: Database, kind: string, migrations: readonly Migration[]): number {
  const applied = readHistory(database, kind)
  applied.forEach((row, i) => {
    const ours = migrations[i]
    if (row.kind !== kind) throw refused(database, kind, `it is a ${row.kind} database`)
    if (ours === undefined) {
      throw refused(
        database,
        kind,
        `it was written by a newer version (it has migration "${row.name}")`,
        'install that version or a later one',
      )
    }
    if (ours.name !== row.name || hash(ours) !== row.hash) {
      throw refused(database, kind, `its migration "${row.name}" is not the one of this version`)
    }
  })
  return applied.length
}

export interface AppliedMigration {
  readonly name: string
  readonly kind: string
  readonly hash: string
}

/** What was applied to the file, in order; empty for a file without anything. Throws `storage` when it is not ours. */
export function readHistory(database: Database, kind: string): readonly AppliedMigration[] {
  const { tables, ours } = database.get<{ tables: number; ours: number }>(
    `SELECT (SELECT count(*) FROM sqlite_schema WHERE type = 'table') AS tables,
       (SELECT count(*) FROM pragma_table_info('migration') WHERE name IN ('name', 'kind', 'hash')) AS ours`,
  ) ?? { tables: 0, ours: 0 }
  if (tables === 0) return []
  if (ours !== 3) throw refused(database, kind, 'it belongs to another program')
  return database.all(`SELECT name, kind, hash FROM migration ORDER BY name`)
}

const historyTable = `CREATE TABLE migration (
  name TEXT PRIMARY KEY, kind TEXT NOT NULL, hash TEXT NOT NULL, applied_at TEXT NOT NULL DEFAULT (datetime('now'))
) STRICT`

function apply(database: Database, kind: string, migration: Migration): void {
  database.script(migration.sql)
  database.run(
    `INSERT INTO migration (name, kind, hash) VALUES (?, ?, ?)`,
    migration.name,
    kind,
    hash(migration),
  )
}

function hash(migration: Migration): string {
  return createHash('sha256').update(`${migration.name}\n${migration.sql}`).digest('hex')
}

function refused(
  database: Database,
  kind: string,
  why: string,
  hint = 'the file is left as it is; give another path',
) {
  return new IpamError('storage', `Cannot open "${database.path}" as a ${kind} database: ${why}`, { hint })
}
