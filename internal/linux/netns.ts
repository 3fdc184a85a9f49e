// Network namespaces as files, and commands in them.
import { readdirSync, statfsSync } from 'node:fs'

/** Where `ip netns` and container runtimes keep namespaces. */
export const netnsFolder = '/run/netns'

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

/** Paths of the live namespaces below `folder`, sorted; none when there is no such folder. */
export function listNetns(folder = netnsFolder): readonly string[] {
  let names: string[]
  try {
    names = readdirSync(folder)
  } catch {
    return []
  }
  return names
    .toSorted((a, b) => (a < b ? -1 : 1))
    .map((name) => `${folder}/${name}`)
    .filter(isNetns)
}

/** The command line that runs `command` in the namespace at `path`; mounts (and with them /sys) stay as they are. */
export function inNetns(path: string, command: string, args: readonly string[] = []): [string, string[]] {
  return ['nsenter', [`--net=${path}`, '--', command, ...args]]
}
