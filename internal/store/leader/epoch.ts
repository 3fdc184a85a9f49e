// The epoch of the last leader that wrote to the ledger. A file has one writer at a time; a copy of it, or one on a shared disk,
// may have two that know nothing of each other.
import { IpamError } from '../../ipam/errors.ts'
import type { Database } from '../../sqlite/database.ts'
import { readMeta, writeMeta } from '../meta.ts'

/** 0 when nobody has written yet, or only a version without epochs. */
export function readEpoch(db: Database): number {
  return Number(readMeta(db, 'epoch') ?? 0)
}

/** Notes that a leader of `epoch` writes. Throws `deposed` when one of a later epoch has. */
export function enterEpoch(db: Database, epoch: number): void {
  const last = readEpoch(db)
  if (last === epoch) return
  if (last > epoch) {
    throw new IpamError('deposed', `Cannot write to "${db.path}" in epoch ${epoch}: it is of epoch ${last}`)
  }
  writeMeta(db, 'epoch', String(epoch))
}
