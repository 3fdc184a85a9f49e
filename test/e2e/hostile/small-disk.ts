// A disk of a few megabytes under one directory, which a test fills up to the last byte and empties again.
import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { ballastOf, mountDisk } from './own-mounts.ts'

const size = 16 * 1024 * 1024

export interface SmallDisk {
  /** Returns how many bytes it took. */
  fill(): number
  free(): void
}

/** Mounts it at `path`, a folder. Only inside own mounts. */
export async function smallDisk(path: string): Promise<SmallDisk> {
  await mountDisk(path, size)
  const ballast = ballastOf(path)
  return {
    fill() {
      const file = openSync(ballast, 'a')
      try {
        return [65_536, 4096, 1].reduce((sum, chunk) => sum + writeUntilFull(file, Buffer.alloc(chunk)), 0)
      } finally {
        closeSync(file)
      }
    },
    free: () => rmSync(ballast, { force: true }),
  }
}

function writeUntilFull(file: number, chunk: Uint8Array): number {
  for (let sum = 0; ; ) {
    try {
      sum += writeSync(file, chunk)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return sum
      throw error
    }
  }
}
