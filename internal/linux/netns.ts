// Network namespaces as files.
import { statfsSync } from 'node:fs'

/** Filesystem type of namespace files (linux/magic.h: NSFS_MAGIC). */
const nsfsMagic = 0x6e736673

/** Is there a live network namespace at `path`? A leftover file whose mount is gone is none. */
export function isNetns(path: string): boolean {
  try {
    return statfsSync(path).type === nsfsMagic
  } catch {
    return false
  }
}
