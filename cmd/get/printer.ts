// Items on standard output: once, or again and again as they change.
import { createTable } from '../../internal/base/table.ts'
import type { Millis } from '../../internal/value/millis.ts'
import { formatYaml } from '../../internal/wire/yaml.ts'
import type { Output } from './request.ts'
import type { View } from './view.ts'

export interface PrinterOptions<Item> {
  readonly view: View<Item>
  readonly output: Output
  readonly now: () => Millis
  readonly write: (text: string) => void
}

/** Prints `items` as one table or one list. */
export function printItems<Item>(items: readonly Item[], options: PrinterOptions<Item>): void {
  const { view, output, now, write } = options
  if (output === 'json') return write(`${JSON.stringify(items, null, 2)}\n`)
  if (output === 'yaml') return write(formatYaml(items))
  write(createTable(view.columns(now), output === 'wide').add(items))
}

export interface ChangePrinter<Item> {
  /** Prints what is not as it was at the last call: at the first one, all. */
  show(items: readonly Item[]): void
}

/** A table that grows, a JSON object a line, or a YAML document an item. */
export function createChangePrinter<Item>(options: PrinterOptions<Item>): ChangePrinter<Item> {
  const { view, output, now, write } = options
  const table = createTable(view.columns(now), output === 'wide')
  let shown = new Map<string, { readonly item: Item; readonly json: string }>()

  function print(items: readonly Item[]): void {
    if (output === 'json') write(items.map((item) => `${JSON.stringify(item)}\n`).join(''))
    else if (output === 'yaml') write(items.map((item) => `---\n${formatYaml(item)}`).join(''))
    else write(table.add(items))
  }

  return {
    show(items) {
      const before = shown
      shown = new Map(items.map((item) => [view.identity(item), { item, json: JSON.stringify(item) }]))
      const changed = [...shown]
        .filter(([id, { json }]) => before.get(id)?.json !== json)
        .map(([, { item }]) => item)
      const { asGone } = view
      const gone = asGone === undefined ? [] : [...before].filter(([id]) => !shown.has(id))
      print([...gone.flatMap(([, { item }]) => asGone?.(item) ?? []), ...changed])
    },
  }
}
