// The name of a claim as it is typed: that of its pod, with or without the namespace. It becomes part of a path, so it is checked.
import { IpamError } from '../../internal/ipam/errors.ts'
import { isDnsLabel, kubeName } from '../../internal/wire/setting-kind.ts'

/** How claims of a kind are spoken of. */
export interface ClaimWords {
  readonly noun: string
  /** In paths. */
  readonly resource: string
  /** What a claim has: its field in the status, and the word for it. */
  readonly field: string
  readonly thing: string
  readonly command: string
}

export const claimWords = {
  vipc: {
    ...{ noun: 'claim', resource: 'vpcipclaims', field: 'vpcIP', thing: 'address' },
    command: 'tke-eni get vipc',
  },
  eipc: {
    ...{ noun: 'EIP claim', resource: 'eipclaims', field: 'publicIP', thing: 'EIP' },
    command: 'tke-eni get eipc',
  },
} as const satisfies Readonly<Record<string, ClaimWords>>

export interface ClaimName {
  readonly namespace: string
  readonly name: string
}

/** Of "name", which is in `namespace`, or "namespace/name". Throws `bad_input`. */
export function parseClaimName(text: string, namespace: string): ClaimName {
  const [first = '', second, ...more] = text.split('/')
  const found = second === undefined ? { namespace, name: first } : { namespace: first, name: second }
  if (more.length === 0 && isDnsLabel(found.namespace) && kubeName.parse(found.name) !== undefined)
    return found
  const given = text.includes('/') ? `"${text}"` : `"${text}" in namespace "${namespace}"`
  throw new IpamError(
    'bad_input',
    `Cannot delete claim ${given}: that is neither a name nor namespace/name`,
    {
      hint: `wanted are the pod's: a name of at most 253 lower case letters, digits, "-" and ".", a namespace of at most 63 without "."`,
    },
  )
}

export function claimText({ namespace, name }: ClaimName): string {
  return `${namespace}/${name}`
}
