// Every resource the embedded server has without a CRD.
import { aggregationResources } from './aggregation-resources.ts'
import { coreResources } from './core-resources.ts'
import { crdResource } from './crd-resource.ts'
import { defineResource } from './define-resource.ts'
import { eventFromStored, eventToStored, regardingFields } from './event-resource.ts'
import { asObjects, asText, at, type KubeObject } from './object.ts'
import {
  deploymentPrinter,
  eventPrinter,
  leasePrinter,
  replicaSetPrinter,
  statefulSetPrinter,
} from './printers.ts'
import type { ResourceType } from './resource.ts'
import { type Cause, requiredField } from './status-error.ts'
import { coreStrategic, workloadStrategic } from './strategic-rules.ts'

const apps = {
  group: 'apps',
  version: 'v1',
  namespaced: true,
  categories: ['all'],
  hasStatus: true,
  countsGenerations: true,
  strategic: workloadStrategic,
  prepare: prepareWorkload,
  check: checkWorkload,
} as const

export const builtinResources: readonly ResourceType[] = [
  ...coreResources,
  defineResource({
    ...apps,
    resource: 'deployments',
    kind: 'Deployment',
    shortNames: ['deploy'],
    initialStatus: {},
    printer: deploymentPrinter,
  }),
  defineResource({
    ...apps,
    resource: 'replicasets',
    kind: 'ReplicaSet',
    shortNames: ['rs'],
    initialStatus: { replicas: 0 },
    printer: replicaSetPrinter,
  }),
  defineResource({
    ...apps,
    resource: 'statefulsets',
    kind: 'StatefulSet',
    shortNames: ['sts'],
    initialStatus: { replicas: 0, availableReplicas: 0 },
    printer: statefulSetPrinter,
  }),
  defineResource({
    group: 'coordination.k8s.io',
    version: 'v1',
    resource: 'leases',
    kind: 'Lease',
    namespaced: true,
    unconditionalUpdate: false,
    strategic: coreStrategic,
    printer: leasePrinter,
  }),
  defineResource({
    group: 'events.k8s.io',
    version: 'v1',
    resource: 'events',
    kind: 'Event',
    namespaced: true,
    shortNames: ['ev'],
    nameRule: 'any',
    strategic: coreStrategic,
    printer: {
      columns: eventPrinter.columns,
      cells: (event, now) => eventPrinter.cells(eventToStored(event), now),
    },
    fields: regardingFields,
    storedAs: { group: '', resource: 'events' },
    fromStored: eventFromStored,
    toStored: eventToStored,
  }),
  crdResource,
  ...aggregationResources,
]

function prepareWorkload(object: KubeObject): void {
  const spec = object['spec']
  if (typeof spec === 'object' && spec !== null && !Array.isArray(spec)) spec['replicas'] ??= 1
}

function checkWorkload(object: KubeObject): readonly Cause[] {
  const causes: Cause[] = []
  if (at(object, 'spec', 'selector') === undefined) causes.push(requiredField('spec.selector'))
  const containers = asObjects(at(object, 'spec', 'template', 'spec', 'containers'))
  if (containers.length === 0) causes.push(requiredField('spec.template.spec.containers'))
  for (const [i, { name }] of containers.entries()) {
    if (asText(name) === '') causes.push(requiredField(`spec.template.spec.containers[${i}].name`))
  }
  return causes
}
