// What the server serves, in the forms that clients ask for: lists per group and version, or all at once.
import type { JsonObject } from './object.ts'
import { type Answer, jsonAnswer } from './request.ts'
import { apiVersionOf, type ResourceType } from './resource.ts'

/** The answer to a discovery path, or undefined when it is none. */
export function discover(
  path: string,
  accept: string | undefined,
  types: readonly ResourceType[],
): Answer | undefined {
  const steps = path.split('/').filter((step) => step !== '')
  const [root, group, version, ...rest] = steps
  if (root === 'api') {
    if (group === undefined) return aggregated(accept, coreTypes(types)) ?? jsonAnswer(200, apiVersions)
    if (group === 'v1' && version === undefined) return jsonAnswer(200, resourceList('', 'v1', types))
    return undefined
  }
  if (root !== 'apis' || rest.length > 0) return undefined
  const groups = groupNames(types)
  if (group === undefined) {
    const named = types.filter((type) => type.group !== '')
    return aggregated(accept, named) ?? jsonAnswer(200, groupList(groups, types))
  }
  if (!groups.includes(group)) return undefined
  if (version === undefined)
    return jsonAnswer(200, { kind: 'APIGroup', apiVersion: 'v1', ...apiGroup(group, types) })
  if (!versionsOf(group, types).includes(version)) return undefined
  return jsonAnswer(200, resourceList(group, version, types))
}

const apiVersions = { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] }

function coreTypes(types: readonly ResourceType[]): readonly ResourceType[] {
  return types.filter(({ group }) => group === '')
}

function groupNames(types: readonly ResourceType[]): string[] {
  return [...new Set(types.map(({ group }) => group))].filter((group) => group !== '')
}

function versionsOf(group: string, types: readonly ResourceType[]): string[] {
  return [...new Set(types.filter((type) => type.group === group).map(({ version }) => version))]
}

function groupList(groups: readonly string[], types: readonly ResourceType[]): JsonObject {
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map((group) => apiGroup(group, types)) }
}

function apiGroup(group: string, types: readonly ResourceType[]): JsonObject {
  const versions = versionsOf(group, types).map((version) => ({
    groupVersion: apiVersionOf({ group, version }),
    version,
  }))
  return { name: group, versions, ...(versions[0] === undefined ? {} : { preferredVersion: versions[0] }) }
}

function resourceList(group: string, version: string, types: readonly ResourceType[]): JsonObject {
  const served = types.filter((type) => type.group === group && type.version === version)
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: apiVersionOf({ group, version }),
    resources: served.flatMap((type) => [
      {
        name: type.resource,
        singularName: type.singular,
        namespaced: type.namespaced,
        kind: type.kind,
        verbs: [...type.verbs],
        ...(type.shortNames.length === 0 ? {} : { shortNames: [...type.shortNames] }),
        ...(type.categories.length === 0 ? {} : { categories: [...type.categories] }),
      },
      ...subresources(type).map(({ name, kind, verbs }) => ({
        name: `${type.resource}/${name}`,
        singularName: '',
        namespaced: type.namespaced,
        kind,
        verbs,
      })),
    ]),
  }
}

interface Subresource {
  readonly name: string
  readonly kind: string
  readonly verbs: string[]
}

function subresources(type: ResourceType): Subresource[] {
  const status: Subresource[] = type.hasStatus
    ? [{ name: 'status', kind: type.kind, verbs: ['get', 'patch', 'update'] }]
    : []
  const binds = type.group === '' && type.resource === 'pods'
  return binds ? [{ name: 'binding', kind: 'Binding', verbs: ['create'] }, ...status] : status
}

/** apidiscovery.k8s.io: everything in one document, for clients that ask for it. */
function aggregated(accept: string | undefined, types: readonly ResourceType[]): Answer | undefined {
  const version = /g=apidiscovery\.k8s\.io;v=(v2|v2beta1);as=APIGroupDiscoveryList/.exec(accept ?? '')?.[1]
  if (version === undefined) return undefined
  const groups = [...new Set(types.map(({ group }) => group))]
  const document = {
    kind: 'APIGroupDiscoveryList',
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items: groups.map((group) => ({
      metadata: group === '' ? {} : { name: group },
      versions: versionsOf(group, types).map((of) => ({
        version: of,
        freshness: 'Current',
        resources: types.filter((type) => type.group === group && type.version === of).map(discovered),
      })),
    })),
  }
  return jsonAnswer(
    200,
    document,
    `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`,
  )
}

function discovered(type: ResourceType): JsonObject {
  const { group, version, kind } = type
  const below = subresources(type).map((subresource) => ({
    subresource: subresource.name,
    responseKind: { group: '', version: '', kind: subresource.kind },
    verbs: subresource.verbs,
  }))
  return {
    resource: type.resource,
    responseKind: { group, version, kind },
    scope: type.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: type.singular,
    verbs: [...type.verbs],
    ...(type.shortNames.length === 0 ? {} : { shortNames: [...type.shortNames] }),
    ...(type.categories.length === 0 ? {} : { categories: [...type.categories] }),
    ...(below.length === 0 ? {} : { subresources: below }),
  }
}
