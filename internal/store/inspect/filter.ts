// What part of a database is asked for, as SQL conditions; and how what was found is ordered.
import type { SqlValue } from '../../sqlite/database.ts'
import { type Ipv4, ipv4ToNumber } from '../../value/ipv4.ts'

export interface Filter {
  /** Empty: all. Addresses may also be named by their pod, as "namespace/name". */
  readonly names: readonly string[]
  readonly node?: string | undefined
  /** Of the pod. */
  readonly namespace?: string | undefined
  /** Of claims: only those that end by themselves. */
  readonly expiring?: boolean | undefined
  /** Of a history: only what came later than this entry. */
  readonly after?: number | undefined
}

export interface Condition {
  readonly sql: string
  readonly values: readonly SqlValue[]
}

/** `column = value`; no condition without a value. */
export function equals(column: string, value: SqlValue | undefined): Condition | undefined {
  return value === undefined ? undefined : { sql: `${column} = ?`, values: [value] }
}

/** The column has one of `names`; no condition when there are none. */
export function oneOf(column: string, names: readonly string[]): Condition | undefined {
  if (names.length === 0) return undefined
  return { sql: `${column} IN (SELECT value FROM json_each(?))`, values: [JSON.stringify(names)] }
}

/** One of the columns has one of `names`; no condition when there are none. */
export function anyOf(columns: readonly string[], names: readonly string[]): Condition | undefined {
  const either = columns.map((column) => oneOf(column, names)).filter((condition) => condition !== undefined)
  if (either.length === 0) return undefined
  return {
    sql: `(${either.map(({ sql }) => sql).join(' OR ')})`,
    values: either.flatMap(({ values }) => values),
  }
}

/** A claim by its name, with or without its namespace. */
export function named(names: readonly string[]): Condition | undefined {
  return anyOf(['name', "namespace || '/' || name"], names)
}

/** The address is one of `names`, or its pod is; `table` has the columns of both. */
export function ofAddressOrPod(
  address: string,
  podTable: string,
  names: readonly string[],
): Condition | undefined {
  const pod = `${podTable}.pod_namespace || '/' || ${podTable}.pod_name`
  const either = [
    oneOf(
      address,
      names.filter((name) => !name.includes('/')),
    ),
    oneOf(
      pod,
      names.filter((name) => name.includes('/')),
    ),
  ].filter((condition) => condition !== undefined)
  if (either.length === 0) return undefined
  return {
    sql: `(${either.map(({ sql }) => sql).join(' OR ')})`,
    values: either.flatMap(({ values }) => values),
  }
}

/** All conditions as one clause, with its values. */
export function where(...conditions: readonly (Condition | undefined)[]): Condition {
  const given = conditions.filter((condition) => condition !== undefined)
  return {
    sql: given.length === 0 ? '' : `WHERE ${given.map(({ sql }) => sql).join(' AND ')}`,
    values: given.flatMap(({ values }) => values),
  }
}

/** By node, slot, and address as a number, so that 10.0.0.9 comes before 10.0.0.10. */
export function byPlace<
  T extends { readonly node: string | null; readonly slot: number | null; readonly address: Ipv4 },
>(items: readonly T[]): readonly T[] {
  return items
    .map((item) => ({ item, number: ipv4ToNumber(item.address) }))
    .sort(
      (a, b) =>
        compareText(a.item.node ?? '', b.item.node ?? '') ||
        (a.item.slot ?? 0) - (b.item.slot ?? 0) ||
        a.number - b.number,
    )
    .map(({ item }) => item)
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
