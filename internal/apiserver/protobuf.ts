// Some of kubectl's commands send small built-in objects as protocol buffers. Those are read here, by their published
// field numbers; what is not in the tables is refused rather than lost.
import { formatTime } from '../value/millis.ts'
import type { Json, JsonObject } from './object.ts'

type FieldType =
  | 'text'
  | 'bytes'
  | 'number'
  | 'boolean'
  | 'time'
  | Message
  | { readonly map: 'text' | 'bytes' }
  | { readonly list: 'text' | Message }

interface Message {
  readonly [number: number]: readonly [name: string, type: FieldType]
}

const empty: Message = {}
const metadata: Message = {
  1: ['name', 'text'],
  2: ['generateName', 'text'],
  3: ['namespace', 'text'],
  4: ['selfLink', 'text'],
  5: ['uid', 'text'],
  6: ['resourceVersion', 'text'],
  7: ['generation', 'number'],
  8: ['creationTimestamp', 'time'],
  9: ['deletionTimestamp', 'time'],
  10: ['deletionGracePeriodSeconds', 'number'],
  11: ['labels', { map: 'text' }],
  12: ['annotations', { map: 'text' }],
  14: ['finalizers', { list: 'text' }],
}
const objectReference: Message = {
  1: ['kind', 'text'],
  2: ['namespace', 'text'],
  3: ['name', 'text'],
  4: ['uid', 'text'],
  5: ['apiVersion', 'text'],
  6: ['resourceVersion', 'text'],
  7: ['fieldPath', 'text'],
}
const accessReview: Message = {
  1: ['metadata', metadata],
  2: [
    'spec',
    {
      1: [
        'resourceAttributes',
        {
          1: ['namespace', 'text'],
          2: ['verb', 'text'],
          3: ['group', 'text'],
          4: ['version', 'text'],
          5: ['resource', 'text'],
          6: ['subresource', 'text'],
          7: ['name', 'text'],
          8: ['fieldSelector', empty],
          9: ['labelSelector', empty],
        },
      ],
      2: ['nonResourceAttributes', { 1: ['path', 'text'], 2: ['verb', 'text'] }],
    },
  ],
  3: [
    'status',
    {
      1: ['allowed', 'boolean'],
      2: ['reason', 'text'],
      3: ['evaluationError', 'text'],
      4: ['denied', 'boolean'],
    },
  ],
}

const kinds: Readonly<Record<string, Message>> = {
  'v1 Namespace': {
    1: ['metadata', metadata],
    2: ['spec', { 1: ['finalizers', { list: 'text' }] }],
    3: ['status', { 1: ['phase', 'text'] }],
  },
  'v1 ConfigMap': {
    1: ['metadata', metadata],
    2: ['data', { map: 'text' }],
    3: ['binaryData', { map: 'bytes' }],
    4: ['immutable', 'boolean'],
  },
  'v1 Secret': {
    1: ['metadata', metadata],
    2: ['data', { map: 'bytes' }],
    3: ['type', 'text'],
    4: ['stringData', { map: 'text' }],
    5: ['immutable', 'boolean'],
  },
  'v1 ServiceAccount': {
    1: ['metadata', metadata],
    2: ['secrets', { list: objectReference }],
    4: ['automountServiceAccountToken', 'boolean'],
  },
  'v1 Binding': { 1: ['metadata', metadata], 2: ['target', objectReference] },
  'authorization.k8s.io/v1 SelfSubjectAccessReview': accessReview,
  'authorization.k8s.io/v1 SelfSubjectRulesReview': {
    1: ['metadata', metadata],
    2: ['spec', { 1: ['namespace', 'text'] }],
    3: ['status', { 3: ['incomplete', 'boolean'] }],
  },
}
const deleteOptions: Message = {
  1: ['gracePeriodSeconds', 'number'],
  2: ['preconditions', { 1: ['uid', 'text'], 2: ['resourceVersion', 'text'] }],
  3: ['orphanDependents', 'boolean'],
  4: ['propagationPolicy', 'text'],
  5: ['dryRun', { list: 'text' }],
}

