// Where a leader is asked on its own machine.
import { join } from 'node:path'

/** The socket of a leader's state directory: whoever may open it may do everything. */
export function claimsSocket(stateDir: string): string {
  return join(stateDir, 'leader.sock')
}
