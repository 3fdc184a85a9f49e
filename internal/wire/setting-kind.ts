// The kinds of values a setting can have: read from the text of a flag, a variable or YAML, and named for people.
import { type Ipv4, parseIpv4 } from '../value/ipv4.ts'
import { type Millis, parseDuration } from '../value/millis.ts'
import type { JsonObject } from './json.ts'

const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'
const subdomain = `${label}(\\.${label})*`

export interface Kind<T> {
  /** What is accepted, after "wanted is". */
  readonly wants: string
  /** Stands for the value in help. */
  readonly placeholder: string
  /** JSON Schema of the value in a YAML file. */
  readonly schema: JsonObject
  /** Takes several texts. */
  readonly many?: true
  /** A flag that may stand without a value. */
  readonly bare?: true
  /** The value, or undefined when the text is not of this kind. */
  parse(text: string): T | undefined
}

/** Any text but the empty one. */
export const text: Kind<string> = {
  wants: 'a text',
  placeholder: 'text',
  schema: { type: 'string', minLength: 1 },
  parse: (value) => value,
}

/** A name of a Kubernetes object as most must be: a DNS subdomain of RFC 1123. */
/** A DNS label of RFC 1123, such as the name of a namespace. */
export function isDnsLabel(text: string): boolean {
  return text.length <= 63 && new RegExp(`^${label}$`).test(text)
}

export const kubeName: Kind<string> = {
  wants: 'a Kubernetes name (at most 253 lower case letters, digits, "-" and ".", such as node-1.example)',
  placeholder: 'name',
  schema: { type: 'string', pattern: `^${subdomain}$`, maxLength: 253 },
  parse: (value) => (value.length <= 253 && new RegExp(`^${subdomain}$`).test(value) ? value : undefined),
}

export function integer(min: number, max: number): Kind<number> {
  return {
    wants: `a whole number from ${min} to ${max}`,
    placeholder: 'n',
    schema: { type: 'integer', minimum: min, maximum: max },
    parse(value) {
      const number = /^-?\d{1,15}$/.test(value) ? Number(value) : Number.NaN
      return number >= min && number <= max ? number : undefined
    },
  }
}

/** `min` and `max` as people write them: "1s", "1h". */
export function duration(min: string, max: string): Kind<Millis> {
  return {
    wants: `a duration from ${min} to ${max} (such as 90s or 2m)`,
    placeholder: 'duration',
    schema: { type: 'string', pattern: '^(0|(\\d+(ms|s|m|h|d))+)$' },
    parse(value) {
      const millis = parseDuration(value)
      if (millis === undefined || millis < (parseDuration(min) ?? 0)) return undefined
      return millis <= (parseDuration(max) ?? 0) ? millis : undefined
    },
  }
}

export const bool: Kind<boolean> = {
  wants: 'true or false',
  placeholder: 'true|false',
  schema: { type: 'boolean' },
  bare: true,
  parse: (value) => (value === 'true' ? true : value === 'false' ? false : undefined),
}

export function choice<const T extends string>(...values: readonly T[]): Kind<T> {
  return {
    wants: `one of ${values.join(', ')}`,
    placeholder: values.join('|'),
    schema: { enum: values },
    parse: (value) => values.find((known) => known === value),
  }
}

export const absolutePath: Kind<string> = {
  wants: 'an absolute path',
  placeholder: 'path',
  schema: { type: 'string', pattern: '^/' },
  parse: (value) => (value.startsWith('/') && !value.includes('\0') ? value : undefined),
}

/** Without TLS: what it names is on this machine or next to it. */
export const httpUrl: Kind<string> = {
  wants: 'an http:// URL without a path',
  placeholder: 'url',
  schema: { type: 'string', pattern: '^http://' },
  parse(value) {
    const url = URL.parse(value)
    return url?.protocol === 'http:' && url.pathname === '/' && !url.search ? url.origin : undefined
  },
}

export const ipv4: Kind<Ipv4> = {
  wants: 'an IPv4 address (such as 10.0.0.5)',
  placeholder: 'address',
  schema: { type: 'string', format: 'ipv4' },
  parse: parseIpv4,
}

export interface ListenAddress {
  readonly host: string
  readonly port: number
}

export const listenAddress: Kind<ListenAddress> = {
  wants: 'an address and a port (such as 127.0.0.1:61678)',
  placeholder: 'host:port',
  schema: { type: 'string', pattern: '^.+:\\d+$' },
  parse(value) {
    const [, bracketed, plain, digits] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(value) ?? []
    const port = Number(digits)
    const host = bracketed ?? plain
    return host !== undefined && port <= 65_535 ? { host, port } : undefined
  },
}

/** Several values: a YAML list, or texts with commas between them. */
export function list<T>(kind: Kind<T>): Kind<readonly T[]> {
  return {
    wants: `${kind.wants}, or several with commas between them`,
    placeholder: `${kind.placeholder},…`,
    schema: { type: 'array', items: kind.schema, minItems: 1 },
    many: true,
    parse(value) {
      const items = value.split(',').map((item) => (item.trim() === '' ? undefined : kind.parse(item.trim())))
      return items.every((item) => item !== undefined) ? items : undefined
    },
  }
}
