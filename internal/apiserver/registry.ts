// Which resources are served now: the built-in ones and those of the CRDs in storage.

import { builtinResources } from './builtin-resources.ts'
import { customResources } from './custom-resource.ts'
import type { ResourceType } from './resource.ts'
import type { Storage } from './storage.ts'

const crds = { group: 'apiextensions.k8s.io', resource: 'customresourcedefinitions' }

export interface Registry {
  all(): readonly ResourceType[]
  find(group: string, version: string, resource: string): ResourceType | undefined
  /** To be called when a CRD has been written or removed. */
  refresh(): void
}

/** A server with only these resources, as an aggregated API has. */
export function fixedRegistry(types: readonly ResourceType[]): Registry {
  return {
    all: () => types,
    find: (group, version, resource) =>
      types.find((type) => type.group === group && type.version === version && type.resource === resource),
    refresh() {},
  }
}

/** The built-in resources, `more`, and those of the CRDs in `storage`. */
export function clusterRegistry(storage: Storage, more: readonly ResourceType[] = []): Registry {
  let current = read()
  function read(): Registry {
    const custom = storage.list(crds).items.flatMap(customResources)
    return fixedRegistry([...builtinResources, ...more, ...custom])
  }
  return {
    all: () => current.all(),
    find: (group, version, resource) => current.find(group, version, resource),
    refresh: () => {
      current = read()
    },
  }
}
