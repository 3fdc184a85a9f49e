// The end of an object, and what ends with it: the contents of a namespace, the objects of a definition.
import { formatTime } from '../value/millis.ts'
import { asText, at, clone, type KubeObject } from './object.ts'
import type { Context } from './request.ts'
import { type ResourceType, storedAs } from './resource.ts'
import { collectionOf, keyOf, revisionOf, shown, toStored } from './stored-object.ts'

/** Removes the object from storage and finishes what waited for that. Returns its last state. */
export function removeForGood(
  context: Context,
  type: ResourceType,
  object: KubeObject,
  expected: number,
): KubeObject {
  const key = keyOf(type, object.metadata.namespace, object.metadata.name ?? '')
  const last = context.storage.remove(key, toStored(type, object), expected)
  if (type.resource === 'customresourcedefinitions') context.registry.refresh()
  finishNamespace(context, object.metadata.namespace)
  finishDefinition(context, type)
  return shown(type, last)
}

export interface Deletion {
  /** undefined: what the object itself says. */
  readonly graceSeconds: number | undefined
}

/** Deletes or marks for deletion. Returns the object as it is then, and whether it is gone. */
export function deleteOne(
  context: Context,
  type: ResourceType,
  object: KubeObject,
  deletion: Deletion,
): { object: KubeObject; gone: boolean } {
  if (type.resource === 'namespaces' && type.group === '') return endContents(context, type, object)
  if (type.resource === 'customresourcedefinitions') return endInstances(context, type, object)
  const grace = graceOf(type, object, deletion)
  const held = (object.metadata.finalizers ?? []).length > 0
  if (grace === 0 && !held) {
    return { object: removeForGood(context, type, object, revisionOf(object)), gone: true }
  }
  return { object: mark(context, type, object, grace), gone: false }
}

/** Pods on a node live until their kubelet deletes them with grace 0. */
function graceOf(type: ResourceType, object: KubeObject, { graceSeconds }: Deletion): number {
  if (type.resource !== 'pods' || type.group !== '') return 0
  const ended = ['Succeeded', 'Failed'].includes(asText(at(object, 'status', 'phase')))
  if (ended || asText(at(object, 'spec', 'nodeName')) === '') return 0
  return Math.max(0, graceSeconds ?? Number(at(object, 'spec', 'terminationGracePeriodSeconds') ?? 30))
}

/** Sets the time of deletion; a second request may only bring it nearer. */
function mark(context: Context, type: ResourceType, object: KubeObject, grace: number): KubeObject {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = object.metadata
  if (deletionTimestamp !== undefined && grace >= deletionGracePeriodSeconds) return object
  const marked = clone(object)
  marked.metadata.deletionTimestamp = formatTime(context.clock.now() + grace * 1000)
  marked.metadata.deletionGracePeriodSeconds = grace
  if (type.countsGenerations) marked.metadata.generation = (object.metadata.generation ?? 0) + 1
  return save(context, type, marked, object)
}

function save(context: Context, type: ResourceType, object: KubeObject, old: KubeObject): KubeObject {
  const key = keyOf(type, object.metadata.namespace, object.metadata.name ?? '')
  return shown(type, context.storage.replace(key, toStored(type, object), revisionOf(old)))
}

function endContents(context: Context, type: ResourceType, namespace: KubeObject) {
  const marked = clone(namespace)
  marked.metadata.deletionTimestamp ??= formatTime(context.clock.now())
  marked['status'] = { phase: 'Terminating' }
  const object = save(context, type, marked, namespace)
  const name = namespace.metadata.name ?? ''
  for (const content of storedTypes(context)) {
    if (content.namespaced) deleteAll(context, content, name)
  }
  finishNamespace(context, name)
  return { object, gone: context.storage.get(keyOf(type, undefined, name)) === undefined }
}

function endInstances(context: Context, type: ResourceType, crd: KubeObject) {
  const marked = clone(crd)
  marked.metadata.deletionTimestamp ??= formatTime(context.clock.now())
  const object = save(context, type, marked, crd)
  const instances = instancesOf(context, crd)
  if (instances !== undefined) deleteAll(context, instances, undefined)
  finishDefinition(context, instances ?? type, crd.metadata.name)
  return { object, gone: context.storage.get(keyOf(type, undefined, crd.metadata.name ?? '')) === undefined }
}

function deleteAll(context: Context, type: ResourceType, namespace: string | undefined): void {
  for (const stored of context.storage.list(collectionOf(type, namespace)).items) {
    deleteOne(context, type, shown(type, stored), { graceSeconds: undefined })
  }
}

/** One type for each place of storage: versions share theirs. */
function storedTypes(context: Context): ResourceType[] {
  const byPlace = new Map<string, ResourceType>()
  for (const type of context.registry.all()) {
    const { group, resource } = storedAs(type)
    const place = `${resource}.${group}`
    if (!byPlace.has(place)) byPlace.set(place, type)
  }
  return [...byPlace.values()]
}

function instancesOf(context: Context, crd: KubeObject): ResourceType | undefined {
  return context.registry.all().find((type) => `${type.resource}.${type.group}` === crd.metadata.name)
}

/** A namespace that ends is gone with its last content. */
function finishNamespace(context: Context, name: string | undefined): void {
  const type = context.registry.find('', 'v1', 'namespaces')
  if (name === undefined || type === undefined) return
  const namespace = context.storage.get(keyOf(type, undefined, name))
  if (namespace?.metadata.deletionTimestamp === undefined) return
  const left = storedTypes(context).some(
    (content) => content.namespaced && context.storage.count(collectionOf(content, name)) > 0,
  )
  if (left || (namespace.metadata.finalizers ?? []).length > 0) return
  context.storage.remove(keyOf(type, undefined, name), namespace, revisionOf(namespace))
}

/** A definition that ends is gone with its last object. */
function finishDefinition(
  context: Context,
  type: ResourceType,
  name = `${type.resource}.${type.group}`,
): void {
  const definitions = context.registry.find('apiextensions.k8s.io', 'v1', 'customresourcedefinitions')
  if (definitions === undefined) return
  const key = keyOf(definitions, undefined, name)
  const crd = context.storage.get(key)
  if (crd?.metadata.deletionTimestamp === undefined || (crd.metadata.finalizers ?? []).length > 0) return
  if (context.storage.count(collectionOf(type, undefined)) > 0 && type !== definitions) return
  context.storage.remove(key, crd, revisionOf(crd))
  context.registry.refresh()
}
