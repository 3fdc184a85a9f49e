// A command run to its end: what whoever needs one is given. internal/linux has the real one.

export interface CommandResult {
  /** Exit status; 128 + signal when it was killed. */
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

/** Rejects only when the command could not be started at all. */
export type RunCommand = (command: string, args: readonly string[], input?: string) => Promise<CommandResult>
