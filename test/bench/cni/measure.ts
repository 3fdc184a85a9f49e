// Measures the plugin and the node agent in a sandbox of its own: processes, namespaces and packets of this machine's kernel,
// and nothing of its network.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { runCommand } from '../../../internal/linux/command.ts'
import { sandboxFault, startSandbox } from '../../../internal/linux/sandbox.ts'

export interface CniTask {
  readonly executable: string
  readonly directory: string
  /** 0: no times are wanted. */
  readonly rounds: number
  /** With a node full of pods. */
  readonly memory: boolean
}

type Samples = Record<string, readonly number[]>

/** Milliseconds by kind of call ("ADD alone"). `reference` is empty when those plugins are not installed. */
export interface CniSamples {
  readonly ours: Samples
  readonly reference: Samples
  /** VERSION: a plugin that starts, and asks nobody. */
  readonly start: Samples
  /** From request to answer, without a plugin. */
  readonly agent: Samples
}

/** Resident megabytes of the node agent: without pods, and full. */
export interface Memory {
  readonly before: number
  readonly after: number
}

export interface CniMeasurement {
  readonly samples: CniSamples
  readonly memory: Memory | undefined
}

/** Throws an Error with the reason where namespaces are not allowed. */
export async function measureCni(
  task: Omit<CniTask, 'directory'>,
  directory: string,
): Promise<CniMeasurement> {
  const fault = await sandboxFault(runCommand)
  if (fault !== undefined) throw new Error(`Cannot measure CNI calls: ${fault}`)
  const own = join(directory, 'cni')
  mkdirSync(own)
  const sandbox = startSandbox({
    command: process.execPath,
    args: [join(import.meta.dirname, 'inside.ts')],
    stdio: 'pipe',
  })
  const { stdin, stdout, stderr } = sandbox.streams
  stdin?.end(JSON.stringify({ ...task, directory: own } satisfies CniTask))
  const said = Promise.all([stdout === null ? '' : text(stdout), stderr === null ? '' : text(stderr)])
  const status = await sandbox.exited
  const [output, complaints] = await said
  if (status !== 0) throw new Error(`Cannot measure CNI calls: ${complaints.trim()}`)
  return JSON.parse(output) as CniMeasurement
}
