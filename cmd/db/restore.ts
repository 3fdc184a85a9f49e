// `tke-eni db restore`: a backup takes the place of the database.
import { existsSync, rmSync } from 'node:fs'
import { systemClock } from '../../internal/base/clock.ts'
import { IpamError } from '../../internal/ipam/errors.ts'
import { copyPrivately, moveAside, moveIn } from '../../internal/sqlite/backup.ts'
import { openDatabase } from '../../internal/sqlite/database.ts'
import { markRestored } from '../../internal/store/mark-restored.ts'
import { checkDatabase } from './check.ts'
import { type Kind, kindByName, migrationsOf, type Place, pathOf, stamp, whileLocked } from './place.ts'

const next: Readonly<Record<Kind, string>> = {
  leader:
    'at its next start the leader reads ENIs and addresses anew from the cloud, Kubernetes and the NECs before it serves',
  node: 'at its next start the node agent compares it with the kernel before it serves',
}

/** Throws `bad_input`, `not_found`, `storage`; then all is as before. */
export function restoreDatabase(place: Place, backup: string): void {
  const kind = kindOfBackup(backup)
  const path = place.db ?? pathOf(kind, place.stateDir)
  if (kindByName(path) !== kind) {
    throw new IpamError('bad_input', `Cannot restore "${backup}" to "${path}": it is a ${kind} database`)
  }
  const at = stamp(systemClock.now())
  const aside = `${path}.replaced-${at}`
  whileLocked(path, kind, () => {
    const copy = `${path}.restoring`
    try {
      copyPrivately(backup, copy)
      const db = openDatabase({ path: copy, kind, migrations: migrationsOf[kind] })
      try {
        markRestored(db, kind, at)
      } finally {
        db.close()
      }
      if (existsSync(path)) {
        process.stdout.write(`${moveAside(path, aside)}: the database so far\n`)
      }
      moveIn(copy, path)
    } finally {
      for (const end of ['', '-wal', '-shm']) rmSync(copy + end, { force: true })
    }
  })
  process.stdout.write(`${path}: from "${backup}"; ${next[kind]}\n`)
}

/** Throws `storage` when the backup is not sound, as check finds it. */
function kindOfBackup(backup: string): Kind {
  if (!existsSync(backup)) throw new IpamError('not_found', `Cannot find "${backup}": there is no such file`)
  const { findings, kind } = checkDatabase(backup)
  const wrong = findings.find(({ found }) => found.length > 0)
  if (kind !== undefined && wrong === undefined) return kind
  throw new IpamError('storage', `Cannot restore "${backup}": it is not sound: ${wrong?.found[0]}`, {
    hint: `see "tke-eni db check --db ${backup}"; nothing was changed`,
  })
}
