// The NEC's address in the API, and the writes of both sides. The leader's say which epoch they are of, and the API server
// itself refuses them once the NEC is of a later one.
import type { Log } from '../base/log.ts'
import { isLater } from '../ipam/epoch.ts'
import { errorCode, IpamError } from '../ipam/errors.ts'
import type { NodeName } from '../ipam/types.ts'
import type { KubeClient } from './client.ts'
import { KubeError } from './error.ts'
import { at, textAt } from './json.ts'
import { listAll } from './list.ts'
import { reflectorDefaults } from './reflector.ts'

export const necGroup = 'networking.tke.cloud.tencent.com'
export const necCollection = `/apis/${necGroup}/v1/nodeeniconfigs`

/** The path of one NEC, which has its node's name. */
export function necPath(name: NodeName): string {
  return `${necCollection}/${encodeURIComponent(name)}`
}

export type NecPart = 'spec' | 'status'
type Fields = Readonly<Record<string, unknown>>

/** How often a write is repeated when it conflicts with another one. */
const maxConflicts = 4

/** Merges `body` into the NEC (or its status) and returns it as it is then. Throws as KubeClient.call; not_found when there is none. */
export async function mergeNec(
  client: KubeClient,
  name: NodeName,
  part: NecPart,
  body: unknown,
): Promise<unknown> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await patchNec(client, name, part, body)
    } catch (error) {
      // Our fields are ours alone, so the same patch is right whatever the other writer did.
      if (errorCode(error) !== 'conflict' || attempt >= maxConflicts) throw error
    }
  }
}

/**
 * Sets these fields of a NEC that is of `epoch`, whatever else is written at the same time; undefined, and nothing is changed, when it
 * is of another epoch or has no such part yet.
 */
export async function setNecFields(
  client: KubeClient,
  name: NodeName,
  part: NecPart,
  fields: Fields,
  epoch: number,
): Promise<unknown> {
  const test = { op: 'test', path: '/spec/leaderEpoch', value: epoch }
  const set = Object.entries(fields).map(([key, value]) => ({ op: 'add', path: `/${part}/${key}`, value }))
  try {
    return await mergeNec(client, name, part, [test, ...set])
  } catch (error) {
    if (isUnfit(error)) return undefined
    throw error
  }
}

/** Merges fields into the NEC as it was at `version`. Throws conflict when it has changed since. */
export function mergeNecAt(
  client: KubeClient,
  name: NodeName,
  part: NecPart,
  fields: Fields,
  version: string,
): Promise<unknown> {
  return patchNec(client, name, part, { metadata: { resourceVersion: version }, [part]: fields })
}

export interface StoredNec {
  readonly uid: string
  readonly version: string
  readonly object: unknown
}

/** The NEC as it is; undefined when there is none. Throws `deposed` when it is of a later epoch than `epoch`. */
export async function readNec(
  client: KubeClient,
  name: NodeName,
  epoch: number,
): Promise<StoredNec | undefined> {
  try {
    return storedNec(name, await client.call({ doing: `get NEC "${name}"`, path: necPath(name) }), epoch)
  } catch (error) {
    if (errorCode(error) === 'not_found') return undefined
    throw error
  }
}

/** What the API server has answered, as `readNec`. */
export function storedNec(name: NodeName, object: unknown, epoch: number): StoredNec {
  const found = epochOf(object)
  if (isLater(found, epoch))
    throw new IpamError(
      'deposed',
      `Cannot write NEC "${name}" in epoch ${epoch}: a leader of epoch ${found} has written it`,
    )
  const version = textAt(object, 'metadata', 'resourceVersion') ?? ''
  return { uid: textAt(object, 'metadata', 'uid') ?? '', version, object }
}

/** The epochs that NECs show; none when there are none, or the API server does not know NECs. Throws as KubeClient.call. */
export async function necEpochs(
  client: KubeClient,
  log: Log,
  signal: AbortSignal,
): Promise<readonly number[]> {
  const source = { what: 'NECs', path: necCollection, read: epochOf, freshness: 'consistent' as const }
  try {
    const tools = { client, log, signal, limits: reflectorDefaults, newest: undefined }
    return (await listAll(source, tools)).items
  } catch (error) {
    if (errorCode(error) === 'not_found') return []
    throw error
  }
}

/** 0 when there is none, or it is not readable. */
export function epochOf(nec: unknown): number {
  const epoch = at(nec, 'spec', 'leaderEpoch')
  return typeof epoch === 'number' && Number.isSafeInteger(epoch) ? epoch : 0
}

function patchNec(client: KubeClient, name: NodeName, part: NecPart, body: unknown): Promise<unknown> {
  return client.call({
    doing: `write ${part} of NEC "${name}"`,
    method: 'PATCH',
    path: part === 'status' ? `${necPath(name)}/status` : necPath(name),
    body,
  })
}

/** A JSON patch that does not fit: its test fails, or the object it adds a field to is not there. */
function isUnfit(error: unknown): boolean {
  return error instanceof KubeError && error.status === 422
}
