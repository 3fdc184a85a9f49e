// The harness's side of crash-folder.ts: says where processes of a test build shall die, and hears where they did.
import { mkdirSync, openSync, readdirSync, readSync, renameSync, rmSync, writeFileSync } from 'node:fs'
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
  /** A moment, for `passed`. */
  now(): number
  /** Where they have been since then, each time they were, in order. */
  passed(since: number): readonly string[]
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
  const journal = followLines(join(folder, files.journal))

  function disarm(): void {
    for (const name of readdirSync(folder)) {
      if (name.startsWith(files.armed(''))) rmSync(join(folder, name), { force: true })
    }
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
    deaths: () => pointsOf(journal(), ['died']),
    reached(since = -1) {
      const lines = journal()
      const deaths = lines.flatMap((line, at) => (line.startsWith('died ') ? [at] : []))
      return pointsOf(lines.slice(deaths[since] ?? 0), ['reached'])
    },
    now: () => journal().length,
    passed: (since) => pointsOf(journal().slice(since), ['reached', 'passed']),
  }
}

function pointsOf(lines: readonly string[], whats: readonly string[]): readonly string[] {
  return lines.flatMap((line) => {
    const [what = '', point = ''] = line.split(' ')
    return whats.includes(what) ? [point] : []
  })
}

/** All whole lines of a file that grows, at each call. */
function followLines(path: string): () => readonly string[] {
  const file = openSync(path, 'a+')
  const buffer = Buffer.alloc(65_536)
  const lines: string[] = []
  let at = 0
  let rest = ''
  return () => {
    for (let read = -1; read !== 0; at += read) {
      read = readSync(file, buffer, 0, buffer.length, at)
      const parts = (rest + buffer.toString('latin1', 0, read)).split('\n')
      rest = parts.pop() ?? ''
      lines.push(...parts)
    }
    return lines
  }
}
