// What `ip -force -batch -` answered, line by line. Pure.
import type { LaneAnswer } from './lane.ts'

/** One line for `ip -batch`, and failures that mean "it is so already". */
export interface BatchLine {
  readonly text: string
  readonly tolerates?: RegExp
}

export interface BatchResult {
  /** Index of each line that failed (tolerated or not) with what `ip` said. */
  readonly failures: ReadonlyMap<number, string>
  /** Set when `ip` gave up: lines after some point were not tried. Holds its last words. */
  readonly aborted: string | undefined
}

export const exists = /File exists|already assigned/
export const absent =
  /No such file or directory|No such process|No such device|Cannot find device|does not exist|FIB table does not exist|Cannot assign requested address/

/** Failures per line. `ip` prints the reason and then "Command failed -:<line>"; some commands exit at once instead. */
export function readBatch(answer: LaneAnswer): BatchResult {
  const failures = new Map<number, string>()
  let said: string[] = []
  for (const row of answer.output.split('\n')) {
    const failed = /^Command failed -:(\d+)$/.exec(row)
    if (failed === null) {
      if (row !== '' && !row.startsWith('[')) said.push(row)
      continue
    }
    failures.set(Number(failed[1]) - 1, said.join('; '))
    said = []
  }
  const gaveUp = answer.status > 1 || (answer.status === 1 && failures.size === 0)
  return { failures, aborted: gaveUp ? said.join('; ') || `exit status ${answer.status}` : undefined }
}

/** The first failure that is not tolerated, or why `ip` gave up. */
export function firstFault(lines: readonly BatchLine[], result: BatchResult): string | undefined {
  for (const [index, { text, tolerates }] of lines.entries()) {
    const said = result.failures.get(index)
    if (said !== undefined && !tolerates?.test(said)) return `"ip ${text}": ${said}`
  }
  return result.aborted
}

/** The JSON each line of an `ip -json` batch printed; undefined for a line that failed. */
export function readJson(lines: readonly string[], answer: LaneAnswer): readonly unknown[] {
  const { failures } = readBatch(answer)
  // The last document may lack its newline, with what stderr said glued to it or in front of it.
  const documents = answer.output.split('\n').flatMap((row) => {
    const json = /^\[.*\]/.exec(row)?.[0]
    return json === undefined ? [] : [JSON.parse(json) as unknown]
  })
  let next = 0
  return lines.map((_, index) => (failures.has(index) ? undefined : documents[next++]))
}
