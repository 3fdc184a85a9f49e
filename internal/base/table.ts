// Text tables for people: aligned columns, nothing cut off, more rows later under the same header.

export interface Column<Item> {
  readonly header: string
  /** Shown on request only. */
  readonly wide?: boolean
  readonly align?: 'right'
  /** What is absent shows as "<none>". */
  readonly cell: (item: Item) => string | number | null | undefined
}

export interface Table<Item> {
  /** Lines of `items`, below the header the first time there are any. */
  add(items: readonly Item[]): string
}

const gap = '   '

/** Columns are as wide as their widest cell so far, so that later rows stay below the first ones where they can. */
export function createTable<Item>(columns: readonly Column<Item>[], wide: boolean): Table<Item> {
  const shown = columns.filter((column) => wide || !column.wide)
  const widths = shown.map(({ header }) => header.length)
  let hasHeader = false

  function line(cells: readonly string[]): string {
    const padded = cells.map((cell, i) =>
      shown[i]?.align === 'right' ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0),
    )
    return `${padded.join(gap).trimEnd()}\n`
  }

  return {
    add(items) {
      if (items.length === 0) return ''
      const rows = items.map((item) => shown.map(({ cell }) => toCell(cell(item))))
      for (const row of rows) {
        row.forEach((cell, i) => {
          widths[i] = Math.max(widths[i] ?? 0, cell.length)
        })
      }
      const header = hasHeader ? '' : line(shown.map((column) => column.header))
      hasHeader = true
      return header + rows.map(line).join('')
    },
  }
}

/** One line without control characters: a message from elsewhere must not move the cursor of whoever reads it. */
function toCell(value: string | number | null | undefined): string {
  if (value === undefined || value === null || value === '') return '<none>'
  return String(value)
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/\p{Cc}/gu, '?')
}
