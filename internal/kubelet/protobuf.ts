// Protocol buffers, as far as the kubelet's small messages need them: texts, whole numbers, yes or no, lists, and messages in
// messages. What a field's number is not known for is skipped, as the encoding wants it.

export interface Codec<T> {
  encode(value: T): Buffer
  /** Throws RangeError when the bytes are cut off. */
  decode(bytes: Buffer): T
}

type Raw = Buffer | number

/** One field of a message: its number, and how its occurrences are read and written. */
interface Field<T> {
  readonly number: number
  read(found: readonly Raw[]): T
  write(value: T): readonly Raw[]
}

type Fields = Readonly<Record<string, Field<unknown>>>
type ValueOf<F extends Fields> = { readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never }

/** What a codec reads and writes. */
export type Message<C> = C extends Codec<infer T> ? T : never

export function message<F extends Fields>(fields: F): Codec<ValueOf<F>> {
  return {
    encode: (value) =>
      Buffer.concat(
        Object.entries(fields).flatMap(([name, field]) =>
          field.write(value[name]).flatMap((raw) => writeField(field.number, raw)),
        ),
      ),
    decode(bytes) {
      const found = readFields(bytes)
      const read = ([name, field]: [string, Field<unknown>]) => [
        name,
        field.read(found.get(field.number) ?? []),
      ]
      return Object.fromEntries(Object.entries(fields).map(read)) as ValueOf<F>
    },
  }
}

export function text(number: number): Field<string> {
  return {
    number,
    read: (found) => toText(found.at(-1)),
    write: (value) => (value === '' ? [] : [Buffer.from(value)]),
  }
}

/** Not below zero, and small: counts. */
export function whole(number: number): Field<number> {
  return { number, read: (found) => toNumber(found.at(-1)), write: (value) => (value === 0 ? [] : [value]) }
}

export function flag(number: number): Field<boolean> {
  return { number, read: (found) => toNumber(found.at(-1)) !== 0, write: (value) => (value ? [1] : []) }
}

export function texts(number: number): Field<readonly string[]> {
  return {
    number,
    read: (found) => found.map(toText),
    write: (values) => values.map((each) => Buffer.from(each)),
  }
}

export function messages<T>(number: number, codec: Codec<T>): Field<readonly T[]> {
  return {
    number,
    read: (found) => found.map((raw) => codec.decode(toBytes(raw))),
    write: (values) => values.map(codec.encode),
  }
}

/** A message in the message: as if empty when it is absent. */
export function inner<T>(number: number, codec: Codec<T>): Field<T> {
  return {
    number,
    read: (found) => codec.decode(toBytes(found.at(-1))),
    write: (value) => [codec.encode(value)],
  }
}

function toBytes(raw: Raw | undefined): Buffer {
  return typeof raw === 'object' ? raw : Buffer.alloc(0)
}

function toText(raw: Raw | undefined): string {
  return toBytes(raw).toString('utf8')
}

function toNumber(raw: Raw | undefined): number {
  return typeof raw === 'number' ? raw : 0
}

function writeField(number: number, raw: Raw): readonly Buffer[] {
  if (typeof raw === 'number') return [varint(number * 8), varint(raw)]
  return [varint(number * 8 + 2), varint(raw.length), raw]
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) + 0x80)
  return Buffer.from([...bytes, rest])
}

function readFields(bytes: Buffer): ReadonlyMap<number, Raw[]> {
  const found = new Map<number, Raw[]>()
  let at = 0
  const take = (length: number): Buffer => {
    if (at + length > bytes.length) throw new RangeError('Cannot read the message: it is cut off')
    at += length
    return bytes.subarray(at - length, at)
  }
  const readVarint = (): number => {
    let value = 0
    for (let scale = 1; ; scale *= 0x80) {
      const byte = take(1)[0] ?? 0
      value += (byte % 0x80) * scale
      if (byte < 0x80) return value
    }
  }
  while (at < bytes.length) {
    const tag = readVarint()
    const raw = readRaw(tag % 8, readVarint, take)
    const number = Math.floor(tag / 8)
    if (raw !== undefined) put(found, number, raw)
  }
  return found
}

/** Undefined for fixed-width numbers, which none of the messages has. */
function readRaw(wire: number, readVarint: () => number, take: (length: number) => Buffer): Raw | undefined {
  if (wire === 0) return readVarint()
  if (wire === 2) return take(readVarint())
  if (wire !== 1 && wire !== 5)
    throw new RangeError(`Cannot read the message: wire type ${wire} is not known`)
  take(wire === 1 ? 8 : 4)
  return undefined
}

function put(found: Map<number, Raw[]>, number: number, raw: Raw): void {
  const known = found.get(number)
  if (known === undefined) found.set(number, [raw])
  else known.push(raw)
}
