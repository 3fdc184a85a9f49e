// Network namespaces as files, and commands in them.
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

/** The command line that runs `command` in the namespace at `path`; mounts (and with them /sys) stay as they are. */
export function inNetns(path: string, command: string, args: readonly string[] = []): [string, string[]] {
  return ['nsenter', [`--net=${path}`, '--', command, ...args]]
}
