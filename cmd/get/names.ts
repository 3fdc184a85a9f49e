// The names on the command line: are they well formed, and was each of them found?
import { IpamError } from '../../internal/ipam/errors.ts'
import { parseIpv4 } from '../../internal/value/ipv4.ts'
import type { View } from './view.ts'

export const addressOrPod = {
  wants: 'an IPv4 address or the namespace/name of a pod',
  matches: (name: string) => parseIpv4(name) !== undefined || /^[^/]+\/[^/]+$/.test(name),
}

/** Throws `bad_input`. */
export function checkNames(
  { one, nameForm }: Pick<View<never>, 'one' | 'nameForm'>,
  names: readonly string[],
): void {
  const wrong = nameForm && names.find((name) => !nameForm.matches(name))
  if (nameForm === undefined || wrong === undefined) return
  throw new IpamError('bad_input', `Cannot look for ${one} "${wrong}": it is not ${nameForm.wants}`)
}

/** Throws `not_found` for the names that no item answers to. */
export function requireNames<Item>(
  { one, many, answersTo }: View<Item>,
  names: readonly string[],
  items: readonly Item[],
  place: string,
): void {
  const missing = names.filter((name) => !items.some((item) => answersTo(item, name)))
  if (missing.length === 0) return
  const quoted = missing.map((name) => `"${name}"`).join(', ')
  throw new IpamError(
    'not_found',
    `Cannot find ${missing.length === 1 ? one : many} ${quoted}: ${missing.length === 1 ? 'it is' : 'they are'} not in ${place}`,
  )
}
