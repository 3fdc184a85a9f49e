// get and list: selectors, pages of one consistent state, resourceVersion semantics.
import { asObject, isObject, type JsonObject, type KubeObject } from './object.ts'
import { negotiate } from './represent.ts'
import { type Answer, type Call, jsonAnswer } from './request.ts'
import { parseFieldSelector, parseLabelSelector, pinnedName } from './selector.ts'
import { badRequest, expired, invalid, notFound, StatusError, tooLargeVersion } from './status-error.ts'
import type { Collection, Page } from './storage.ts'
import { collectionOf, load, shown } from './stored-object.ts'

export function getObject(call: Call): Answer {
  const { context, type, path, query } = call
  atLeast(call, query.get('resourceVersion'))
  const name = path.name ?? ''
  const object = load(context, type, path.namespace, name)
  if (object === undefined) throw notFound(type, name)
  const as = negotiate(call.headers['accept'], query, type, () => context.clock.now())
  return jsonAnswer(200, as.one(object), as.contentType)
}

export function listObjects(call: Call): Answer {
  const { context, type, query } = call
  const as = negotiate(call.headers['accept'], query, type, () => context.clock.now())
  const { items, ending } = select(call)
  return jsonAnswer(200, as.list(items, listMetadata(ending)), as.contentType)
}

/** How a list ends: of which state it is, and where it goes on when it has a limit. */
export interface Ending {
  readonly revision: number
  readonly next: string | undefined
  readonly remaining: number | undefined
}

export interface Selection {
  readonly items: readonly KubeObject[]
  readonly ending: Ending
}

/** A part of a list; the last one has its ending. */
export interface Batch {
  readonly items: readonly KubeObject[]
  readonly ending: Ending | undefined
}

export function listMetadata({ next, remaining, revision }: Ending): JsonObject {
  return {
    resourceVersion: String(revision),
    ...(next === undefined ? {} : { continue: next }),
    ...(remaining === undefined ? {} : { remainingItemCount: remaining }),
  }
}

interface Position {
  readonly namespace: string
  readonly name: string
}

/** What the list parameters of `call` select, all at once. */
export function select(call: Call): Selection {
  const all: KubeObject[] = []
  for (const { items, ending } of batches(call, undefined)) {
    for (const item of items) all.push(item)
    if (ending !== undefined) return { items: all, ending }
  }
  throw new Error('Cannot select objects: the list has no end')
}

/** The same in parts, each of what about `atOnce` objects in a row give: all of the state that the first one was read of. */
export function* batches(call: Call, atOnce: number | undefined): Generator<Batch, undefined> {
  const { context, type, query, path } = call
  const matches = selectorOf(call)
  const limit = limitOf(query.get('limit'))
  const token = query.get('continue')
  const from = token === null || token === '' ? undefined : decodeContinue(token)
  if (from !== undefined && !['', '0', null].includes(query.get('resourceVersion'))) {
    throw badRequest('specifying resource version is not allowed when using continue')
  }
  const collection = collectionOf(type, path.namespace)
  const exact = from?.revision ?? exactVersion(call)
  const name = exact === undefined ? oneName(call) : undefined
  if (name !== undefined) {
    const object = load(context, type, path.namespace, name)
    const items = object !== undefined && matches(object) ? [object] : []
    yield { items, ending: { revision: context.storage.revision(), next: undefined, remaining: undefined } }
    return
  }
  let at = exact
  let after: Position | undefined = from?.after
  let count = 0
  for (;;) {
    const left = limit === undefined ? undefined : limit - count
    const wanted = hasSelector(query) ? (atOnce ?? limit) : least(left, atOnce)
    const page = listPage(call, () => context.storage.list(collection, { at, after, limit: wanted }), after)
    const items: KubeObject[] = []
    for (const stored of page.items) {
      const object = shown(type, stored)
      const position = { namespace: stored.metadata.namespace ?? '', name: stored.metadata.name ?? '' }
      if (items.length === left) {
        const next = encodeContinue(page.revision, after ?? position)
        yield { items, ending: { revision: page.revision, next, remaining: undefined } }
        return
      }
      after = position
      if (matches(object)) items.push(object)
    }
    count += items.length
    const isEnd = !page.more || after === undefined || (left !== undefined && items.length === left)
    yield { items, ending: isEnd ? endingOf(call, page, collection, after) : undefined }
    if (isEnd) return
    at = page.revision
  }
}

