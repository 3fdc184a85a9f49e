// Network namespaces as files, and commands in them.
import { readlinkSync, statfsSync } from 'node:fs'
import { join } from 'node:path'

/** Filesystem type of namespace files (linux/magic.h: NSFS_MAGIC). */
const nsfsMagic = 0x6e736673

/** Where runtimes keep network namespaces: CRI runtimes and `ip netns`, and Docker. */
export const netnsDirectories: readonly string[] = ['/run/netns', '/var/run/docker/netns']

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

/** Path of our own network namespace for a process in another one: there "self" would be that process. */
export function ownNetnsPath(procRoot: string): string {
  return join(procRoot, readlinkSync(join(procRoot, 'self')), 'ns/net')
}
