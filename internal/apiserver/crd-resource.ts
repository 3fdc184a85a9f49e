// CustomResourceDefinitions themselves: what is checked, filled in, and reported about them.
import { formatTime } from '../value/millis.ts'
import { defineResource } from './define-resource.ts'
import { asObject, asObjects, asText, at, type JsonObject, type KubeObject } from './object.ts'
import { crdPrinter } from './printers.ts'
import type { ResourceType, Writing } from './resource.ts'
import { type Cause, invalidField, requiredField } from './status-error.ts'

export const crdResource: ResourceType = defineResource({
  group: 'apiextensions.k8s.io',
  version: 'v1',
  resource: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
  namespaced: false,
  shortNames: ['crd', 'crds'],
  categories: ['api-extensions'],
  hasStatus: true,
  countsGenerations: true,
  strategic: { metadata: { below: { finalizers: { key: '' }, ownerReferences: { key: 'uid' } } } },
  printer: crdPrinter,
  prepare: prepareCrd,
  check: checkCrd,
})

function prepareCrd(crd: KubeObject, { now }: Writing): void {
  const spec = asObject(crd['spec'])
  const names = asObject(spec['names'])
  const kind = asText(names['kind'])
  names['singular'] ??= kind.toLowerCase()
  names['listKind'] ??= `${kind}List`
  spec['conversion'] ??= { strategy: 'None' }
  crd['status'] = statusOf(crd, names, now)
}

function statusOf(crd: KubeObject, names: JsonObject, now: number): JsonObject {
  const before = asObjects(at(crd, 'status', 'conditions'))
  const condition = (type: string, reason: string, message: string): JsonObject =>
    before.find((item) => item['type'] === type && item['status'] === 'True') ?? {
      type,
      status: 'True',
      lastTransitionTime: formatTime(now),
      reason,
      message,
    }
  const storage = asObjects(at(crd, 'spec', 'versions')).find((version) => version['storage'] === true)
  return {
    conditions: [
      condition('NamesAccepted', 'NoConflicts', 'no conflicts found'),
      condition('Established', 'InitialNamesAccepted', 'the initial names have been accepted'),
    ],
    acceptedNames: structuredClone(names),
    storedVersions: storage === undefined ? [] : [asText(storage['name'])],
  }
}

function checkCrd(crd: KubeObject): readonly Cause[] {
  const spec = asObject(crd['spec'])
  const names = asObject(spec['names'])
  const causes: Cause[] = []
  for (const [field, value] of [
    ['spec.group', spec['group']],
    ['spec.scope', spec['scope']],
    ['spec.names.plural', names['plural']],
    ['spec.names.kind', names['kind']],
  ] as const) {
    if (asText(value) === '') causes.push(requiredField(field))
  }
  const wanted = `${asText(names['plural'])}.${asText(spec['group'])}`
  if (crd.metadata.name !== wanted) {
    causes.push(invalidField('metadata.name', crd.metadata.name, 'must be spec.names.plural+"."+spec.group'))
  }
  return [...causes, ...checkVersions(asObjects(spec['versions']))]
}

function checkVersions(versions: readonly JsonObject[]): Cause[] {
  const stored = versions.filter(({ storage }) => storage === true)
  const causes = versions.flatMap((version, i) =>
    at(version, 'schema', 'openAPIV3Schema') === undefined
      ? [requiredField(`spec.versions[${i}].schema.openAPIV3Schema`, 'schemas are required')]
      : [],
  )
  if (stored.length !== 1) {
    causes.push(
      invalidField('spec.versions', null, 'must have exactly one version marked as storage version'),
    )
  }
  return causes
}
