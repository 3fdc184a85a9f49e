// Is there room on a disk that was full? Only a write tells: quotas and limits show nowhere else.
import { closeSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs'

/** A few hundred writes' worth: with less the next ones would find it full again. */
const enough = Buffer.alloc(256 * 1024)

/** Writes beside the database, and takes it away again. */
export function hasRoom(database: string): boolean {
  if (database === ':memory:') return true
  const path = `${database}-room`
  try {
    const file = openSync(path, 'w', 0o600)
    try {
      const written = writeSync(file, enough)
      fsyncSync(file)
      return written === enough.length
    } finally {
      closeSync(file)
      rmSync(path)
    }
  } catch {
    return false
  }
}
