// Request parameters: what an action takes, as a value that reads unknown JSON and says what is wrong with it
// in the API's codes. Types are inferred from it, so that no action casts.
import { ApiError } from './api-error.ts'

export interface Shape<T> {
  /** Throws ApiError InvalidParameter*, MissingParameter or UnknownParameter. */
  read(value: unknown, path: string): T
  /** The JSON that a GET request's text means; left alone when it means none. */
  fromText(value: unknown): unknown
}

export interface Optional<T> {
  readonly optional: Shape<T>
}

type Fields = Readonly<Record<string, Shape<unknown> | Optional<unknown>>>
type Read<F extends Fields> = {
  readonly [K in keyof F as F[K] extends Shape<unknown> ? K : never]: F[K] extends Shape<infer T> ? T : never
} & {
  readonly [K in keyof F as F[K] extends Optional<unknown> ? K : never]?: F[K] extends Optional<infer T>
    ? T
    : never
}

export function optional<T>(shape: Shape<T>): Optional<T> {
  return { optional: shape }
}

interface TextLimits {
  /** In bytes of UTF-8. */
  readonly max?: number
  readonly oneOf?: readonly string[]
}

export function text({ max, oneOf }: TextLimits = {}): Shape<string> {
  return {
    read(value, path) {
      if (typeof value !== 'string') throw wrongType(path, 'string')
      if (max !== undefined && Buffer.byteLength(value) > max)
        throw new ApiError('InvalidParameterValue.TooLong', `The value of \`${path}\` is longer than ${max}.`)
      if (oneOf !== undefined && !oneOf.includes(value))
        throw new ApiError('InvalidParameterValue', `The value \`${value}\` of \`${path}\` is not supported.`)
      return value
    },
    fromText: (value) => value,
  }
}

/** An id as "eni-0a1b2c3d"; `code` of one that is none. */
/** `length`: characters after the prefix, as a regular expression counts. */
export function id(prefix: string, code = 'InvalidParameterValue.Malformed', length = '8'): Shape<string> {
  return {
    read(value, path) {
      if (typeof value !== 'string') throw wrongType(path, 'string')
      if (!new RegExp(`^${prefix}-[0-9a-z]{${length}}$`).test(value))
        throw new ApiError(code, `The value \`${value}\` of \`${path}\` is malformed.`)
      return value
    },
    fromText: (value) => value,
  }
}

export function integer(min = 0, max = Number.MAX_SAFE_INTEGER): Shape<number> {
  return {
    read(value, path) {
      if (typeof value !== 'number' || !Number.isInteger(value)) throw wrongType(path, 'integer')
      if (value < min || value > max)
        throw new ApiError(
          'InvalidParameterValue.Range',
          `The value ${value} of \`${path}\` is not in ${min}..${max}.`,
        )
      return value
    },
    fromText: (value) => (typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value),
  }
}

export function number(min: number, max: number): Shape<number> {
  return {
    read(value, path) {
      if (typeof value !== 'number') throw wrongType(path, 'number')
      if (value < min || value > max)
        throw new ApiError(
          'InvalidParameterValue.Range',
          `The value ${value} of \`${path}\` is not in ${min}..${max}.`,
        )
      return value
    },
    fromText: (value) => value,
  }
}

export function oneOf<const T extends string>(...names: readonly T[]): Shape<T> {
  return {
    read(value, path) {
      const found = names.find((name) => name === value)
      if (found === undefined)
        throw new ApiError(
          'InvalidParameterValue',
          `The value of \`${path}\` must be one of ${names.join(', ')}.`,
        )
      return found
    },
    fromText: (value) => value,
  }
}

/** An integer sent as text: Offset and Limit of DescribeSubnets. */
export function integerText(min: number, max: number): Shape<number> {
  const number = integer(min, max)
  return {
    read(value, path) {
      if (typeof value !== 'string') throw wrongType(path, 'string')
      if (!/^\d+$/.test(value))
        throw new ApiError(
          'InvalidParameterValue.Malformed',
          `The value \`${value}\` of \`${path}\` is malformed.`,
        )
      return number.read(Number(value), path)
    },
    fromText: (value) => value,
  }
}

export function flag(): Shape<boolean> {
  return {
    read(value, path) {
      if (typeof value !== 'boolean') throw wrongType(path, 'boolean')
      return value
    },
    fromText: (value) => (value === 'true' ? true : value === 'false' ? false : value),
  }
}

export function list<T>(item: Shape<T>, max: number): Shape<readonly T[]> {
  return {
    read(value, path) {
      if (!Array.isArray(value)) throw wrongType(path, 'array')
      if (value.length > max)
        throw new ApiError('InvalidParameterValue.LimitExceeded', `\`${path}\` has more than ${max} values.`)
      return value.map((one, i) => item.read(one, `${path}.${i}`))
    },
    fromText: (value) => (Array.isArray(value) ? value.map((one) => item.fromText(one)) : value),
  }
}

export function record<F extends Fields>(fields: F): Shape<Read<F>> {
  return {
    read(value, path) {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrongType(path, 'object')
      const given = new Map(Object.entries(value))
      for (const name of given.keys())
        if (!Object.hasOwn(fields, name)) throw unknown(join(path, name), fields)
      const read: Record<string, unknown> = {}
      for (const [name, field] of Object.entries(fields)) {
        const one = given.get(name) ?? undefined // null means absent
        if (one !== undefined) read[name] = shapeOf(field).read(one, join(path, name))
        else if (!('optional' in field)) throw missing(join(path, name))
      }
      return read as Read<F>
    },
    fromText(value) {
      if (typeof value !== 'object' || value === null) return value
      return Object.fromEntries(
        Object.entries(value).map(([name, one]) => {
          const field = Object.hasOwn(fields, name) ? fields[name] : undefined
          return [name, field === undefined ? one : shapeOf(field).fromText(one)]
        }),
      )
    },
  }
}

/** An object with values of one shape under any name. */
export function perName<T>(shape: Shape<T>): Shape<Readonly<Record<string, T>>> {
  return {
    read(value, path) {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrongType(path, 'object')
      return Object.fromEntries(
        Object.entries(value).map(([name, one]) => [name, shape.read(one, join(path, name))]),
      )
    },
    fromText: (value) => value,
  }
}

function shapeOf(field: Shape<unknown> | Optional<unknown>): Shape<unknown> {
  return 'optional' in field ? field.optional : field
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}

export function missing(path: string): ApiError {
  return new ApiError('MissingParameter', `The request is missing a required parameter \`${path}\`.`)
}

function wrongType(path: string, want: string): ApiError {
  return new ApiError('InvalidParameter', `The parameter \`${path}\` is not of type ${want}.`)
}

function unknown(path: string, fields: Fields): ApiError {
  const name = path.slice(path.lastIndexOf('.') + 1).toLowerCase()
  const near = Object.keys(fields).find(
    (one) => one.toLowerCase() === name || `${name}s` === one.toLowerCase(),
  )
  return near === undefined
    ? new ApiError('UnknownParameter', `The parameter \`${path}\` is not recognized.`)
    : new ApiError(
        'UnknownParameter.WithGuess',
        `The parameter \`${path}\` is not recognized, did you mean \`${near}\`?`,
      )
}
