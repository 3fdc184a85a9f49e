// better-sqlite3's native part, out of the executable and onto the disk, because the kernel loads it from a file only.
// The directory is ours alone (0700, our own, no link); the file is compared with the executable's copy at every start and
// put in place by a rename, so that any number of starts at once, and of versions, do no harm to each other.
import { createHash, randomUUID } from 'node:crypto'
import { lstatSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { IpamError } from '../internal/ipam/errors.ts'
import { useNativeBinding } from '../internal/sqlite/native-binding.ts'
import type { Host } from './host.ts'
import { makeDirectory } from './make-directory.ts'

/** To be called before the first database is opened. Throws `storage` when there is no place for the library. */
export function prepareSqlite(host: Host): void {
  const library = host.nativeLibrary()
  if (library !== undefined) useNativeBinding(extractNative(library, process.env))
}

type Environment = Readonly<Record<string, string | undefined>>

/** Path of a file that holds `content` and can be loaded. Throws `storage` when there is no place for it. */
export function extractNative(content: Buffer, env: Environment): string {
  const name = `better_sqlite3-${createHash('sha256').update(content).digest('hex').slice(0, 16)}.node`
  const faults: string[] = []
  for (const directory of candidates(env)) {
    try {
      const path = join(directory, name)
      takeDirectory(directory)
      if (!holds(path, content)) place(path, content)
      process.dlopen({ exports: {} }, path) // a file system mounted noexec shows only now
      return path
    } catch (error) {
      faults.push(`${directory}: ${(error as Error).message}`)
    }
  }
  throw new IpamError(
    'storage',
    `Cannot unpack the SQLite library: no directory can take it (${faults.join('; ')})`,
    { hint: 'set TKE_ENI_CACHE_DIR to a directory that you own, on a file system that allows programs' },
  )
}

function candidates(env: Environment): readonly string[] {
  const own = env['TKE_ENI_CACHE_DIR']
  if (own) return [own]
  return [
    ...(env['CACHE_DIRECTORY'] ? [env['CACHE_DIRECTORY'].split(':')[0] ?? ''] : []), // systemd's CacheDirectory=
    ...(env['XDG_CACHE_HOME'] ? [join(env['XDG_CACHE_HOME'], 'tke-eni')] : []),
    ...home(),
    join(tmpdir(), `tke-eni-${process.getuid?.() ?? 0}`),
  ]
}

function home(): readonly string[] {
  try {
    return [join(homedir(), '.cache', 'tke-eni')]
  } catch {
    return [] // a user without an entry in the password file
  }
}

function takeDirectory(directory: string): void {
  makeDirectory(directory, 0o700)
  const found = lstatSync(directory)
  if (!found.isDirectory()) throw new Error('it is not a directory')
  if (found.uid !== process.getuid?.()) throw new Error('it belongs to somebody else')
  if ((found.mode & 0o022) !== 0) throw new Error('others may write to it')
}

function holds(path: string, content: Buffer): boolean {
  try {
    return readFileSync(path).equals(content)
  } catch {
    return false
  }
}

function place(path: string, content: Buffer): void {
  const temporary = `${path}.${randomUUID()}`
  try {
    writeFileSync(temporary, content, { mode: 0o500, flag: 'wx' })
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}
