// Filters of describe actions, as SQL conditions over JSON lists of values: all filters must hold, one value of each.
import type { SqlValue } from '../../sqlite/database.ts'
import { ApiError } from './api-error.ts'
import { list, record, text } from './shape.ts'

export interface Filter {
  readonly Name: string
  readonly Values: readonly string[]
}

/** The Filters parameter. */
export const filterList = list(record({ Name: text(), Values: list(text(), 100) }), 10)

export interface Condition {
  readonly sql: string
  readonly values: readonly SqlValue[]
}

/** The condition of one filter name; `?` in it is a JSON list of its values. */
export type Conditions = Readonly<Record<string, string | ((values: readonly string[]) => Condition)>>

/** `column` is one of the values. */
export function isOneOf(column: string): string {
  return `${column} IN (SELECT value FROM json_each(?))`
}

/** Throws InvalidParameter.FilterInvalidKey. */
export function conditionOf(filters: readonly Filter[], known: Conditions, resource: string): Condition {
  const parts = filters.map((filter) => one(filter, known, resource))
  return {
    sql: parts.length === 0 ? 'TRUE' : parts.map(({ sql }) => `(${sql})`).join(' AND '),
    values: parts.flatMap(({ values }) => values),
  }
}

function one({ Name, Values }: Filter, known: Conditions, resource: string): Condition {
  const values = JSON.stringify(Values)
  if (Name === 'tag-key')
    return { sql: `${resource} IN (SELECT resource FROM tag WHERE ${isOneOf('key')})`, values: [values] }
  if (Name.startsWith('tag:'))
    return {
      sql: `${resource} IN (SELECT resource FROM tag WHERE key = ? AND ${isOneOf('value')})`,
      values: [Name.slice(4), values],
    }
  const condition = Object.hasOwn(known, Name) ? known[Name] : undefined
  if (condition === undefined)
    throw new ApiError('InvalidParameter.FilterInvalidKey', `The filter \`${Name}\` is not supported.`)
  return typeof condition === 'string' ? { sql: condition, values: [values] } : condition(Values)
}

/** Ids and filters exclude each other. Throws InvalidParameter.Coexist. */
export function refuseBoth(ids: readonly string[] | undefined, filters: readonly Filter[] | undefined): void {
  if (ids !== undefined && ids.length > 0 && filters !== undefined && filters.length > 0)
    throw new ApiError('InvalidParameter.Coexist', 'Ids and `Filters` cannot be given together.')
}
