// `tke-eni get` of what is in a database: read once, or again whenever a transaction was committed to it.
import { statSync } from 'node:fs'
import { type Clock, sleep, systemClock } from '../../internal/base/clock.ts'
import { IpamError } from '../../internal/ipam/errors.ts'
import { storageFault } from '../../internal/sqlite/faults.ts'
import type { ReadonlyDatabase } from '../../internal/sqlite/open-readonly.ts'
import type { Filter } from '../../internal/store/inspect/filter.ts'
import type { LedgerKind, LedgerView } from './ledger-views.ts'
import { checkNames, requireNames } from './names.ts'
import { openLedger } from './open-ledger.ts'
import { createChangePrinter, type PrinterOptions, printItems } from './printer.ts'
import type { GetRequest } from './request.ts'

type Ledger = ReadonlyDatabase<LedgerKind>
type Read<Item> = (filter: Filter) => readonly Item[]

/** How often a watched database is asked whether it changed. */
const pollMs = 500

/** Throws `bad_input`, `not_found`, `storage`; resolves when all is printed or `signal` aborts. */
export async function showLedger<Item>(
  view: LedgerView<Item>,
  request: GetRequest,
  write: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  checkNames(view, request.names)
  refuseFilters(view, request)
  const ledger = openLedger(request)
  try {
    const clock = systemClock
    const read = readerOf(view, ledger, clock)
    if (ledger.kind === 'node' && request.node !== undefined) refuseNode(request.node, ledger)
    const printer = {
      view: { ...view, columns: (now: () => number) => view.columns(now, ledger.kind) },
      output: request.output,
      now: clock.now,
      write,
    }
    if (request.watch) await follow({ view, request, ledger, read, printer, clock, signal })
    else showOnce({ view, request, ledger, read, printer })
  } finally {
    ledger.close()
  }
}

interface Showing<Item> {
  readonly view: LedgerView<Item>
  readonly request: GetRequest
  readonly ledger: Ledger
  readonly read: Read<Item>
  readonly printer: PrinterOptions<Item>
}

function showOnce<Item>({ view, request, ledger, read, printer }: Showing<Item>): void {
  const items = read(request)
  if (items.length > 0 || request.names.length === 0) printItems(items, printer)
  requireNames(printer.view, request.names, items, `"${ledger.database.path}"`)
  if (items.length === 0) noneFound(view, request, ledger)
}

async function follow<Item>(showing: Showing<Item> & { clock: Clock; signal: AbortSignal }): Promise<void> {
  const { view, request, ledger, read, printer, clock, signal } = showing
  if (ledger.copied) {
    throw new IpamError(
      'storage',
      `Cannot watch "${ledger.database.path}": its directory is read-only, so nothing changes in it`,
    )
  }
  const changes = createChangePrinter(printer)
  const file = identity(ledger)
  let version: number | undefined
  let after: number | undefined
  let due = Number.POSITIVE_INFINITY
  while (!signal.aborted) {
    // Asked before reading: what is committed in between shows in the next round.
    const now = dataVersion(ledger)
    if (now !== version || clock.now() >= due) {
      const items = read({ ...request, after })
      if (version === undefined && items.length === 0) noneFound(view, request, ledger)
      version = now
      const last = items.at(-1)
      if (last !== undefined && view.position !== undefined) after = view.position(last)
      due = nextChange(view, items)
      changes.show(items)
    }
    await sleep(clock, pollMs, signal)
    if (identity(ledger) !== file) {
      throw new IpamError(
        'storage',
        `Cannot watch "${ledger.database.path}": another file has taken its place, or none`,
      )
    }
  }
}

/** Throws `not_found` when such a database has none of these. */
export function readerOf<Item>(
  view: LedgerView<Item>,
  { kind, database }: Ledger,
  clock: Pick<Clock, 'now'>,
): Read<Item> {
  const read = view.read[kind]
  if (read === undefined) {
    throw new IpamError(
      'not_found',
      `Cannot get ${view.many}: "${database.path}" is the database of a node agent, which knows its own pool only`,
      { hint: 'the leader has them: run this where the leader runs, or give its file with --db' },
    )
  }
  return (filter) => {
    try {
      return read(database, filter, clock.now())
    } catch (error) {
      throw storageFault(error, `read "${database.path}"`)
    }
  }
}

function refuseNode(node: string, { database }: Ledger): never {
  throw new IpamError(
    'bad_input',
    `Cannot choose node "${node}": "${database.path}" is the database of a node agent, of one node alone`,
  )
}

function refuseFilters<Item>(view: LedgerView<Item>, request: GetRequest): void {
  for (const name of ['node', 'namespace', 'expiring'] as const) {
    if (request[name] === undefined || view.filters.includes(name)) continue
    throw new IpamError('bad_input', `Cannot choose ${view.many} by --${name}: they have none`, {
      hint: 'see "tke-eni get --help"',
    })
  }
}

/** A message, not a failure; but a node that does not exist is one. */
function noneFound<Item>({ many }: LedgerView<Item>, { node }: GetRequest, { kind, database }: Ledger): void {
  if (node !== undefined && kind === 'leader') {
    const known = database.get(`SELECT 1 FROM node WHERE name = ?`, node)
    if (known === undefined) {
      throw new IpamError('not_found', `Cannot find node "${node}": it is not in "${database.path}"`)
    }
  }
  process.stderr.write(`No ${many} found\n`)
}

/** Of the file: a recovered or restored database is another one, and this one will never change again. */
function identity({ database }: Ledger): string {
  const found = statSync(database.path, { bigint: true, throwIfNoEntry: false })
  return found === undefined ? '' : `${found.dev} ${found.ino}`
}

function dataVersion({ database }: Ledger): number {
  try {
    return database.get<{ data_version: number }>('PRAGMA data_version')?.data_version ?? 0
  } catch (error) {
    throw storageFault(error, `read "${database.path}"`)
  }
}

function nextChange<Item>({ changesAt }: LedgerView<Item>, items: readonly Item[]): number {
  let due = Number.POSITIVE_INFINITY
  for (const item of items) {
    const at = changesAt?.(item) ?? null
    if (at !== null) due = Math.min(due, Date.parse(at))
  }
  return due
}
