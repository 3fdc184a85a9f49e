// Q5: what the executable weighs, how fast it starts, what its daemons take of memory.
import { statSync } from 'node:fs'
import { runCommand } from '../../../internal/linux/command.ts'
import type { Memory } from '../cni/measure.ts'
import type { Figure, Row } from '../figure.ts'
import { leaderMemory } from './leader-memory.ts'
import { startUpTimes } from './start-up.ts'

/** `memory` of the node agent; undefined when it could not be measured, and `note` says why. */
export async function measureExecutable(
  executable: string,
  directory: string,
  agent: { readonly memory: Memory | undefined; readonly notes: readonly string[] },
): Promise<Figure> {
  const node = process.execPath
  const [cni = 0, version = 0, bare = 0] = await startUpTimes([
    ['env', 'CNI_COMMAND=VERSION', executable, 'cni'],
    ['env', executable, 'version'],
    ['env', node, '-e', '0'],
  ])
  const reference = { what: 'node -e 0', value: bare }
  const ours = statSync(executable).size / 1e6
  const bareSize = { what: 'Node.js itself', value: statSync(await realPath(node)).size / 1e6 }
  const rows: Row[] = [
    { what: 'executable', value: ours, unit: 'MB', reference: bareSize },
    { what: 'start-up of CNI VERSION', value: cni, unit: 'ms', reference },
    { what: 'start-up of version', value: version, unit: 'ms', reference },
    ...memoryRows(agent.memory),
    {
      what: 'leader after its start, resident',
      value: await leaderMemory(executable, directory),
      unit: 'MB',
    },
  ]
  return { id: 'q5', title: 'the executable (start-up: median of 15)', rows, notes: agent.notes }
}

function memoryRows(memory: Memory | undefined): Row[] {
  if (memory === undefined) return []
  const reference = { what: 'before the first pod', value: memory.before }
  return [{ what: 'node agent with 250 pods, resident', value: memory.after, unit: 'MB', reference }]
}

async function realPath(path: string): Promise<string> {
  return (await runCommand('readlink', ['-f', path])).stdout.trim()
}
