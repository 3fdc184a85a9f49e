// Wall time of short processes, from fork to wait.
import { runCommand } from '../../../internal/linux/command.ts'
import { median } from '../statistics.ts'

const runs = 15

// A shell for its quick fork and its clock; what it takes to start is not counted.
const script = `
begin=\${EPOCHREALTIME/./}
"$@" </dev/null >/dev/null 2>&1 || exit 1
end=\${EPOCHREALTIME/./}
echo $((end - begin))`

/** Median milliseconds of each of `commands`, run in turns. Throws when one fails. */
export async function startUpTimes(commands: readonly (readonly string[])[]): Promise<number[]> {
  const times = commands.map((): number[] => [])
  for (let run = 0; run <= runs; run += 1) {
    for (const [index, command] of commands.entries()) {
      const { status, stdout } = await runCommand('bash', ['-c', script, 'start-up', ...command])
      if (status !== 0) throw new Error(`Cannot measure "${command.join(' ')}": it failed`)
      if (run > 0) times[index]?.push(Number(stdout) / 1000) // the first one reads it from the disk
    }
  }
  return times.map(median)
}
