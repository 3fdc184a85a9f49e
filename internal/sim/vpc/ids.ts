// Names that the cloud makes up: resource ids, request ids, MACs; and how it prints time.
import { type Random, randomInt } from '../../base/random.ts'
import type { Millis } from '../../value/millis.ts'

const letters = '0123456789abcdefghijklmnopqrstuvwxyz'

/** "eni-" and eight letters. */
export function newId(random: Random, prefix: string): string {
  let name = ''
  for (let i = 0; i < 8; i++) name += letters[randomInt(random, 0, letters.length - 1)]
  return `${prefix}-${name}`
}

/** A version 4 UUID. */
export function newUuid(random: Random): string {
  const hex = hexDigits(random, 30)
  const variant = '89ab'[randomInt(random, 0, 3)]
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(12, 15)}-${variant}${hex.slice(15, 18)}-${hex.slice(18)}`
}

/** Upper case, as the API prints it: 52:54:00 for an instance's own link, 20:90:6F for other ENIs. */
export function newMac(random: Random, primary: boolean): string {
  const hex = hexDigits(random, 6).toUpperCase()
  return `${primary ? '52:54:00' : '20:90:6F'}:${hex.slice(0, 2)}:${hex.slice(2, 4)}:${hex.slice(4)}`
}

export function hexDigits(random: Random, count: number): string {
  let hex = ''
  for (let i = 0; i < count; i++) hex += letters[randomInt(random, 0, 15)]
  return hex
}

/** "2026-01-31 08:00:00" in UTC+8, as the VPC API prints time. */
export function vpcTime(at: Millis): string {
  return new Date(at + 8 * 3_600_000).toISOString().slice(0, 19).replace('T', ' ')
}
