// Describes as of a while ago. While they are wanted, triggers write for each change the statement that undoes it;
// a stale describe undoes what is too young inside a savepoint, reads, and rolls back.
import type { Database } from '../../sqlite/database.ts'
import type { Millis } from '../../value/millis.ts'

const tables = ['vpc', 'subnet', 'instance_type', 'instance', 'eni', 'ip', 'reservation', 'eip', 'tag']

/** Starts recording; what happened before stays unknown. */
export function recordPast(db: Database): void {
  for (const table of tables) for (const trigger of triggersOf(db, table)) db.script(trigger)
}

export function forgetPast(db: Database): void {
  for (const table of tables)
    for (const event of ['insert', 'update', 'delete'])
      db.script(`DROP TRIGGER IF EXISTS undo_${table}_${event}`)
  db.run('DELETE FROM undo')
}

/** Says when the changes to come happen. */
export function stampMoment(db: Database, at: Millis): void {
  db.run('UPDATE moment SET at = ?', at)
}

export function prunePast(db: Database, before: Millis): void {
  db.run('DELETE FROM undo WHERE at <= ?', before)
}

/** What `read` finds in the world as it was at `at`. */
export function readPast<T>(db: Database, at: Millis, read: () => T): T {
  const result: { value?: T } = {}
  try {
    db.transaction(() => {
      db.script('PRAGMA defer_foreign_keys = ON') // statement by statement the past does not add up
      const undo = db.all<{ sql: string }>('SELECT sql FROM undo WHERE at > ? ORDER BY seq DESC', at)
      for (const { sql } of undo) db.script(sql)
      result.value = read()
      throw backToThePresent
    })
  } catch (error) {
    if (error !== backToThePresent) throw error
  }
  return result.value as T
}

const backToThePresent = new Error('rolled back after reading the past')

function triggersOf(db: Database, table: string): string[] {
  const columns = db
    .all<{ name: string }>(`SELECT name FROM pragma_table_info('${table}')`)
    .map((c) => c.name)
  const names = columns.map((name) => `"${name}"`).join(', ')
  const values = columns.map((name) => `quote(old."${name}")`).join(` || ', ' || `)
  const sets = columns.map((name) => `'"${name}" = ' || quote(old."${name}")`).join(` || ', ' || `)
  const trigger = (event: string, sql: string) =>
    `CREATE TRIGGER IF NOT EXISTS undo_${table}_${event} AFTER ${event} ON ${table} BEGIN
       INSERT INTO undo (at, sql) SELECT at, ${sql} FROM moment;
     END`
  return [
    trigger('insert', `'DELETE FROM ${table} WHERE rowid = ' || new.rowid`),
    trigger('update', `'UPDATE ${table} SET ' || ${sets} || ' WHERE rowid = ' || old.rowid`),
    trigger(
      'delete',
      columns.includes('seq') // its own rowid
        ? `'INSERT INTO ${table} (${names}) VALUES (' || ${values} || ')'`
        : `'INSERT INTO ${table} (rowid, ${names}) VALUES (' || old.rowid || ', ' || ${values} || ')'`,
    ),
  ]
}