function hasSelector(query: URLSearchParams): boolean {
  return Boolean(query.get('labelSelector')) || Boolean(query.get('fieldSelector'))
}

function least(left: number | undefined, atOnce: number | undefined): number | undefined {
  return left === undefined || atOnce === undefined ? (left ?? atOnce) : Math.min(left, atOnce)
}

function endingOf(
  { context, query }: Call,
  { more, revision }: Page,
  collection: Collection,
  after: Position | undefined,
): Ending {
  if (!more || after === undefined) return { revision, next: undefined, remaining: undefined }
  const remaining = hasSelector(query)
    ? undefined
    : context.storage.count(collection, { at: revision, after })
  return { revision, next: encodeContinue(revision, after), remaining }
}

/** The only name that the list can have, where it tells one object from all others. */
function oneName({ path, query, type }: Call): string | undefined {
  const isAlone = path.namespace !== undefined || !type.namespaced
  return isAlone ? (path.name ?? pinnedName(query.get('fieldSelector'))) : undefined
}

/** The label and field selectors of `call` and the name in its path, as one test. */
export function selectorOf({ query, type, path }: Call): (object: KubeObject) => boolean {
  const labels = parseLabelSelector(query.get('labelSelector'))
  const fields = parseFieldSelector(query.get('fieldSelector'), type)
  const name = path.name ?? pinnedName(query.get('fieldSelector'))
  return (object) => (name === undefined || object.metadata.name === name) && labels(object) && fields(object)
}

function limitOf(text: string | null): number | undefined {
  if (text === null || text === '' || text === '0') return undefined
  if (!/^\d+$/.test(text)) throw badRequest(`invalid limit "${text}"`)
  return Number(text)
}

function listPage(call: Call, read: () => Page, after: Position | undefined): Page {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof StatusError) || error.code !== 410 || after === undefined) throw error
    // The client may go on from here in the present state, if it accepts that the list is not of one moment.
    const fresh = encodeContinue(call.context.storage.revision(), after)
    const message =
      'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results.'
    throw expired(message, { continue: fresh })
  }
}

/** The revision a list must be of, or undefined when the newest will do. */
function exactVersion(call: Call): number | undefined {
  const asked = call.query.get('resourceVersion') ?? ''
  const match = call.query.get('resourceVersionMatch') ?? ''
  if (match !== '' && asked === '') {
    const message = 'Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided'
    throw invalid({ group: 'meta.k8s.io', resource: 'ListOptions', kind: 'ListOptions' }, '', [
      { reason: 'FieldValueForbidden', message, field: 'resourceVersionMatch' },
    ])
  }
  const version = atLeast(call, asked)
  // A limit without a match rule means this very state, by history.
  const exact = match === 'Exact' || (match === '' && call.query.has('limit'))
  return exact && version !== undefined && version > 0 ? version : undefined
}

/** Throws StatusError 400 when it is no version, 504 when there has not been such a version yet. */
function atLeast({ context }: Call, text: string | null): number | undefined {
  if (text === null || text === '') return undefined
  const version = parseVersion(text)
  const current = context.storage.revision()
  if (version > current) throw tooLargeVersion(version, current)
  return version
}

export function parseVersion(text: string): number {
  if (!/^\d{1,15}$/.test(text))
    throw badRequest(`Invalid value: "${text}": strconv.ParseUint: parsing "${text}": invalid syntax`)
  return Number(text)
}

function encodeContinue(revision: number, { namespace, name }: Position): string {
  return Buffer.from(JSON.stringify({ v: 1, revision, namespace, name })).toString('base64url')
}

function decodeContinue(token: string): { revision: number; after: Position } {
  try {
    const value = asObject(JSON.parse(Buffer.from(token, 'base64url').toString('utf8')))
    const { v, revision, namespace, name } = value
    if (
      isObject(value) &&
      v === 1 &&
      typeof revision === 'number' &&
      typeof namespace === 'string' &&
      typeof name === 'string'
    ) {
      return { revision, after: { namespace, name } }
    }
  } catch {
    // Not a token of ours: refused below.
  }
  throw badRequest('continue key is not valid')
}
