// Reads an API answer field by field. What is missing or of another type is told by its place
// ("NetworkInterfaceSet[3].MacAddress"); fields that we do not use may be anything.
import { isDeeperThan, maxLevels } from '../wire/json.ts'

/** An answer that does not say what it must. */
export class MalformedAnswer extends Error {
  readonly place: string

  constructor(place: string, expected: string, value: unknown) {
    super(`field ${place} is ${show(value)} where ${expected} is needed`)
    this.name = 'MalformedAnswer'
    this.place = place
  }
}

export interface Answer {
  readonly place: string
  /** Not empty. */
  text(field: string): string
  /** Empty when the field is null or absent. */
  anyText(field: string): string
  /** A non-negative integer, also when it comes as decimal text. */
  count(field: string): number
  /** undefined when the field is null or absent. */
  optionalCount(field: string): number | undefined
  flag(field: string): boolean
  object(field: string): Answer
  /** undefined when the field is null or absent. */
  optionalObject(field: string): Answer | undefined
  /** Empty when the field is null. */
  objects(field: string): readonly Answer[]
  /** Empty when the field is null or absent. */
  optionalObjects(field: string): readonly Answer[]
  texts(field: string): readonly string[]
  /** The text in `field` as `parse` understands it. */
  parsed<T>(field: string, expected: string, parse: (text: string) => T | undefined): T
}

/** `value` as an object at `place`. */
export function readAnswer(value: unknown, place: string): Answer {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new MalformedAnswer(place, 'an object', value)
  }
  const fields = value as Readonly<Record<string, unknown>>
  const at = (field: string) => (place === '' ? field : `${place}.${field}`)

  function text(field: string): string {
    const found = fields[field]
    if (typeof found !== 'string' || found === '') throw new MalformedAnswer(at(field), 'text', found)
    return found
  }

  function list(field: string): readonly unknown[] {
    const found = fields[field]
    if (found === null) return []
    if (!Array.isArray(found)) throw new MalformedAnswer(at(field), 'a list', found)
    return found
  }

  function objects(field: string): readonly Answer[] {
    return list(field).map((item, i) => readAnswer(item, `${at(field)}[${i}]`))
  }

  function optionalObject(field: string): Answer | undefined {
    const found = fields[field]
    return found === null || found === undefined ? undefined : readAnswer(found, at(field))
  }

  function count(field: string): number {
    const found = fields[field]
    const n = typeof found === 'string' && /^\d{1,15}$/.test(found) ? Number(found) : found
    if (typeof n === 'number' && Number.isSafeInteger(n) && n >= 0) return n
    throw new MalformedAnswer(at(field), 'a count', found)
  }

  return {
    place,
    text,
    optionalObject,
    count,
    optionalCount: (field) =>
      fields[field] === null || fields[field] === undefined ? undefined : count(field),
    flag(field) {
      const found = fields[field]
      if (typeof found !== 'boolean') throw new MalformedAnswer(at(field), 'true or false', found)
      return found
    },
    object: (field) => readAnswer(fields[field], at(field)),
    objects,
    optionalObjects: (field) => (fields[field] === undefined ? [] : objects(field)),
    anyText(field) {
      const found = fields[field] ?? ''
      if (typeof found !== 'string') throw new MalformedAnswer(at(field), 'text', found)
      return found
    },
    texts(field) {
      return list(field).map((item, i) => {
        if (typeof item === 'string') return item
        throw new MalformedAnswer(`${at(field)}[${i}]`, 'text', item)
      })
    },
    parsed(field, expected, parse) {
      const parsed = parse(text(field))
      if (parsed === undefined) throw new MalformedAnswer(at(field), expected, fields[field])
      return parsed
    },
  }
}

function show(value: unknown): string {
  if (value === undefined) return 'missing'
  if (isDeeperThan(value, maxLevels)) return 'nested very deep'
  const json =
    JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? String(part) : part)) ?? 'unreadable'
  return json.length > 80 ? `${json.slice(0, 80)}…` : json
}
