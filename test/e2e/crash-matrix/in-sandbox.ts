// A command inside the dev cluster's sandbox.
import { readlinkSync } from 'node:fs'
import type { DevHost } from '../../../cmd/dev/host-client.ts'
import { childOf, output } from '../service.ts'

/** What it printed. Throws when it fails. */
export function inSandbox({ pid }: DevHost, command: readonly string[]): Promise<string> {
  const target = childOf(pid) ?? pid
  const usersOf = (process: string | number) => readlinkSync(`/proc/${process}/ns/user`)
  // To enter one's own user namespace is refused.
  const user = usersOf('self') === usersOf(target) ? [] : ['--user', '--preserve-credentials']
  return output(['nsenter', `--target=${target}`, ...user, '--mount', '--net', '--', ...command])
}
