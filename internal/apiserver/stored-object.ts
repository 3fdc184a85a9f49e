// Reading and writing objects of a resource type: between its form and the stored one.
import type { KubeObject } from './object.ts'
import type { Context } from './request.ts'
import { type ResourceType, storedAs } from './resource.ts'
import type { Collection, Key } from './storage.ts'

export function keyOf(type: ResourceType, namespace: string | undefined, name: string): Key {
  return { ...storedAs(type), namespace: type.namespaced ? (namespace ?? '') : '', name }
}

export function collectionOf(type: ResourceType, namespace: string | undefined): Collection {
  return { ...storedAs(type), namespace: type.namespaced ? namespace : '' }
}

export function shown(type: ResourceType, stored: KubeObject): KubeObject {
  return type.fromStored === undefined ? stored : type.fromStored(stored)
}

export function toStored(type: ResourceType, object: KubeObject): KubeObject {
  return type.toStored === undefined ? object : type.toStored(object)
}

export function load(context: Context, type: ResourceType, namespace: string | undefined, name: string) {
  const stored = context.storage.get(keyOf(type, namespace, name))
  return stored === undefined ? undefined : shown(type, stored)
}

export function revisionOf(object: KubeObject): number {
  return Number(object.metadata.resourceVersion)
}
