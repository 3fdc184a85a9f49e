// Has the API server ask this leader about static pods that are made. A cluster can be led without: then an event tells a pod that is in
// another zone than its address.
import { readAsset } from '../base/asset.ts'
import type { Random } from '../base/random.ts'
import { errorCode, IpamError } from '../ipam/errors.ts'
import type { JsonObject } from '../wire/json.ts'
import type { KubeClient } from './client.ts'
import { type InstallTools, installObject, manifestObjects } from './install-object.ts'
import { at, listAt } from './json.ts'
import { keepTrying } from './keep-trying.ts'

export const staticIpWebhookName = 'tke-eni-static-ip'

export interface WebhookPlace {
  /** Where the leader is asked, behind the Service of its API; a secret. */
  readonly path: string
  /** PEM. */
  readonly authority: string
}

const what = 'MutatingWebhookConfiguration'
const collection = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations'

/** Idempotent. Throws as KubeClient.call. */
export async function installStaticIpWebhook(place: WebhookPlace, tools: InstallTools): Promise<void> {
  const text = readAsset('./manifests/static-ip-webhook.yaml', import.meta.url)
    .replaceAll('$' + '{PATH}', place.path)
    .replaceAll('$' + '{CA}', Buffer.from(place.authority).toString('base64'))
  for (const wanted of manifestObjects(text, 'static-ip-webhook.yaml')) {
    await needConditions(wanted, tools)
    await installObject({ what, collection, wanted }, tools)
  }
}

const understood = new WeakSet<KubeClient>()

/** An API server that does not know conditions drops them, and would ask about every pod: seen before it does. */
async function needConditions(wanted: JsonObject, { client, signal }: InstallTools): Promise<void> {
  if (understood.has(client)) return
  const doing = `try ${what} "${staticIpWebhookName}"`
  const request = { doing, method: 'POST', path: collection, query: { dryRun: 'All' }, body: wanted } as const
  const tried = await client
    .call(signal === undefined ? request : { ...request, signal })
    .catch((error: unknown) => {
      if (errorCode(error) === 'conflict') return undefined // it is there
      throw error
    })
  const isKept = tried === undefined || listAt(at(tried, 'webhooks', '0'), 'matchConditions').length > 0
  if (isKept) return void understood.add(client)
  throw new IpamError(
    'bad_input',
    `Cannot install ${what} "${staticIpWebhookName}": the API server knows no conditions`,
    {
      hint: 'Kubernetes 1.28 and later do',
    },
  )
}

/** Idempotent; who may not remove it has none. Throws as KubeClient.call. */
export async function removeStaticIpWebhook({ client, log, signal }: InstallTools): Promise<void> {
  const request = {
    doing: `delete ${what} "${staticIpWebhookName}"`,
    method: 'DELETE',
    path: `${collection}/${staticIpWebhookName}`,
  } as const
  try {
    await client.call(signal === undefined ? request : { ...request, signal })
    log.info(`${what} deleted`, { name: staticIpWebhookName })
  } catch (error) {
    const code = errorCode(error)
    if (code !== 'not_found' && code !== 'denied') throw error
  }
}

const retry = { firstMs: 1000, maxMs: 600_000 }
/** Somebody may delete or change it, the authority is another some day, and settings change. */
const lookEvery = 60_000

/**
 * Keeps it installed as `place` says by then, or removed when that is undefined, until `signal` aborts or another leader has come, and
 * warns once of each obstacle to having it. Never rejects.
 */
export async function keepStaticIpWebhook(
  place: () => WebhookPlace | undefined,
  tools: InstallTools & { readonly random: Random },
  signal: AbortSignal,
): Promise<void> {
  let wanted: WebhookPlace | undefined
  let removed = false
  const effort = {
    async attempt() {
      wanted = place()
      if (wanted !== undefined) await installStaticIpWebhook(wanted, { ...tools, signal })
      else if (!removed) await removeStaticIpWebhook({ ...tools, signal })
      removed = wanted === undefined
    },
    lookEvery,
    retry,
    meanwhile: () =>
      wanted === undefined ? undefined : 'static pods are not kept to the zones of their addresses',
  }
  await keepTrying(effort, tools, signal)
}
