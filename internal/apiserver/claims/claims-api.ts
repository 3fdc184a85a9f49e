// The API group of claims over a ledger. Reading is as of any resource; deleting a claim is asking the leader to give back what it has.
import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import { createTurns, type NextTurn } from '../../base/turns.ts'
import { IpamError } from '../../ipam/errors.ts'
import type { ClaimFeed, ClaimRelease, ReleaseRefusal } from '../../ports.ts'
import { type Actions, answering, refusalOf, route, standardActions } from '../api.ts'
import { checkPreconditions, type DeleteOptions, deleteOptions } from '../delete.ts'
import { listInTurns, selectInTurns } from '../list-in-turns.ts'
import type { KubeObject } from '../object.ts'
import { type Ending, listMetadata } from '../read.ts'
import { fixedRegistry } from '../registry.ts'
import { negotiate } from '../represent.ts'
import {
  type Answer,
  type ApiAnswer,
  type ApiRequest,
  type Call,
  type Context,
  jsonAnswer,
  type StreamedAnswer,
} from '../request.ts'
import type { ResourceType } from '../resource.ts'
import { type About, badRequest, type Cause, conflict, notFound, StatusError } from '../status-error.ts'
import { load } from '../stored-object.ts'
import { watchObjects } from '../watch.ts'
import type { ClaimExpiry } from './claim-columns.ts'
import { claimResources } from './claim-resources.ts'
import { claimStorage } from './claim-storage.ts'
import { type ClaimKind, type ClaimView, viewNamed } from './claim-views.ts'

export type ClaimReleases = Readonly<Record<ClaimKind, ClaimRelease>>

export interface ClaimsApiParts {
  readonly feed: ClaimFeed
  readonly releases: ClaimReleases
  readonly clock: Clock
  readonly random: Random
  /** Why the ledger cannot be asked yet; undefined when it can. */
  readonly obstacle?: () => string | undefined
  readonly claimExpiry: ClaimExpiry
}

export type ClaimsAnswer = ApiAnswer | StreamedAnswer | Promise<Answer>

export interface ClaimsApi {
  /** As Api.handle, but a deletion is answered later, when it is stored, and a long list in parts. */
  handle(request: ApiRequest): ClaimsAnswer
  /** The same for whoever may do everything; a deletion may go through although the pod runs. */
  handleLocal(request: ApiRequest): ClaimsAnswer
  /** To be called when claims may have changed. */
  changed(): void
  close(): void
}

/** In the query: "true" takes it from a pod that runs. Not heard from the cluster: what others ask for is never forced. */
export const forceParameter = 'force'

/** Tells whoever was refused that force would help, and nobody where it would not. */
const forceHelps: Cause = {
  reason: 'ForceHelps',
  message: 'it is released by force',
  field: forceParameter,
}

export function createClaimsApi(parts: ClaimsApiParts): ClaimsApi {
  const { feed, releases, clock, random, obstacle, claimExpiry } = parts
  const storage = claimStorage(feed, clock)
  const registry = fixedRegistry(claimResources(claimExpiry))
  const context: Context = { storage, clock, random, policies: [], registry }
  const turns = createTurns(clock)
  let closed = false
  const nextTurn: NextTurn = async () => {
    await turns()
    if (closed) await never // whoever asked is cut off by now, and the ledger is closed next
  }
  const actions = (local: boolean): Actions<StreamedAnswer | Promise<Answer>> => {
    const desk = (call: Call): Desk => {
      const view = viewNamed(call.type)
      const force = local && call.query.get(forceParameter) === 'true'
      return { feed, view, release: releases[view.kind], force, nextTurn }
    }
    return {
      ...standardActions,
      get: (call) => standardActions.get(ready(call)),
      list: (call) => listInTurns(ready(call), nextTurn),
      watch: (call) => watchObjects(ready(call), nextTurn),
      delete: (call) => deleteClaim(ready(call), desk(call)).catch(refusalOf),
      deletecollection: (call) => deleteClaims(ready(call), desk(call)).catch(refusalOf),
    }
  }
  /** Nobody shall take what is not known yet for what is not there. */
  function ready(call: Call): Call {
    const why = obstacle?.()
    if (why === undefined) return call
    throw new StatusError(503, 'ServiceUnavailable', why, { retryAfterSeconds: 1 })
  }
  const [fromCluster, fromHere] = [actions(false), actions(true)]
  return {
    handle: (request) => answering(() => route(context, request, fromCluster)),
    handleLocal: (request) => answering(() => route(context, request, fromHere)),
    changed: storage.changed,
    close() {
      closed = true
      storage.close()
    },
  }
}

