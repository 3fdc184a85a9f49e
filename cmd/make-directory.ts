// Directories that settings name: made with their parents, or refused in a sentence.
import { existsSync, mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { IpamError } from '../internal/ipam/errors.ts'

/**
 * Makes `directory` and its parents where they are missing; throws what the file system throws. mkdirSync's own `recursive`
 * never returns where a directory exists and takes no other, as /proc.
 */
export function makeDirectory(directory: string, mode: number): void {
  try {
    mkdirSync(directory, mode)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return
    if (code !== 'ENOENT' || existsSync(dirname(directory))) throw error
    makeDirectory(dirname(directory), mode)
    makeDirectory(directory, mode)
  }
}

/** As makeDirectory, for one that we cannot do without. Throws `storage`. */
export function needDirectory(directory: string): void {
  try {
    makeDirectory(directory, 0o755)
    if (!statSync(directory).isDirectory()) throw new Error('it is not a directory')
  } catch (cause) {
    throw new IpamError('storage', `Cannot use directory "${directory}": ${(cause as Error).message}`, {
      cause,
    })
  }
}
