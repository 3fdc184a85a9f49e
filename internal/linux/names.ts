// Words that go into `ip` lines must be one word there: names of links and paths of namespaces come from outside.
import { IpamError } from '../ipam/errors.ts'

/** Throws `bad_input` when `name` cannot be a link's name. */
export function requireLinkName(name: string): void {
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.@-]{0,14}$/.test(name))
    throw new IpamError(
      'bad_input',
      `Cannot use link name "${name}": expected 1 to 15 letters, digits or _.@-`,
    )
}

/** Throws `bad_input` when `path` cannot be a network namespace's path. */
export function requireNetnsPath(path: string): void {
  if (!/^\/[A-Za-z0-9_.:@%+=,/-]+$/.test(path))
    throw new IpamError('bad_input', `Cannot use network namespace "${path}": expected an absolute path`)
}
