// The harness's side of crash-folder.ts: says where processes of a test build shall die, and hears where they did.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { LeaderSettings } from '../../internal/leader/settings.ts'
import type { NodeSettings } from '../../internal/node/settings.ts'
import { crashFolder, files } from './crash-folder.ts'

export interface Arming {
  /** For each role: its first process that gets to one of these points dies there, once. What was armed before is not any more. */
  arm(points: Iterable<string>): void
  disarm(): void
  /** Where processes died, in order. */
  deaths(): readonly string[]
  /** Where they have been, each process once, in order; since the n-th death (from 0) when given. */
  reached(since?: number): readonly string[]
}

export interface Waits {
  readonly leader: Partial<LeaderSettings>
  readonly node: Partial<NodeSettings>
}

/** For the processes of `executable`, which must be alone with it; `waits` are settings of theirs that no flag has. */
export function createArming(executable: string, { leader = {}, node = {} }: Partial<Waits> = {}): Arming {
  const folder = crashFolder(executable)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, files.waits('leader')), JSON.stringify(leader))
  writeFileSync(join(folder, files.waits('node')), JSON.stringify(node))

  function disarm(): void {
    for (const name of readdirSync(folder)) {
      if (name.startsWith(files.armed(''))) rmSync(join(folder, name), { force: true })
    }
  }

  function journal(): readonly string[] {
    const path = join(folder, files.journal)
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
    deaths: () => pointsOf(journal(), 'died'),
    reached(since = -1) {
      const lines = journal()
      const deaths = lines.flatMap((line, at) => (line.startsWith('died ') ? [at] : []))
      return pointsOf(lines.slice(deaths[since] ?? 0), 'reached')
    },
  }
}

function pointsOf(lines: readonly string[], what: 'reached' | 'died'): readonly string[] {
  return lines.flatMap((line) => (line.startsWith(`${what} `) ? [line.slice(what.length + 1)] : []))
}
