// `tke-eni get nec`: the NodeENIConfigs, from the Kubernetes API.
import { systemClock } from '../../internal/base/clock.ts'
import { createLog, silentLog } from '../../internal/base/log.ts'
import { systemRandom } from '../../internal/base/random.ts'
import { errorCode, IpamError } from '../../internal/ipam/errors.ts'
import type { KubeClient } from '../../internal/kube/client.ts'
import { connectKube } from '../../internal/kube/connect.ts'
import { getShownNec, listShownNecs, type ShownNec, watchShownNecs } from '../../internal/kube/shown-necs.ts'
import { kubeTarget } from '../kube-target.ts'
import { aborted } from '../until-signal.ts'
import { requireNames } from './names.ts'
import { createChangePrinter, type PrinterOptions, printItems } from './printer.ts'
import type { GetRequest } from './request.ts'
import { age, type View } from './view.ts'

const view: View<ShownNec> = {
  one: 'NEC',
  many: 'NECs',
  identity: ({ name }) => name,
  answersTo: ({ name }, wanted) => name === wanted,
  asGone: (nec) => ({ ...nec, ready: 'gone' }),
  columns: (now) => [
    { header: 'NAME', cell: ({ name }) => name },
    { header: 'ENIS', align: 'right', cell: ({ enis }) => enis },
    { header: 'IPS', align: 'right', cell: ({ addresses }) => addresses },
    { header: 'USED', align: 'right', cell: ({ inUse }) => inUse },
    { header: 'IDLE', align: 'right', cell: ({ idle }) => idle },
    { header: 'READY', cell: ({ ready }) => ready },
    { header: 'INSTANCE', wide: true, cell: ({ instance }) => instance },
    { header: 'ZONE', wide: true, cell: ({ zone }) => zone },
    { header: 'MAX-ENIS', align: 'right', wide: true, cell: ({ maxEnis }) => maxEnis },
    { header: 'IPS/ENI', align: 'right', wide: true, cell: ({ addressesPerEni }) => addressesPerEni },
    { header: 'MIN-WARM', align: 'right', wide: true, cell: ({ minWarm }) => minWarm },
    { header: 'MAX-WARM', align: 'right', wide: true, cell: ({ maxWarm }) => maxWarm },
    { header: 'DIRECT', align: 'right', wide: true, cell: ({ exclusiveEnis }) => exclusiveEnis },
    { header: 'DIRECT-USED', align: 'right', wide: true, cell: ({ exclusiveInUse }) => exclusiveInUse },
    { header: 'DIRECT-MIN', align: 'right', wide: true, cell: (nec) => nec.exclusiveMinWarm },
    { header: 'DIRECT-MAX', align: 'right', wide: true, cell: (nec) => nec.exclusiveMaxWarm },
    { header: 'MAX-DIRECT', align: 'right', wide: true, cell: (nec) => nec.maxExclusiveEnis },
    { header: 'RETURNED', align: 'right', wide: true, cell: ({ returned }) => returned },
    { header: 'AGENT', wide: true, cell: ({ agentVersion }) => agentVersion },
    { header: 'AGE', cell: ({ createdAt }) => age(createdAt, now) },
    { header: 'FAULT', wide: true, cell: ({ fault }) => fault },
  ],
}

/** Throws as KubeClient.call, and `bad_input`; resolves when all is printed or `signal` aborts. */
export async function showNecs(
  request: GetRequest,
  write: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const printer = { view, output: request.output, now: systemClock.now, write }
  const client = await connectKube(kubeTarget(request), systemClock)
  try {
    const items = await explained(read(client, request.names))
    if (request.watch) return await follow(client, request.names, printer, items, signal)
    if (items.length > 0 || request.names.length === 0) printItems(items, printer)
    requireNames(view, request.names, items, 'this cluster')
    if (items.length === 0) process.stderr.write('No NECs found\n')
  } finally {
    client.close()
  }
}

async function read(client: KubeClient, names: readonly string[]): Promise<readonly ShownNec[]> {
  if (names.length !== 1) {
    const all = await listShownNecs(client, silentLog)
    return names.length === 0 ? all : all.filter(({ name }) => names.includes(name))
  }
  try {
    return [await getShownNec(client, names[0] ?? '')].filter((nec) => nec !== undefined)
  } catch (error) {
    if (errorCode(error) === 'not_found') return []
    throw error
  }
}

/** A list that is not found is no list of nothing: the definition is missing. */
async function explained<T>(reading: Promise<T>): Promise<T> {
  try {
    return await reading
  } catch (cause) {
    if (errorCode(cause) !== 'not_found') throw cause
    throw new IpamError('not_found', 'Cannot list NECs: this cluster does not know NodeENIConfig', {
      cause,
      hint: 'the leader installs its definition when it starts; see that this is the right cluster',
    })
  }
}

/** `items` proved that the API answers; from here on failures are retried. */
async function follow(
  client: KubeClient,
  names: readonly string[],
  printer: PrinterOptions<ShownNec>,
  items: readonly ShownNec[],
  signal: AbortSignal,
): Promise<void> {
  const changes = createChangePrinter(printer)
  const known = new Map(items.map((nec) => [nec.name, nec]))
  const show = () => {
    const wanted = [...known.values()].filter(({ name }) => names.length === 0 || names.includes(name))
    changes.show(wanted.toSorted((a, b) => (a.name < b.name ? -1 : 1)))
  }
  show()
  if (items.length === 0) process.stderr.write('No NECs found\n')
  const feed = {
    replaced(all: readonly ShownNec[]) {
      known.clear()
      for (const nec of all) known.set(nec.name, nec)
      show()
    },
    changed(nec: ShownNec) {
      known.set(nec.name, nec)
      show()
    },
    removed(nec: ShownNec) {
      known.delete(nec.name)
      show()
    },
  }
  const stop = watchShownNecs(feed, {
    client,
    clock: systemClock,
    random: systemRandom,
    log: createLog('warn'),
  })
  await aborted(signal)
  stop()
}
