// Directories and database files for tests, gone when the test file ends.
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import type { Migration } from '../../internal/sqlite/migrate.ts'

const made: string[] = []
after(() => {
  for (const directory of made) rmSync(directory, { recursive: true, force: true })
})

export function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'tke-eni-sqlite-'))
  made.push(directory)
  return directory
}

export const migrations: readonly Migration[] = [
  {
    name: '0001_init',
    sql: 'CREATE TABLE thing (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;',
  },
  { name: '0002_more', sql: 'ALTER TABLE thing ADD COLUMN size INTEGER NOT NULL DEFAULT 0;' },
]

/** What a refused file must keep: its bytes and its mode. */
export function contentOf(path: string): { readonly bytes: string; readonly mode: number } {
  return { bytes: readFileSync(path, 'latin1'), mode: statSync(path).mode & 0o777 }
}

/** Turns over every bit of `count` bytes. */
export function flipBytes(path: string, from: number, count: number): void {
  const bytes = readFileSync(path)
  for (let i = from; i < from + count; i++) bytes[i] = 0xff ^ (bytes[i] ?? 0)
  writeFileSync(path, bytes)
}
