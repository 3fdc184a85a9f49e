// What describe actions share: the rows that ids and filters choose, counted, and one page of them.
import type { Database } from '../../sqlite/database.ts'
import { type Conditions, conditionOf, type Filter } from './filters.ts'

interface Listing {
  readonly table: string
  /** Column; oldest first when not given. */
  readonly order?: string
  /** The filter that chooses by id. */
  readonly idFilter: string
  readonly conditions: Conditions
}

interface Asked {
  readonly ids: readonly string[] | undefined
  readonly filters: readonly Filter[]
  readonly offset: number
  readonly limit: number
}

export interface Page<Row> {
  readonly rows: readonly Row[]
  /** On all pages. */
  readonly total: number
  /** Is there no row for one of the ids? */
  readonly lacksIds: boolean
}

/** Ids page as filters do, as DescribeSubnets and DescribeAddresses are documented to. Throws InvalidParameter.FilterInvalidKey. */
export function pageOf<Row>(db: Database, listing: Listing, asked: Asked): Page<Row> {
  const { table, order = 'rowid', idFilter, conditions } = listing
  const { ids, filters, offset, limit } = asked
  const byId = ids === undefined ? [] : [{ Name: idFilter, Values: ids }]
  const { sql, values } = conditionOf([...filters, ...byId], conditions, `${table}.id`)
  const total = db.get<{ n: number }>(`SELECT count(*) AS n FROM ${table} WHERE ${sql}`, ...values)?.n ?? 0
  const rows = db.all<Row>(
    `SELECT * FROM ${table} WHERE ${sql} ORDER BY ${order} LIMIT ? OFFSET ?`,
    ...values,
    limit,
    offset,
  )
  return { rows, total, lacksIds: ids !== undefined && total < new Set(ids).size }
}
