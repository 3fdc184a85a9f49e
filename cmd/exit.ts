// How the program ends: the codes docs/cli.md promises, and what is printed when something fails.
import { IpamError } from '../internal/ipam/errors.ts'

export const exitCode = {
  ok: 0,
  failed: 1,
  /** The command line or a setting is wrong: nothing was done. */
  usage: 2,
  /** What was asked for does not exist. */
  notFound: 3,
  /** Stopped by a second signal, without finishing. */
  interrupted: 130,
} as const

/** Thrown by a command that has said all there is to say. */
export class Exit extends Error {
  readonly code: number

  constructor(code: number) {
    super(`exit ${code}`)
    this.name = 'Exit'
    this.code = code
  }
}

/** Tells a person what failed, on standard error; returns the exit code. */
export function reportFailure(error: unknown): number {
  if (error instanceof Exit) return error.code
  if (!(error instanceof IpamError)) {
    // A bug of ours: the stack is what a report needs.
    process.stderr.write(
      `tke-eni: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    )
    return exitCode.failed
  }
  process.stderr.write(`tke-eni: ${error.message}\n${error.hint === undefined ? '' : `  ${error.hint}\n`}`)
  if (error.code === 'bad_input') return exitCode.usage
  return error.code === 'not_found' ? exitCode.notFound : exitCode.failed
}
