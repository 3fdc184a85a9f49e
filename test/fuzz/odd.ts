// Values and texts that no reader should take for what it wants. They go by name, so that an example of a failure stays short.
import fc from 'fast-check'

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** Stands for very many lists in each other, which only text can have: JSON.parse reads them, JSON.stringify cannot write them. */
const levelsMark = '@many levels@'
const levels = 50_000

/** `value` as JSON text. */
export function textOf(value: Json): string {
  return JSON.stringify(value).replaceAll(`"${levelsMark}"`, () => '['.repeat(levels) + ']'.repeat(levels))
}

const oddValues = {
  null: () => null,
  true: () => true,
  false: () => false,
  'a text': () => 'odd',
  'an empty text': () => '',
  'a text of control characters': () => '\0\x01\n\r\t\x7f\u2028\ufeff',
  'half a character': () => '\ud800',
  'a long text': () => 'x'.repeat(70_000),
  'a number as text': () => '5',
  zero: () => 0,
  'minus zero': () => -0,
  'minus one': () => -1,
  'a fraction': () => 1.5,
  'the largest safe number': () => Number.MAX_SAFE_INTEGER,
  'above every safe number': () => 2 ** 53,
  'the largest number': () => Number.MAX_VALUE,
  'the smallest number': () => 5e-324,
  'an empty list': () => [],
  'an empty object': () => ({}),
  'a list of null': () => [null],
  'a list of lists': () => [[], [[]]],
  'a long list': () => Array<Json>(20_000).fill(0),
  'an object that looks like a value': () =>
    JSON.parse('{"toString":1,"valueOf":null,"toJSON":[],"length":5}'),
  'an object with a prototype': () =>
    JSON.parse('{"__proto__":{"name":"x","ip":"10.0.0.1"},"constructor":{"prototype":{"x":1}}}'),
  'an object like a promise': () => JSON.parse('{"then":"x","catch":1}'),
  'many levels': () => levelsMark,
  'an object of many keys': () => Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`k${i}`, i])),
  'the name of a prototype': () => '__proto__',
  constructor: () => 'constructor',
  'an address': () => '10.0.1.7',
  'no address': () => '10.0.1.256',
  'address zero': () => '0.0.0.0',
  'an IPv6 address': () => 'fd00::1',
} satisfies Record<string, () => Json>

export type OddName = keyof typeof oddValues

export const oddName: fc.Arbitrary<OddName> = fc.constantFrom(...(Object.keys(oddValues) as OddName[]))

/** To be written by textOf(). */
export function oddPart(name: OddName): Json {
  return oddValues[name]()
}

export function oddValue(name: OddName): unknown {
  return JSON.parse(textOf(oddPart(name)))
}

/** Short texts: any characters, and what has a meaning somewhere. */
export const oddText: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ unit: 'grapheme-ascii', maxLength: 40 }),
  fc.constantFrom(
    '',
    ' ',
    '\n',
    '\0',
    '.',
    '..',
    '/',
    '//',
    '-',
    '--',
    '-1',
    '=',
    ';',
    '=;=',
    'a=b=c',
    '__proto__',
    'constructor',
    'null',
    'true',
    '0',
    'NaN',
    '1e999',
    '../../etc/passwd',
    '/proc/self/ns/net',
    'eth0\nlink del eth1',
    'eth0 master br0',
    'a#b',
    '"',
    "'",
    '\\',
    '%s%n',
    '$(reboot)',
    '\ud800',
    '\ufeff{}',
    'x'.repeat(5000),
  ),
)
