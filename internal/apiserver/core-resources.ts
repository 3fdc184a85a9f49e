// The core/v1 resources the server keeps, and the little it knows about each.
import { defineResource } from './define-resource.ts'
import { eventFields } from './event-resource.ts'
import { nodePrinter } from './node-printer.ts'
import { asObject, asText, at, type KubeObject } from './object.ts'
import { podPrinter } from './pod-printer.ts'
import { checkPod, podFields, preparePod } from './pod-resource.ts'
import {
  configMapPrinter,
  eventPrinter,
  namespacePrinter,
  secretPrinter,
  serviceAccountPrinter,
  servicePrinter,
} from './printers.ts'
import type { ResourceType } from './resource.ts'
import { type Cause, invalidField } from './status-error.ts'
import { coreStrategic } from './strategic-rules.ts'

const core = { group: '', version: 'v1', strategic: coreStrategic } as const

export const coreResources: readonly ResourceType[] = [
  defineResource({
    ...core,
    resource: 'namespaces',
    kind: 'Namespace',
    namespaced: false,
    shortNames: ['ns'],
    nameRule: 'label',
    hasStatus: true,
    verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
    initialStatus: { phase: 'Active' },
    printer: namespacePrinter,
    fields: { 'status.phase': (object) => asText(at(object, 'status', 'phase')) },
    prepare: prepareNamespace,
  }),
  defineResource({
    ...core,
    resource: 'pods',
    kind: 'Pod',
    namespaced: true,
    shortNames: ['po'],
    categories: ['all'],
    hasStatus: true,
    initialStatus: { phase: 'Pending' },
    printer: podPrinter,
    fields: podFields,
    prepare: preparePod,
    check: checkPod,
  }),
  defineResource({
    ...core,
    resource: 'nodes',
    kind: 'Node',
    namespaced: false,
    shortNames: ['no'],
    hasStatus: true,
    printer: nodePrinter,
    fields: { 'spec.unschedulable': (object) => String(at(object, 'spec', 'unschedulable') === true) },
  }),
  defineResource({
    ...core,
    resource: 'events',
    kind: 'Event',
    namespaced: true,
    shortNames: ['ev'],
    nameRule: 'any',
    printer: eventPrinter,
    fields: eventFields,
  }),
  defineResource({
    ...core,
    resource: 'configmaps',
    kind: 'ConfigMap',
    namespaced: true,
    shortNames: ['cm'],
    printer: configMapPrinter,
    check: checkKeys,
  }),
  defineResource({
    ...core,
    resource: 'secrets',
    kind: 'Secret',
    namespaced: true,
    printer: secretPrinter,
    fields: { type: (object) => asText(object['type']) },
    prepare: prepareSecret,
    check: checkKeys,
  }),
  defineResource({
    ...core,
    resource: 'services',
    kind: 'Service',
    namespaced: true,
    shortNames: ['svc'],
    categories: ['all'],
    nameRule: 'label',
    hasStatus: true,
    initialStatus: { loadBalancer: {} },
    printer: servicePrinter,
  }),
  defineResource({
    ...core,
    resource: 'serviceaccounts',
    kind: 'ServiceAccount',
    namespaced: true,
    shortNames: ['sa'],
    printer: serviceAccountPrinter,
  }),
]

const keyRule =
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"

function checkKeys(object: KubeObject): readonly Cause[] {
  return Object.keys(asObject(object['data']))
    .filter((key) => !/^[-._a-zA-Z0-9]{1,253}$/.test(key))
    .map((key) => invalidField(`data[${key}]`, key, keyRule))
}

function prepareNamespace(object: KubeObject): void {
  const name = object.metadata.name ?? ''
  object.metadata.labels = { ...object.metadata.labels, 'kubernetes.io/metadata.name': name }
  object['spec'] ??= { finalizers: ['kubernetes'] }
}

function prepareSecret(object: KubeObject): void {
  object['type'] ??= 'Opaque'
  const plain = object['stringData']
  if (typeof plain !== 'object' || plain === null || Array.isArray(plain)) return
  const encoded = Object.entries(plain).map(([key, value]) => [
    key,
    Buffer.from(asText(value)).toString('base64'),
  ])
  object['data'] = { ...(object['data'] as object | undefined), ...Object.fromEntries(encoded) }
  delete object['stringData']
}
