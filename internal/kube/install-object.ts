// Brings an object that the API server acts on up to this version's: a definition or a rule, from a manifest of ours.

import { type Clock, sleep } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { errorCode, IpamError } from '../ipam/errors.ts'
import { keyPrefix } from '../ipam/names.ts'
import type { JsonObject } from '../wire/json.ts'
import { parseManifest } from '../wire/manifest.ts'
import type { KubeClient } from './client.ts'
import { at, holds, textAt } from './json.ts'
import type { KubeRequest } from './send.ts'

export interface Installable {
  /** For messages and logs: "CRD". */
  readonly what: string
  /** The path of its collection. */
  readonly collection: string
  readonly wanted: JsonObject
}

export interface InstallTools {
  readonly client: KubeClient
  readonly clock: Clock
  readonly log: Log
  /** Ends a request that is under way. */
  readonly signal?: AbortSignal
}

/** Raised with every change of a manifest, so that an older leader never takes a field from a newer one. */
const revisionAnnotation = `${keyPrefix}manifest-revision`
const maxRaces = 5

/** Idempotent; returns the object as it is then. Throws as KubeClient.call; not_found when the API server does not know such objects. */
export async function installObject(installable: Installable, tools: InstallTools): Promise<unknown> {
  for (let race = 0; ; race++) {
    try {
      return await ensure(installable, tools)
    } catch (error) {
      const code = errorCode(error)
      if ((code !== 'conflict' && code !== 'not_found') || race >= maxRaces) throw error
    }
    await sleep(tools.clock, 100)
  }
}

/** The objects of manifests/<name>. */
export function manifestObjects(text: string, name: string): readonly JsonObject[] {
  const objects = parseManifest(text)
  if (objects === undefined || objects.length === 0)
    throw new IpamError('bad_input', `Cannot read ${name}: it is not YAML objects`)
  return objects
}

async function ensure({ what, collection, wanted }: Installable, { client, log, signal }: InstallTools) {
  const call = (request: KubeRequest) => client.call(signal === undefined ? request : { ...request, signal })
  const name = textAt(wanted, 'metadata', 'name') ?? ''
  const path = `${collection}/${name}`
  const now = await find(call, `get ${what} "${name}"`, path)
  if (now === undefined) {
    const created = await call({
      doing: `create ${what} "${name}"`,
      method: 'POST',
      path: collection,
      body: wanted,
    })
    log.info(`${what} created`, { name })
    return created
  }
  if (holds(now, wanted)) return now
  if (revisionOf(now) > revisionOf(wanted)) {
    log.warn(`${what} of a newer version kept`, { name, revision: revisionOf(now) })
    return now
  }
  const updated = await call({
    doing: `update ${what} "${name}"`,
    method: 'PUT',
    path,
    body: over(now, wanted),
  })
  log.info(`${what} updated`, { name })
  return updated
}

async function find(call: KubeClient['call'], doing: string, path: string): Promise<unknown> {
  try {
    return await call({ doing, path })
  } catch (error) {
    if (errorCode(error) === 'not_found') return undefined
    throw error
  }
}

/** `wanted` in place of `now`, keeping what others said in its metadata. */
function over(now: unknown, wanted: JsonObject): JsonObject {
  const old = (at(now, 'metadata') ?? {}) as JsonObject
  const mine = (at(wanted, 'metadata') ?? {}) as JsonObject
  const merged = (key: string) => ({
    ...(old[key] as object | undefined),
    ...(mine[key] as object | undefined),
  })
  return {
    ...wanted,
    metadata: { ...old, ...mine, labels: merged('labels'), annotations: merged('annotations') },
  }
}

function revisionOf(object: unknown): number {
  return Number(textAt(object, 'metadata', 'annotations', revisionAnnotation) ?? 0)
}
