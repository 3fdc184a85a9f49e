// Figures as a table for people, or as JSON for programs.
import { type Figure, type Row, ratioOf } from './figure.ts'
import type { Machine } from './machine.ts'

export function figuresAsJson(machine: Machine, figures: readonly Figure[]): string {
  const withRatios = figures.map((figure) => ({
    ...figure,
    rows: figure.rows.map((row) => {
      const ratio = ratioOf(row)
      return ratio === undefined ? row : { ...row, ratio }
    }),
  }))
  return JSON.stringify({ machine, figures: withRatios }, null, 2)
}

/** A block per figure: what, the number, the reference, how many times it. */
export function figureAsText({ id, title, rows, notes }: Figure): string {
  const cells = rows.map(cellsOf)
  const widths = [0, 1, 2, 3].map((column) => Math.max(0, ...cells.map((row) => row[column]?.length ?? 0)))
  const lines = cells.map((row) => {
    const [what = '', value = '', ratio = '', reference = ''] = row
    return `  ${what.padEnd(widths[0] ?? 0)}  ${value.padStart(widths[1] ?? 0)}  ${ratio.padStart(widths[2] ?? 0)}  ${reference}`
  })
  return [`${id.toUpperCase()}  ${title}`, ...lines, ...notes.map((note) => `  (${note})`)]
    .map((line) => line.trimEnd())
    .join('\n')
}

function cellsOf(row: Row): readonly string[] {
  const ratio = ratioOf(row)
  if (row.reference === undefined || ratio === undefined) return [row.what, quantity(row.value, row.unit)]
  return [
    row.what,
    quantity(row.value, row.unit),
    `${digits(ratio)} x`,
    `${quantity(row.reference.value, row.unit)} ${row.reference.what}`,
  ]
}

function quantity(value: number, unit: Row['unit']): string {
  return unit === '/s' ? `${Math.round(value)}/s` : `${digits(value)} ${unit}`
}

/** Three significant digits, without an exponent. */
function digits(value: number): string {
  return value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2)
}
