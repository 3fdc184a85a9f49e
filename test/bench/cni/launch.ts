// Runs launch.sh: many calls of a plugin, each with its time.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { runCommand } from '../../../internal/linux/command.ts'

export interface Plugin {
  readonly executable: string
  /** File with the network configuration. */
  readonly config: string
  /** Folder for what it prints. */
  readonly answers: string
}

export interface Launch {
  readonly command: 'ADD' | 'DEL' | 'VERSION'
  readonly how: 'alone' | 'together'
  /** The first sandbox, and how many. */
  readonly first: number
  readonly count: number
}

/** Milliseconds of each call. Throws with the plugin's own words when one fails. */
export async function launch(plugin: Plugin, { command, how, first, count }: Launch): Promise<number[]> {
  const script = join(import.meta.dirname, 'launch.sh')
  const { executable, config, answers } = plugin
  const args = [script, executable, config, answers, command, how, String(first), String(count)]
  const { stdout, stderr } = await runCommand('bash', args)
  const rows = stdout.trim().split('\n')
  const opened = /^open (\d+)$/m.exec(stdout)?.[1]
  const calls = rows.filter((row) => /^\d/.test(row)).map((row) => row.split(' ').map(Number))
  const failed = calls.find(([, status]) => status !== 0)
  if (calls.length !== count || failed !== undefined) {
    const said = failed === undefined ? stderr : readFileSync(join(answers, String(failed[0])), 'utf8')
    throw new Error(`Cannot measure ${executable}: its ${command} failed: ${said.trim() || stderr.trim()}`)
  }
  return calls.map(([, , begin = 0, end = 0]) => (end - Number(opened ?? begin)) / 1000)
}
