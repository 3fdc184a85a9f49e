// `tke-eni db backup`: a consistent copy of a live database.
import { rmSync } from 'node:fs'
import { IpamError } from '../../internal/ipam/errors.ts'
import { backUp } from '../../internal/sqlite/backup.ts'
import { openReadonly } from '../../internal/sqlite/open-readonly.ts'
import { checkDatabase } from './check.ts'
import { databaseAt, migrationsOf, type Place } from './place.ts'

/** Throws `not_found`, `bad_input`, `storage`; a copy that is not sound is not left. */
export function backUpDatabase(place: Place, file: string): void {
  const path = databaseAt(place)
  const opened = openReadonly(path, migrationsOf)
  try {
    backUp(opened.database, file)
  } finally {
    opened.close()
  }
  const wrong = checkDatabase(file).findings.find(({ check, found }) => isOfFile(check) && found.length > 0)
  if (wrong !== undefined) {
    rmSync(file, { force: true })
    throw new IpamError('storage', `Cannot back "${path}" up: the copy is not sound: ${wrong.found[0]}`, {
      hint: 'see "tke-eni db check"',
    })
  }
  process.stdout.write(`${file}: ${opened.kind} database "${path}" as it is now\n`)
}

/** A mistake in what is stored is for `check` to tell: a copy of it is still a copy. */
function isOfFile(check: string): boolean {
  return check === 'opens' || check === 'integrity'
}
