// A copy of a database in memory, as a backup would have it.
import { type Database, openDatabase } from '../../../internal/sqlite/database.ts'
import type { Migration } from '../../../internal/sqlite/migrate.ts'

/** `tables` in an order in which their references hold. */
export function copyDatabase(
  from: Database,
  kind: string,
  migrations: readonly Migration[],
  tables: readonly string[],
): Database {
  const to = openDatabase({ path: ':memory:', kind, migrations })
  // Rows come as they are: what happened when they were made happens no more.
  const triggers = to.all<{ name: string; sql: string }>(
    `SELECT name, sql FROM sqlite_master WHERE type = 'trigger'`,
  )
  for (const { name } of triggers) to.run(`DROP TRIGGER ${name}`)
  for (const table of tables) {
    to.run(`DELETE FROM ${table}`)
    const columns = from
      .all<{ name: string }>(`SELECT name FROM pragma_table_info(?)`, table) // without generated ones
      .map(({ name }) => `"${name}"`)
    const insert = `INSERT INTO ${table} (${columns.join()}) VALUES (${columns.map(() => '?').join()})`
    for (const row of from.all(`SELECT ${columns.join()} FROM ${table}`))
      to.run(insert, ...Object.values(row))
  }
  for (const { sql } of triggers) to.script(sql)
  return to
}
