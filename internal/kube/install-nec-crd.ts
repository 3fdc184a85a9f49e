// Teaches the API server what a NEC is: creates the CRD, or brings it up to this version's.
import { readAsset } from '../base/asset.ts'
import { type Clock, sleep } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { errorCode, IpamError } from '../ipam/errors.ts'
import type { JsonObject } from '../wire/json.ts'
import { parseManifest } from '../wire/manifest.ts'
import type { KubeClient } from './client.ts'
import { at, holds, listAt, textAt } from './json.ts'

const collection = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
/** Raised with every change of the manifest, so that an older leader never takes a field from a newer one. */
const revisionAnnotation = 'tke.cloud.tencent.com/manifest-revision'
const maxRaces = 5
const establishedWithin = 30_000

/** Idempotent; resolves when NECs can be used. Throws as KubeClient.call; unavailable when the API server does not accept the CRD in time. */
export async function installNecCrd(client: KubeClient, clock: Clock, log: Log): Promise<void> {
  const wanted = necCrd()
  const deadline = clock.now() + establishedWithin
  for (let race = 0; ; race++) {
    try {
      const now = await ensure(client, wanted, log)
      if (isEstablished(now)) return
    } catch (error) {
      const code = errorCode(error)
      if ((code !== 'conflict' && code !== 'not_found') || race >= maxRaces) throw error
    }
    if (clock.now() > deadline)
      throw new IpamError('unavailable', 'Cannot install the CRD of NECs: it does not become Established')
    await sleep(clock, 100)
  }
}

/** The manifest as an object. */
function necCrd(): JsonObject {
  const [crd] = parseManifest(readAsset('./manifests/nec-crd.yaml', import.meta.url)) ?? []
  if (crd === undefined)
    throw new IpamError('bad_input', 'Cannot read nec-crd.yaml: it is not one YAML object')
  return crd
}

async function ensure(client: KubeClient, wanted: JsonObject, log: Log): Promise<unknown> {
  const name = textAt(wanted, 'metadata', 'name') ?? ''
  const path = `${collection}/${name}`
  const now = await find(client, path)
  if (now === undefined) {
    log.info('CRD created', { name })
    return client.call({ doing: `create CRD "${name}"`, method: 'POST', path: collection, body: wanted })
  }
  if (holds(now, wanted)) return now
  if (revisionOf(now) > revisionOf(wanted)) {
    log.warn('CRD of a newer version kept', { name, revision: revisionOf(now) })
    return now
  }
  log.info('CRD updated', { name })
  return client.call({ doing: `update CRD "${name}"`, method: 'PUT', path, body: over(now, wanted) })
}

async function find(client: KubeClient, path: string): Promise<unknown> {
  try {
    return await client.call({ doing: 'get the CRD of NECs', path })
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

function isEstablished(crd: unknown): boolean {
  return listAt(crd, 'status', 'conditions').some(
    (each) => at(each, 'type') === 'Established' && at(each, 'status') === 'True',
  )
}

function revisionOf(crd: unknown): number {
  return Number(textAt(crd, 'metadata', 'annotations', revisionAnnotation) ?? 0)
}
