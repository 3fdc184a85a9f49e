// The harness's side of crash-folder.ts: says where processes of a test build shall die, and hears where they did.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { crashFolder, files } from './crash-folder.ts'

export interface Arming {
  /** For each role: its first process that gets to one of these points dies there, once. What was armed before is not any more. */
  arm(points: Iterable<string>): void
  disarm(): void
  /** Where processes died, in order. */
  deaths(): readonly string[]
  /** Where they have been. */
  reached(): ReadonlySet<string>
}

/** For the processes of `executable`, which must be alone with it. */
export function createArming(executable: string): Arming {
  const folder = crashFolder(executable)
  mkdirSync(folder, { recursive: true })

  function disarm(): void {
    for (const name of readdirSync(folder)) {
      if (name.startsWith(files.armed(''))) rmSync(join(folder, name), { force: true })
    }
  }

  function lines(name: string): readonly string[] {
    const path = join(folder, name)
    return existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : []
  }

  return {
    arm(points) {
      disarm()
      for (const [name, armed] of Map.groupBy(points, files.armed)) {
        const path = join(folder, name)
        writeFileSync(`${path}.new`, armed.join('\n'))
        renameSync(`${path}.new`, path) // a process sees all of it or nothing
      }
    },
    disarm,
    deaths: () => lines(files.died),
    reached: () => new Set(lines(files.reached)),
  }
}
