// Kernel settings of our own network namespace, through /proc/sys. Keys are spelt as in sysctl-keys.ts.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { IpamError } from '../ipam/errors.ts'

export interface Sysctls {
  /** undefined when there is no such setting (the link is gone). */
  read(key: string): string | undefined
  /** Throws `kernel`. */
  write(key: string, value: string): void
}

/** The settings below `procRoot` (/proc). Files of a few bytes in memory: read and written in place. */
export function createSysctls(procRoot: string): Sysctls {
  const path = (key: string): string =>
    join(procRoot, 'sys', ...key.split('.').map((part) => part.replaceAll('/', '.')))
  return {
    read(key) {
      try {
        return readFileSync(path(key), 'latin1').trim()
      } catch {
        return undefined
      }
    },
    write(key, value) {
      try {
        writeFileSync(path(key), value)
      } catch (cause) {
        throw new IpamError('kernel', `Cannot set sysctl ${key} to ${value}: ${(cause as Error).message}`, {
          cause,
        })
      }
    },
  }
}
