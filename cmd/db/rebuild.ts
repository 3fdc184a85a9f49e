// `tke-eni db rebuild`: a database that is lost or damaged is moved aside, and its daemon makes a new one from what there is.
import { systemClock } from '../../internal/base/clock.ts'
import { moveAside } from '../../internal/sqlite/backup.ts'
import { databaseAt, type Kind, kindByName, type Place, stamp, whileLocked } from './place.ts'

const next: Readonly<Record<Kind, string>> = {
  leader:
    'at its next start the leader makes a new one from the cloud, Kubernetes and the NECs before it serves; pods keep running',
  node: 'at its next start the node agent makes a new one from its NEC and the kernel; pods keep their network',
}

/** Throws `not_found`, `bad_input`, `storage`. */
export function rebuildDatabase(place: Place): void {
  const path = databaseAt(place)
  const kind = kindByName(path)
  const wanted = `${path}.damaged-${stamp(systemClock.now())}`
  const aside = whileLocked(path, kind, () => moveAside(path, wanted))
  process.stdout.write(`${aside}: the database so far\n${path}: ${next[kind]}\n`)
}