const magic = Buffer.from('k8s\0')

/** The object in a body of application/vnd.kubernetes.protobuf, or undefined when it is not one that can be read whole. */
export function parseProtobuf(body: Buffer): JsonObject | undefined {
  if (!body.subarray(0, 4).equals(magic)) return undefined
  try {
    const { type, raw } = envelope(body.subarray(4))
    const { apiVersion = '', kind = '' } = type as { apiVersion?: string; kind?: string }
    const name = `${apiVersion} ${kind}`
    const known = Object.hasOwn(kinds, name) ? kinds[name] : undefined
    const message = kind === 'DeleteOptions' ? deleteOptions : known
    return message === undefined ? undefined : { apiVersion, kind, ...readMessage(raw, message) }
  } catch {
    return undefined
  }
}

/** runtime.Unknown: the type of what is inside, and its bytes. */
function envelope(bytes: Buffer): { type: JsonObject; raw: Buffer } {
  let type: JsonObject = {}
  let raw: Buffer = Buffer.alloc(0)
  for (const { number, value } of fieldsIn(bytes)) {
    if (typeof value === 'number') continue
    if (number === 1) type = readMessage(value, { 1: ['apiVersion', 'text'], 2: ['kind', 'text'] })
    if (number === 2) raw = value
  }
  return { type, raw }
}

function readMessage(bytes: Buffer, message: Message): JsonObject {
  const object: JsonObject = {}
  for (const { number, value } of fieldsIn(bytes)) {
    const field = message[number]
    if (field === undefined) throw new RangeError(`field ${number} is not known`)
    const [name, type] = field
    const read = readValue(value, type, object[name])
    if (read !== undefined) object[name] = read
  }
  return object
}

function readValue(value: Buffer | number, type: FieldType, before: Json | undefined): Json | undefined {
  if (typeof value === 'number') return type === 'boolean' ? value !== 0 : value
  if (type === 'text') return value.length === 0 ? undefined : value.toString('utf8')
  if (type === 'bytes') return value.toString('base64')
  if (type === 'time') return readTime(value)
  if (typeof type === 'string') throw new RangeError(`a ${type} is not text`)
  if ('list' in type) {
    const item = type.list === 'text' ? value.toString('utf8') : readMessage(value, type.list as Message)
    return [...(Array.isArray(before) ? before : []), item]
  }
  if ('map' in type) {
    const entry = readMessage(value, { 1: ['key', 'text'], 2: ['value', type.map as FieldType] })
    return { ...(before as JsonObject | undefined), [String(entry['key'] ?? '')]: entry['value'] ?? '' }
  }
  return readMessage(value, type)
}

/** An absent time is written as an empty message. */
function readTime(bytes: Buffer): string | undefined {
  const seconds = fieldsIn(bytes).find(({ number }) => number === 1)?.value
  if (typeof seconds !== 'number' || seconds <= 0) return undefined
  return formatTime(seconds * 1000)
}

interface Field {
  readonly number: number
  readonly value: Buffer | number
}

function fieldsIn(bytes: Buffer): Field[] {
  const fields: Field[] = []
  let at = 0
  const varint = (): number => {
    let result = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at]
      if (byte === undefined || shift > 63n) throw new RangeError('a number is cut off')
      at += 1
      result |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return Number(BigInt.asIntN(64, result))
    }
  }
  while (at < bytes.length) {
    const tag = varint()
    if ((tag & 7) === 0) fields.push({ number: tag >>> 3, value: varint() })
    else if ((tag & 7) === 2) {
      const length = varint()
      if (length < 0 || at + length > bytes.length) throw new RangeError('a field is cut off')
      fields.push({ number: tag >>> 3, value: bytes.subarray(at, at + length) })
      at += length
    } else throw new RangeError(`wire type ${tag & 7} is not used by Kubernetes`)
  }
  return fields
}
