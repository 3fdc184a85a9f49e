// Which database is meant, and what it is.
import { existsSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { IpamError } from '../../internal/ipam/errors.ts'
import { ownAsDirectory } from '../../internal/sqlite/backup.ts'
import { lockFile } from '../../internal/sqlite/lock-file.ts'
import type { Migration } from '../../internal/sqlite/migrate.ts'
import { leaderMigrations, nodeMigrations } from '../../migrations/index.ts'

export interface Place {
  readonly db: string | undefined
  readonly stateDir: string
}

export type Kind = 'leader' | 'node'

export const migrationsOf: Readonly<Record<Kind, readonly Migration[]>> = {
  leader: leaderMigrations,
  node: nodeMigrations,
}

const kinds: readonly Kind[] = ['leader', 'node']

/** The one with --db, else those of the state directory. Throws `not_found` when there is none. */
export function databasesAt({ db, stateDir }: Place): readonly string[] {
  if (db !== undefined) {
    if (existsSync(db)) return [db]
    throw new IpamError('not_found', `Cannot find "${db}": there is no such file`)
  }
  const found = kinds.map((kind) => pathOf(kind, stateDir)).filter((path) => existsSync(path))
  if (found.length > 0) return found
  throw new IpamError(
    'not_found',
    `Cannot find a database: "${stateDir}" has neither leader.db nor node.db`,
    {
      hint: "give the daemon's state directory with --state-dir, or a file with --db",
    },
  )
}

/** The only one there is. Throws `bad_input` when there are two. */
export function databaseAt(place: Place): string {
  const [first, second] = databasesAt(place)
  if (first !== undefined && second === undefined) return first
  throw new IpamError('bad_input', `Cannot choose a database: "${place.stateDir}" has two`, {
    hint: `say which: --db ${first} or --db ${second}`,
  })
}

export function pathOf(kind: Kind, stateDir: string): string {
  return join(stateDir, `${kind}.db`)
}

/** By its name: the file may be past telling. Throws `bad_input` for another name than daemons use. */
export function kindByName(path: string): Kind {
  const kind = kinds.find((each) => basename(path) === `${each}.db`)
  if (kind !== undefined) return kind
  throw new IpamError('bad_input', `Cannot replace "${path}": no daemon uses that name`, {
    hint: 'daemons use leader.db and node.db of their state directory',
  })
}

/** Runs `work` while no daemon can start on the database. Throws `storage` when one runs. */
export function whileLocked<T>(path: string, kind: Kind, work: () => T): T {
  const file = join(dirname(path), `${kind}.lock`)
  const lock = lockFile(file, `stop the daemon first: systemctl stop tke-eni-${kind}`)
  try {
    ownAsDirectory(file)
    return work()
  } finally {
    lock.release()
  }
}

/** For names of files: 20260131T120000Z. */
export function stamp(at: number): string {
  return new Date(at).toISOString().replaceAll(/[-:]|\.\d+/g, '')
}
