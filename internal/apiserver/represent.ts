// How objects are shown: as they are, as rows of a table, or as their metadata alone.
import type { JsonObject, KubeObject } from './object.ts'
import { apiVersionOf, type ResourceType } from './resource.ts'
import { notAcceptable } from './status-error.ts'

export interface Representation {
  readonly contentType: string
  one(object: KubeObject): JsonObject
  list(items: readonly KubeObject[], metadata: JsonObject): JsonObject
  /** The object of a watch event. */
  event(object: KubeObject): JsonObject
  bookmark(metadata: JsonObject): JsonObject
}

/** What the Accept header prefers among what can be given. Throws StatusError 406 when nothing fits. */
export function negotiate(
  accept: string | undefined,
  query: URLSearchParams,
  type: ResourceType,
  now: () => number,
): Representation {
  for (const clause of (accept ?? '').split(',')) {
    const [media = '', ...parameters] = clause.split(';').map((part) => part.trim())
    if (!['', '*/*', 'application/*', 'application/json'].includes(media)) continue
    const given = Object.fromEntries(parameters.map((parameter) => parameter.split('=') as [string, string]))
    const { as, g, v = '' } = given
    if (as === undefined) return plain(type)
    if (g !== 'meta.k8s.io' || !['v1', 'v1beta1'].includes(v)) continue
    if (as === 'Table') return table(type, query.get('includeObject') ?? 'Metadata', now, v)
    if (as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList') return partial(v)
  }
  throw notAcceptable()
}

function plain(type: ResourceType): Representation {
  const apiVersion = apiVersionOf(type)
  return {
    contentType: 'application/json',
    one: (object) => object,
    // Items of a list do not repeat what the list says, but for custom resources, which kubectl shows as they are.
    list: (items, metadata) => ({
      kind: type.listKind,
      apiVersion,
      metadata,
      items: type.strategic === undefined ? [...items] : items.map(withoutType),
    }),
    event: (object) => object,
    bookmark: (metadata) => ({ kind: type.kind, apiVersion, metadata }),
  }
}

function withoutType({ apiVersion: _, kind: __, ...rest }: KubeObject): JsonObject {
  return rest
}

function partial(version: string): Representation {
  const apiVersion = `meta.k8s.io/${version}`
  const one = ({ metadata }: { metadata: JsonObject }): JsonObject => ({
    kind: 'PartialObjectMetadata',
    apiVersion,
    metadata,
  })
  return {
    contentType: 'application/json',
    one,
    list: (items, metadata) => ({
      kind: 'PartialObjectMetadataList',
      apiVersion,
      metadata,
      items: items.map(one),
    }),
    event: one,
    bookmark: (metadata) => one({ metadata }),
  }
}

function table(type: ResourceType, include: string, now: () => number, version: string): Representation {
  const { columns, cells } = type.printer
  const metadataOnly = partial(version)
  const definitions = columns.map(
    ({ name, type: cellType, format = '', description = '', priority = 0 }) => ({
      name,
      type: cellType,
      format,
      description,
      priority,
    }),
  )
  const row = (object: KubeObject): JsonObject => ({
    cells: [...cells(object, now())],
    object: include === 'None' ? null : include === 'Object' ? object : metadataOnly.one(object),
  })
  const rows = (items: readonly KubeObject[], metadata: JsonObject): JsonObject => ({
    kind: 'Table',
    apiVersion: `meta.k8s.io/${version}`,
    metadata,
    columnDefinitions: definitions,
    rows: items.map(row),
  })
  const revision = ({ metadata }: KubeObject): JsonObject => ({ resourceVersion: metadata.resourceVersion })
  return {
    contentType: 'application/json',
    one: (object) => rows([object], revision(object)),
    list: rows,
    event: (object) => rows([object], revision(object)),
    bookmark: (metadata) => ({
      ...rows([], metadata),
      rows: [{ cells: columns.map(() => ''), object: metadataOnly.one({ metadata } as KubeObject) }],
    }),
  }
}
