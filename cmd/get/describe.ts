// One address or claim with everything around it, for people: from a database alone.
import { systemClock } from '../../internal/base/clock.ts'
import { createTable } from '../../internal/base/table.ts'
import { leaderHistory, nodeHistory, type ShownHistory } from '../../internal/store/inspect/history.ts'
import { claims, type LedgerView, vips } from './ledger-views.ts'
import { checkNames, requireNames } from './names.ts'
import { openLedger } from './open-ledger.ts'
import type { GetRequest } from './request.ts'
import { readerOf } from './show-ledger.ts'
import { podName } from './view.ts'

export type DescribeRequest = Pick<GetRequest, 'names' | 'namespace' | 'stateDir' | 'db'>

/** The last changes of an address that are shown. */
const mostHistory = 20

/** Throws `bad_input`, `not_found`, `storage`. */
export function describe(resource: 'vip' | 'vipc', request: DescribeRequest): string {
  return resource === 'vip' ? describeItems(vips, request) : describeItems(claims, request)
}

function describeItems<Item extends { readonly address: string | null }>(
  view: LedgerView<Item>,
  { names, namespace, ...place }: DescribeRequest,
): string {
  checkNames(view, names)
  const ledger = openLedger(place)
  try {
    const filter = { names, namespace }
    const items = readerOf(view, ledger, systemClock)(filter)
    requireNames({ ...view, columns: () => [] }, names, items, `"${ledger.database.path}"`)
    const read = ledger.kind === 'leader' ? leaderHistory : nodeHistory
    return items
      .map((item) => {
        const history = item.address === null ? [] : read(ledger.database, { names: [item.address] })
        return fieldsText(item) + historyText(history.slice(-mostHistory))
      })
      .join('\n')
  } finally {
    ledger.close()
  }
}

/** "Pod name:  web-0" for each that has a value. */
function fieldsText(item: object): string {
  const lines = Object.entries(item).flatMap(([key, value]): [string, string][] => {
    const text = valueText(value)
    return text === '' ? [] : [[titleOf(key), text]]
  })
  const width = Math.max(...lines.map(([title]) => title.length)) + 3
  return lines.map(([title, text]) => `${`${title}:`.padEnd(width)}${text}\n`).join('')
}

function valueText(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (Array.isArray(value)) return value.map(valueText).join(', ')
  if (typeof value === 'object') {
    const { kind, name } = value as { readonly kind?: unknown; readonly name?: unknown }
    return `${String(kind)}/${String(name)}`
  }
  return typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value)
}

/** "expireAfterMs" as "Expire after ms" */
function titleOf(key: string): string {
  const words = key.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
  return words.slice(0, 1).toUpperCase() + words.slice(1)
}

function historyText(history: readonly ShownHistory[]): string {
  if (history.length === 0) return 'History:  none\n'
  const table = createTable<ShownHistory>(
    [
      { header: 'AT', cell: ({ at }) => at },
      { header: 'EVENT', cell: ({ event }) => event },
      { header: 'NODE', cell: ({ node }) => node },
      { header: 'POD', cell: podName },
      { header: 'REASON', cell: ({ reason }) => reason },
    ],
    false,
  )
  return `History:\n${table.add(history).replaceAll(/^(?=.)/gm, '  ')}`
}
