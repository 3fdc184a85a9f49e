// Brings a database forward, one hashed migration per transaction; refuses a changed past and a newer file.
import { createHash } from 'node:crypto'
import { IpamError } from '../ipam/errors.ts'
import type { Database } from './database.ts'

/** `name` is "0001_init"; names are in order and never change, nor does `sql` once released. */
export interface Migration {
  readonly name: string
  readonly sql: string
}

/** Throws `storage` when the file is of another kind, newer than us, or its history is not ours. */
export function migrate(database: Database, kind: string, migrations: readonly Migration[]): void {
  const tables = database.all<{ name: string }>(`SELECT name FROM sqlite_schema WHERE type = 'table'`)
  if (tables.length > 0 && !tables.some(({ name }) => name === 'migration')) {
    throw refused(database, kind, 'it belongs to another program')
  }
  database.transaction(() => {
    if (tables.length === 0) database.run(historyTable)
    const applied = database.all<{ name: string; kind: string; hash: string }>(
      `SELECT name, kind, hash FROM migration ORDER BY name`,
    )
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
    for (const migration of migrations.slice(applied.length)) apply(database, kind, migration)
  })
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
