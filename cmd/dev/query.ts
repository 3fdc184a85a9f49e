// One look into a database of the dev cluster, beside its writer.
import { openDatabase, type SqlValue } from '../../internal/sqlite/database.ts'

/** Throws `storage` as long as the database is being made. */
export function query<T>(
  path: string,
  kind: 'leader' | 'node',
  sql: string,
  ...values: readonly SqlValue[]
): readonly T[] {
  const db = openDatabase({ path, kind, migrations: [], readonly: true })
  try {
    return db.all<T>(sql, ...values)
  } finally {
    db.close()
  }
}
