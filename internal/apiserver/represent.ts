// How objects are shown: as they are, as rows of a table, or as their metadata alone.
import type { JsonObject, KubeObject } from './object.ts'
import { apiVersionOf, type ResourceType } from './resource.ts'
import { notAcceptable } from './status-error.ts'

export interface Representation {
  readonly contentType: string
  one(object: KubeObject): JsonObject
  /** What a list has beside its metadata and its items. */
  readonly frame: JsonObject
  /** The field of a list that has its items. */
  readonly itemsIn: 'items' | 'rows'
  /** What a list has of an object. */
  item(object: KubeObject): JsonObject
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

type Parts = Omit<Representation, 'contentType' | 'list'>

function json(parts: Parts): Representation {
  const { frame, item, itemsIn } = parts
  return {
    ...parts,
    contentType: 'application/json',
    list: (items, metadata) => ({ ...frame, metadata, [itemsIn]: items.map(item) }),
  }
}

function plain(type: ResourceType): Representation {
  const apiVersion = apiVersionOf(type)
  return json({
    one: (object) => object,
    frame: { kind: type.listKind, apiVersion },
    itemsIn: 'items',
    // Items of a list do not repeat what the list says, but for custom resources, which kubectl shows as they are.
    item: type.strategic === undefined ? (object) => object : withoutType,
    event: (object) => object,
    bookmark: (metadata) => ({ kind: type.kind, apiVersion, metadata }),
  })
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
  return json({
    one,
    frame: { kind: 'PartialObjectMetadataList', apiVersion },
    itemsIn: 'items',
    item: one,
    event: one,
    bookmark: (metadata) => one({ metadata }),
  })
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
  const frame = {
    kind: 'Table',
    apiVersion: `meta.k8s.io/${version}`,
    columnDefinitions: definitions,
  }
  const single = (object: KubeObject): JsonObject => {
    const { resourceVersion } = object.metadata
    return { ...frame, metadata: { resourceVersion }, rows: [row(object)] }
  }
  return json({
    one: single,
    frame,
    itemsIn: 'rows',
    item: row,
    event: single,
    bookmark: (metadata) => ({
      ...frame,
      metadata,
      rows: [{ cells: columns.map(() => ''), object: metadataOnly.one({ metadata } as KubeObject) }],
    }),
  })
}
