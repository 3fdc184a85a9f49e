// Copies of a database as files: a backup beside the running daemon, and the exchange of one file for another.
import {
  chownSync,
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { dirname, resolve } from 'node:path'
import { IpamError } from '../ipam/errors.ts'
import type { Database } from './database.ts'
import { storageFault } from './faults.ts'

/** What SQLite keeps beside a database. */
const besides = ['-wal', '-shm', '-journal'] as const

/**
 * Writes what is committed at this moment to `file`, for its owner alone, on disk when this returns. Its daemon is not kept waiting.
 * Throws `bad_input` when `file` is there already, `storage`.
 */
export function backUp(database: Database, file: string): void {
  refuseExisting(file)
  const part = `${file}.part-${process.pid}`
  try {
    closeSync(openSync(part, 'wx', 0o600)) // SQLite writes into an empty file, and leaves its mode
    database.run(`VACUUM INTO ?`, part)
    syncPath(part)
    linkSync(part, file) // unlike a rename, it takes nobody's place
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') refuseExisting(file)
    // What the database says of a full disk is said of the copy's.
    const fault = cause instanceof IpamError && cause.cause !== undefined ? cause.cause : cause
    throw storageFault(fault, `back "${database.path}" up to "${file}"`, file)
  } finally {
    rmSync(part, { force: true })
  }
  syncPath(dirname(resolve(file)))
}

function refuseExisting(file: string): void {
  if (!existsSync(file)) return
  throw new IpamError('bad_input', `Cannot back up to "${file}": there is a file already`, {
    hint: 'give the name of a file that is not there; nothing is ever written over',
  })
}

/** Makes `to` a private copy of `from`, on disk when this returns. Throws `storage`. */
export function copyPrivately(from: string, to: string): void {
  inWords(`copy "${from}" to "${to}"`, to, () => {
    rmSync(to, { force: true }) // of an attempt that was interrupted
    closeSync(openSync(to, 'wx', 0o600))
    copyFileSync(from, to)
    syncPath(to)
  })
}

/**
 * Renames a database that nobody has open. The file goes first: what its log says must never be missing from a file that still
 * has its name. Returns what it is called now: `wanted`, with a number after it when that is taken. Throws `storage`.
 */
export function moveAside(path: string, wanted: string): string {
  const to = freeName(wanted)
  inWords(`move "${path}" to "${to}"`, path, () => {
    if (existsSync(path)) renameSync(path, to)
    for (const end of besides) if (existsSync(path + end)) renameSync(path + end, to + end)
    syncPath(dirname(path))
  })
  return to
}

/** A rename would write over what is there: two in one second have one time stamp. */
function freeName(wanted: string): string {
  const isTaken = (name: string) => ['', ...besides].some((end) => existsSync(name + end))
  let name = wanted
  for (let i = 2; isTaken(name); i++) name = `${wanted}-${i}`
  return name
}

/** Gives a file that SQLite has closed the name of a database that was moved aside. Throws `storage`. */
export function moveIn(from: string, path: string): void {
  inWords(`move "${from}" to "${path}"`, path, () => {
    ownAsDirectory(from)
    syncPath(from)
    for (const end of besides) rmSync(from + end, { force: true })
    renameSync(from, path)
    syncPath(dirname(path))
  })
}

/** What root makes beside a daemon that runs as another user is that user's. Nothing for others. */
export function ownAsDirectory(path: string): void {
  if (process.geteuid?.() !== 0) return
  const { gid, uid } = statSync(dirname(path))
  chownSync(path, uid, gid)
}

function inWords(doing: string, path: string, work: () => void): void {
  try {
    work()
  } catch (cause) {
    throw storageFault(cause, doing, path)
  }
}

function syncPath(path: string): void {
  const file = openSync(path, 'r')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
