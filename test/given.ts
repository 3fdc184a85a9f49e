// Values that a test writes down as text; what is malformed is a mistake in the test.
import assert from 'node:assert/strict'
import { type Cidr, parseCidr } from '../internal/value/cidr.ts'
import { type Ipv4, parseIpv4 } from '../internal/value/ipv4.ts'
import { type Mac, parseMac } from '../internal/value/mac.ts'

export const ip = (text: string): Ipv4 => known(parseIpv4(text))
export const ips = (...texts: readonly string[]): Ipv4[] => texts.map(ip)
export const cidr = (text: string): Cidr => known(parseCidr(text))
export const mac = (text: string): Mac => known(parseMac(text))

/** 10.0.1.n */
export const nth = (n: number): Ipv4 => ip(`10.0.1.${n}`)

/** The value, which must be there. */
export function known<T>(value: T | undefined): T {
  assert.ok(value !== undefined)
  return value
}
