// The table columns of built-in resources, as kubectl users know them. Pods and nodes have files of their own.
import { ageOf } from './human-duration.ts'
import { asObject, asObjects, asText, at, type KubeObject } from './object.ts'
import type { Cell, Column, Printer } from './resource.ts'

export const nameColumn: Column = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description: 'Name must be unique within a namespace.',
}

export function column(name: string, priority = 0, type = 'string'): Column {
  return { name, type, format: '', description: '', priority }
}

export const ageColumn: Column = column('Age')

export function age(object: KubeObject, now: number): string {
  return ageOf(object.metadata.creationTimestamp, now)
}

/** Name, `columns`, and where `withAge`, the age after them. */
export function printer(
  columns: readonly Column[],
  cells: (object: KubeObject, now: number) => readonly Cell[],
): Printer {
  return {
    columns: [nameColumn, ...columns],
    cells: (object, now) => [object.metadata.name ?? '', ...cells(object, now)],
  }
}

export const plainPrinter = printer([ageColumn], (object, now) => [age(object, now)])

export const namespacePrinter = printer([column('Status'), ageColumn], (object, now) => [
  asText(at(object, 'status', 'phase')),
  age(object, now),
])

export const configMapPrinter = printer([column('Data', 0, 'integer'), ageColumn], (object, now) => [
  Object.keys(asObject(object['data'])).length + Object.keys(asObject(object['binaryData'])).length,
  age(object, now),
])

export const secretPrinter = printer(
  [column('Type'), column('Data', 0, 'integer'), ageColumn],
  (object, now) => [asText(object['type']), Object.keys(asObject(object['data'])).length, age(object, now)],
)

export const serviceAccountPrinter = printer([column('Secrets', 0, 'integer'), ageColumn], (object, now) => [
  asObjects(object['secrets']).length,
  age(object, now),
])

export const leasePrinter = printer([column('Holder'), ageColumn], (object, now) => [
  asText(at(object, 'spec', 'holderIdentity')),
  age(object, now),
])

export const servicePrinter = printer(
  [
    column('Type'),
    column('Cluster-IP'),
    column('External-IP'),
    column('Port(s)'),
    ageColumn,
    column('Selector', 1),
  ],
  (object, now) => {
    const spec = asObject(object['spec'])
    const ports = asObjects(spec['ports']).map(({ port, nodePort, protocol }) =>
      nodePort === undefined
        ? `${asText(port)}/${asText(protocol)}`
        : `${asText(port)}:${asText(nodePort)}/${asText(protocol)}`,
    )
    return [
      asText(spec['type']),
      asText(spec['clusterIP']) || '<none>',
      '<none>',
      ports.join(',') || '<none>',
      age(object, now),
      pairs(spec['selector']),
    ]
  },
)

export const crdPrinter = printer([column('Created At', 0, 'date')], (object) => [
  object.metadata.creationTimestamp ?? '',
])

function pairs(map: unknown): string {
  const entries = typeof map === 'object' && map !== null ? Object.entries(map) : []
  return entries.map(([key, value]) => `${key}=${String(value)}`).join(',') || '<none>'
}

function containerCells(object: KubeObject): Cell[] {
  const containers = asObjects(at(object, 'spec', 'template', 'spec', 'containers'))
  return [
    containers.map(({ name }) => asText(name)).join(','),
    containers.map(({ image }) => asText(image)).join(','),
  ]
}

const workload = [column('Containers', 1), column('Images', 1)]
const count = (object: KubeObject, ...path: string[]): number => Number(at(object, ...path) ?? 0)

export const deploymentPrinter = printer(
  [
    column('Ready'),
    column('Up-to-date', 0, 'integer'),
    column('Available', 0, 'integer'),
    ageColumn,
    ...workload,
    column('Selector', 1),
  ],
  (object, now) => [
    `${count(object, 'status', 'readyReplicas')}/${count(object, 'spec', 'replicas')}`,
    count(object, 'status', 'updatedReplicas'),
    count(object, 'status', 'availableReplicas'),
    age(object, now),
    ...containerCells(object),
    pairs(at(object, 'spec', 'selector', 'matchLabels')),
  ],
)

export const statefulSetPrinter = printer([column('Ready'), ageColumn, ...workload], (object, now) => [
  `${count(object, 'status', 'readyReplicas')}/${count(object, 'spec', 'replicas')}`,
  age(object, now),
  ...containerCells(object),
])

export const replicaSetPrinter = printer(
  [
    column('Desired', 0, 'integer'),
    column('Current', 0, 'integer'),
    column('Ready', 0, 'integer'),
    ageColumn,
    ...workload,
    column('Selector', 1),
  ],
  (object, now) => [
    count(object, 'spec', 'replicas'),
    count(object, 'status', 'replicas'),
    count(object, 'status', 'readyReplicas'),
    age(object, now),
    ...containerCells(object),
    pairs(at(object, 'spec', 'selector', 'matchLabels')),
  ],
)

export const eventPrinter: Printer = {
  columns: [
    column('Last Seen'),
    column('Type'),
    column('Reason'),
    column('Object'),
    column('Subobject', 1),
    column('Source', 1),
    column('Message'),
    column('First Seen', 1),
    column('Count', 1),
    { ...nameColumn, priority: 1 },
  ],
  cells: eventCells,
}

function eventCells(event: KubeObject, now: number): Cell[] {
  const created = event.metadata.creationTimestamp
  const first = asText(event['firstTimestamp']) || asText(event['eventTime']) || created
  const series = asObject(event['series'])
  const last = asText(series['lastObservedTime']) || asText(event['lastTimestamp']) || first
  const about = asObject(event['involvedObject'])
  const source = [
    asText(at(event, 'source', 'component')) || asText(event['reportingComponent']),
    asText(at(event, 'source', 'host')) || asText(event['reportingInstance']),
  ]
  return [
    ageOf(last, now),
    asText(event['type']),
    asText(event['reason']),
    `${asText(about['kind']).toLowerCase()}/${asText(about['name'])}`,
    asText(about['fieldPath']),
    source.filter((part) => part !== '').join(', '),
    asText(event['message']).trim(),
    ageOf(first, now),
    Number(series['count'] ?? event['count'] ?? 1),
    event.metadata.name ?? '',
  ]
}
