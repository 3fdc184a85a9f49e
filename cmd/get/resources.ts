// What `tke-eni get` can get, and the words for it.
import { nearest } from '../../internal/base/nearest.ts'
import { IpamError } from '../../internal/ipam/errors.ts'

export const resources = [
  'vip',
  'vipc',
  'eip',
  'eipc',
  'nec',
  'eni',
  'node',
  'subnet',
  'intent',
  'history',
  'quarantine',
] as const

export type Resource = (typeof resources)[number]

export const describable = ['vip', 'vipc', 'eipc'] as const

export type Described = (typeof describable)[number]

const otherWords: Readonly<Record<string, Resource>> = {
  vips: 'vip',
  ip: 'vip',
  ips: 'vip',
  vpcip: 'vip',
  vpcips: 'vip',
  claim: 'vipc',
  claims: 'vipc',
  vipcs: 'vipc',
  vpcipclaim: 'vipc',
  vpcipclaims: 'vipc',
  eips: 'eip',
  eipcs: 'eipc',
  eipclaim: 'eipc',
  eipclaims: 'eipc',
  necs: 'nec',
  nodeeniconfig: 'nec',
  nodeeniconfigs: 'nec',
  enis: 'eni',
  no: 'node',
  nodes: 'node',
  subnets: 'subnet',
  intents: 'intent',
  histories: 'history',
  quarantined: 'quarantine',
  suspects: 'quarantine',
}

/** The resource that `word` means, in singular, plural or short. Throws `bad_input`. */
export function parseResource(word: string): Resource {
  const lower = word.toLowerCase()
  const found = resources.find((resource) => resource === lower) ?? otherWords[lower]
  if (found !== undefined) return found
  const near = nearest(lower, [...resources, ...Object.keys(otherWords)])
  throw new IpamError(
    'bad_input',
    `Cannot get "${word}": there is no such resource${near === undefined ? '' : `, did you mean "${near}"?`}`,
    { hint: `there are ${resources.join(', ')}` },
  )
}
