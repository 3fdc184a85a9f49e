// Writes DER, the form of certificates: as much of it as ours need. Nothing is read here.
import type { Millis } from '../../value/millis.ts'

const tags = { boolean: 1, integer: 2, bits: 3, bytes: 4, oid: 6, utf8: 12, utc: 23, time: 24 } as const

export function sequence(...parts: readonly Uint8Array[]): Buffer {
  return element(0x30, ...parts)
}

export function set(...parts: readonly Uint8Array[]): Buffer {
  return element(0x31, ...parts)
}

/** Context-specific, around other elements. */
export function explicit(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  return element(0xa0 + tag, ...parts)
}

/** Context-specific, in place of the type that the schema names. */
export function implicit(tag: number, content: Uint8Array): Buffer {
  return element(0x80 + tag, content)
}

export const yes = element(tags.boolean, Buffer.of(0xff))

/** Not negative; `value` as bytes, the highest first. */
export function integer(value: Uint8Array | number): Buffer {
  const bytes = typeof value === 'number' ? Buffer.of(value) : value
  const start = bytes.findIndex((byte) => byte !== 0)
  const digits = start < 0 ? Buffer.of(0) : bytes.subarray(start)
  return element(tags.integer, (digits[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), digits]) : digits)
}

export function bitString(bytes: Uint8Array, unusedBits = 0): Buffer {
  return element(tags.bits, Buffer.of(unusedBits), bytes)
}

export function octetString(bytes: Uint8Array): Buffer {
  return element(tags.bytes, bytes)
}

export function utf8(text: string): Buffer {
  return element(tags.utf8, Buffer.from(text, 'utf8'))
}

/** "2.5.29.17" */
export function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number)
  return element(tags.oid, Buffer.from([first * 40 + second, ...rest].flatMap(base128)))
}

/** Whole seconds; years from 2050 on have four digits (RFC 5280, 4.1.2.5). */
export function time(at: Millis): Buffer {
  const digits = `${new Date(at).toISOString().slice(0, 19).replaceAll(/[-T:]/g, '')}Z`
  const short = digits < '2050'
  return element(short ? tags.utc : tags.time, Buffer.from(short ? digits.slice(2) : digits, 'latin1'))
}

function base128(value: number): number[] {
  const bytes = [value % 128]
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128))
    bytes.unshift((rest % 128) + 128)
  return bytes
}

function element(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts)
  return Buffer.concat([Buffer.of(tag), length(content.length), content])
}

function length(value: number): Buffer {
  if (value < 128) return Buffer.of(value)
  const bytes: number[] = []
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256)
  return Buffer.from([0x80 + bytes.length, ...bytes])
}