const never = new Promise<never>(() => {})

interface Desk {
  readonly feed: ClaimFeed
  readonly view: ClaimView
  readonly release: ClaimRelease
  readonly force: boolean
  readonly nextTurn: NextTurn
}

async function deleteClaim(call: Call, desk: Desk): Promise<Answer> {
  const { context, type, path } = call
  const name = path.name ?? ''
  const options = deleteOptions(call)
  const object = load(context, type, path.namespace, name)
  if (object === undefined) throw notFound(type, name)
  checkPreconditions(type, object, options)
  const refused = await releaseOne(object, options, desk)
  if (refused !== undefined) throw refusalTo(type, name, refused)
  const now = load(context, type, path.namespace, name)
  // Gone already: the last that was seen of it.
  return shown(call, now !== undefined && now.metadata.uid === object.metadata.uid ? now : object)
}

/** Stored together. */
const atOnce = 50

/** Releases what can be released; then the first refusal, if any, is the answer. */
async function deleteClaims(call: Call, desk: Desk): Promise<Answer> {
  if (desk.force) throw badRequest(`"${forceParameter}" is for one claim, by its name`)
  const options = deleteOptions(call)
  const { items, ending } = await selectAll(call, desk)
  const refusals: StatusError[] = []
  for (let i = 0; i < items.length; i += atOnce) {
    const some = items.slice(i, i + atOnce)
    const outcomes = await Promise.all(some.map((object) => tryRelease(call.type, object, options, desk)))
    refusals.push(...outcomes.filter((refused) => refused !== undefined))
    await desk.nextTurn()
  }
  const [first] = refusals
  if (first !== undefined) {
    const others = refusals.length === 1 ? '' : ` (and ${refusals.length - 1} more)`
    throw new StatusError(first.code, first.reason, first.message + others, first.details)
  }
  const as = negotiate(call.headers['accept'], call.query, call.type, () => call.context.clock.now())
  return jsonAnswer(200, as.list(items, listMetadata(ending)), as.contentType)
}

/** undefined: nothing is in the way. */
async function tryRelease(
  type: ResourceType,
  object: KubeObject,
  options: DeleteOptions,
  desk: Desk,
): Promise<StatusError | undefined> {
  try {
    checkPreconditions(type, object, options)
  } catch (error) {
    if (error instanceof StatusError) return error
    throw error
  }
  const refused = await releaseOne(object, options, desk)
  return refused && refusalTo(type, object.metadata.name ?? '', refused)
}

async function selectAll(
  call: Call,
  { nextTurn }: Desk,
): Promise<{ readonly items: readonly KubeObject[]; readonly ending: Ending }> {
  const all: KubeObject[] = []
  for await (const { items, ending } of selectInTurns(call, nextTurn)) {
    all.push(...items)
    if (ending !== undefined) return { items: all, ending }
  }
  throw new Error('Cannot select claims: the list has no end')
}

/** Why it is not released; undefined when it is, or is gone, or was being released already. */
async function releaseOne(
  { metadata }: KubeObject,
  { dryRun, resourceVersion }: DeleteOptions,
  { feed, release, force, view }: Desk,
): Promise<ReleaseRefusal | undefined> {
  const claim = view.claim(feed, { namespace: metadata.namespace ?? '', name: metadata.name ?? '' })
  if (claim === undefined || claim.uid !== metadata.uid || claim.phase === 'Releasing') return undefined
  const { key, generation } = claim
  const version = resourceVersion === '' ? undefined : Number(resourceVersion)
  try {
    const outcome = await release.release({ pod: claim, key, generation, version, dryRun, force })
    return outcome === 'releasing' ? undefined : outcome
  } catch (error) {
    if (!(error instanceof IpamError)) throw error
    throw new StatusError(503, 'ServiceUnavailable', error.message) // the disk is full, or another one leads
  }
}

function refusalTo(about: About, name: string, refusal: ReleaseRefusal): StatusError {
  return conflict(about, name, refusal.refused, refusal.forceHelps ? [forceHelps] : [])
}

function shown(call: Call, object: KubeObject): Answer {
  const as = negotiate(call.headers['accept'], call.query, call.type, () => call.context.clock.now())
  return jsonAnswer(200, as.one(object), as.contentType)
}
