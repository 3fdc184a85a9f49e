// How the cluster's API server proves itself to those it passes requests to, as the cluster publishes it.
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import { IpamError } from '../ipam/errors.ts'
import type { KubeClient } from './client.ts'
import { textAt } from './json.ts'
import { keepTrying } from './keep-trying.ts'

/** As the API server's flags --requestheader-… say. */
export interface FrontProxyFact {
  /** PEM of the authorities of its client certificate. */
  readonly clientCa: string
  readonly allowedNames: readonly string[]
  readonly userHeaders: readonly string[]
  readonly groupHeaders: readonly string[]
  readonly uidHeaders: readonly string[]
  readonly extraPrefixes: readonly string[]
}

const path = '/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication'
const doing = 'read how the API server proves itself'
const rereadEvery = 60_000
const retry = { firstMs: 1000, maxMs: 60_000 }

/** Throws as KubeClient.call; `not_found` when the cluster publishes none. */
export async function readFrontProxy(client: KubeClient, signal?: AbortSignal): Promise<FrontProxyFact> {
  const map = await client.call({ doing, path, ...(signal === undefined ? {} : { signal }) })
  const text = (key: string) => textAt(map, 'data', `requestheader-${key}`)
  const clientCa = text('client-ca-file')
  if (clientCa === undefined) {
    throw new IpamError('not_found', `Cannot ${doing}: it has no --requestheader-client-ca-file`, {
      hint: 'API aggregation has to be set up on the API server',
    })
  }
  return {
    clientCa,
    allowedNames: names(text('allowed-names')),
    userHeaders: names(text('username-headers')),
    groupHeaders: names(text('group-headers')),
    uidHeaders: names(text('uid-headers')),
    extraPrefixes: names(text('extra-headers-prefix')),
  }
}

export interface FrontProxyTools {
  readonly client: KubeClient
  readonly clock: Clock
  readonly log: Log
  readonly random: Random
}

/** Tells `hear` what it is, now and whenever it changes, until `signal` aborts. Warns once of each obstacle. Never rejects. */
export async function followFrontProxy(
  { client, clock, log, random }: FrontProxyTools,
  hear: (proxy: FrontProxyFact) => void,
  signal: AbortSignal,
): Promise<void> {
  let heard = ''
  const effort = {
    async attempt() {
      const proxy = await readFrontProxy(client, signal)
      const text = JSON.stringify(proxy)
      if (text !== heard) hear(proxy)
      heard = text
    },
    lookEvery: rereadEvery,
    retry,
    meanwhile: () => 'kubectl cannot get vip, vipc and eipc: the API server cannot be told from others',
  }
  await keepTrying(effort, { clock, log, random }, signal)
}

/** A list of texts as JSON. */
function names(text: string | undefined): readonly string[] {
  try {
    const parsed: unknown = JSON.parse(text ?? '[]')
    return Array.isArray(parsed) ? parsed.filter((each) => typeof each === 'string') : []
  } catch {
    return []
  }
}
