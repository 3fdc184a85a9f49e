// One address or claim with everything around it, for people: from a database alone.
import { systemClock } from '../../internal/base/clock.ts'
import { type Column, createTable } from '../../internal/base/table.ts'
import { eipSteps, type ShownEipClaim, type ShownEipStep } from '../../internal/store/inspect/eip-claims.ts'
import { leaderHistory, nodeHistory, type ShownHistory } from '../../internal/store/inspect/history.ts'
import { claims, eipClaims, type LedgerView, vips } from './ledger-views.ts'
import { checkNames, requireNames } from './names.ts'
import { openLedger } from './open-ledger.ts'
import type { GetRequest } from './request.ts'
import type { Described } from './resources.ts'
import { readerOf } from './show-ledger.ts'
import { podName } from './view.ts'

export type DescribeRequest = Pick<GetRequest, 'names' | 'namespace' | 'stateDir' | 'db'>

/** The last changes of an address that are shown. */
const mostHistory = 20

/** Throws `bad_input`, `not_found`, `storage`. */
export function describe(resource: Described, request: DescribeRequest): string {
  switch (resource) {
    case 'vip':
      return describeItems(vips, addressHistory, request)
    case 'vipc':
      return describeItems(claims, addressHistory, request)
    case 'eipc':
      return describeItems(eipClaims, eipHistory, request)
  }
}

type Ledger = ReturnType<typeof openLedger>

function describeItems<Item extends object>(
  view: LedgerView<Item>,
  historyOf: (ledger: Ledger, item: Item) => string,
  { names, namespace, ...place }: DescribeRequest,
): string {
  checkNames(view, names)
  const ledger = openLedger(place)
  try {
    const filter = { names, namespace }
    const items = readerOf(view, ledger, systemClock)(filter)
    requireNames({ ...view, columns: () => [] }, names, items, `"${ledger.database.path}"`)
    return items.map((item) => fieldsText(item) + historyOf(ledger, item)).join('\n')
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

function addressHistory(
  { database, kind }: Ledger,
  { address }: { readonly address: string | null },
): string {
  const read = kind === 'leader' ? leaderHistory : nodeHistory
  return historyText<ShownHistory>(address === null ? [] : read(database, { names: [address] }), [
    { header: 'AT', cell: ({ at }) => at },
    { header: 'EVENT', cell: ({ event }) => event },
    { header: 'NODE', cell: ({ node }) => node },
    { header: 'POD', cell: podName },
    { header: 'REASON', cell: ({ reason }) => reason },
  ])
}

function eipHistory({ database }: Ledger, claim: ShownEipClaim): string {
  return historyText<ShownEipStep>(eipSteps(database, claim), [
    { header: 'AT', cell: ({ at }) => at },
    { header: 'PHASE', cell: ({ phase }) => phase },
    { header: 'EIP', cell: ({ eip }) => eip },
    { header: 'NODE', cell: ({ node }) => node },
    { header: 'PRIVATE-IP', cell: ({ privateIp }) => privateIp },
    { header: 'REASON', cell: ({ reason }) => reason || null },
  ])
}

function historyText<Entry>(history: readonly Entry[], columns: readonly Column<Entry>[]): string {
  if (history.length === 0) return 'History:  none\n'
  const table = createTable<Entry>(columns, false)
  return `History:\n${table.add(history.slice(-mostHistory)).replaceAll(/^(?=.)/gm, '  ')}`
}
