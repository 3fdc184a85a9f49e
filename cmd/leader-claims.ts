// What a leader shows of its claims: to kubectl through the cluster's API server, and to this machine on a socket.
import { join } from 'node:path'
import {
  type AggregatedServer,
  type Hook,
  serveAggregated,
} from '../internal/apiserver/aggregated/serve-aggregated.ts'
import {
  type ClaimReleases,
  type ClaimsApi,
  createClaimsApi,
} from '../internal/apiserver/claims/claims-api.ts'
import { staticIpWebhook } from '../internal/apiserver/claims/static-ip-webhook.ts'
import { serveHandle } from '../internal/apiserver/serve-handle.ts'
import {
  type ServingCertificates,
  servingCertificates,
} from '../internal/apiserver/tls/serving-certificates.ts'
import { backoffDelay } from '../internal/base/backoff.ts'
import { type Clock, sleep, systemClock } from '../internal/base/clock.ts'
import type { Log } from '../internal/base/log.ts'
import type { Random } from '../internal/base/random.ts'
import { randomToken } from '../internal/base/random-token.ts'
import { withHint } from '../internal/ipam/errors.ts'
import type { ZoneOfNodes } from '../internal/ipam/zone-affinity.ts'
import { accessReviews } from '../internal/kube/access-reviews.ts'
import type { KubeClient } from '../internal/kube/client.ts'
import { isStaticPod } from '../internal/kube/facts.ts'
import { followFrontProxy } from '../internal/kube/front-proxy.ts'
import { claimsServiceName, keepClaimsApi } from '../internal/kube/install-claims-api.ts'
import { keepStaticIpWebhook } from '../internal/kube/install-static-ip-webhook.ts'
import { ownAddress } from '../internal/kube/own-address.ts'
import type { ClaimFeed } from '../internal/ports.ts'
import type { Database } from '../internal/sqlite/database.ts'
import { beginChanges, claimFeed, pruneChanges } from '../internal/store/leader/claim-feed.ts'
import { isComplete } from '../internal/store/leader/meta.ts'
import type { Millis } from '../internal/value/millis.ts'
import { claimsSocket } from './claims/place.ts'
import type { LeaderSettings } from './settings/leader-settings.ts'
import { aborted } from './until-signal.ts'

export type ClaimsSettings = Pick<
  LeaderSettings,
  'stateDir' | 'serveClaims' | 'apiBindPort' | 'apiAdvertiseAddress' | 'defaultNetwork'
>

export interface ClaimsParts {
  readonly db: Database
  readonly releases: ClaimReleases
  /** Of its own, so that what people ask never waits for the leader's work, nor the other way round. */
  readonly client: KubeClient
  readonly clock: Clock
  readonly log: Log
  readonly random: Random
  /** How nodes of a zone are labelled; undefined while nobody knows. */
  readonly zone: (name: string) => ZoneOfNodes | undefined
  /** Are pods that come back to their addresses to be kept to their zones, as the settings are now? */
  readonly keepsZones: () => boolean
  /** How long claims are kept that do not say so themselves, as the settings are now. */
  readonly claimExpiry: () => Millis | undefined
}

export interface ServedClaims {
  /** To be called when claims may have changed. */
  changed(): void
  close(): Promise<void>
}

/** Begins; what it needs is tried until it is there. */
export function serveClaims(settings: ClaimsSettings, parts: ClaimsParts): ServedClaims {
  const { db, releases, clock, random, log, claimExpiry } = parts
  const stack = new AsyncDisposableStack()
  beginChanges(db, systemClock.now())
  stack.defer(keepPruned(db, clock, log))
  const obstacle = () =>
    isComplete(db) ? undefined : 'the leader is rebuilding its ledger; try again in a moment'
  const feed = claimFeed(db, clock)
  const api = createClaimsApi({ feed, releases, clock: systemClock, random, obstacle, claimExpiry })
  stack.defer(() => api.close())
  const webhook = webhookOf(settings, parts, feed, obstacle)
  const ends = new AbortController()
  const served = [
    untilServed('this machine', (signal) => serveHere(settings, api, log, signal), parts, ends.signal),
    settings.serveClaims
      ? untilServed(
          'kubectl',
          (signal) => serveToCluster(settings, parts, api, webhook, signal),
          parts,
          ends.signal,
        )
      : keepStaticIpWebhook(() => undefined, parts, ends.signal),
  ]
  stack.defer(async () => {
    ends.abort()
    await Promise.all(served)
  })
  return { changed: api.changed, close: () => stack.disposeAsync() }
}

/** Only this process and the API server, by its configuration, know its path. */
function webhookOf(
  { defaultNetwork }: ClaimsSettings,
  { keepsZones, log, random, zone }: ClaimsParts,
  feed: ClaimFeed,
  obstacle: () => string | undefined,
): Hook {
  const handle = staticIpWebhook({
    feed,
    zone,
    log,
    isStatic: (pod) => keepsZones() && isStaticPod(pod, defaultNetwork),
    obstacle,
  })
  return { path: `/static-ip/${randomToken(random)}`, name: '/static-ip', handle }
}

/** Watches that were cut off for so long begin anew; the API server's own keep less. The log is most of the ledger's size. */
const kept = { atLeast: 10_000, atMost: 200_000, for: 900_000 }
const pruneEvery = 60_000
/** Little enough for one turn of the event loop. */
const pruneAtOnce = 1000

/** Returns what ends it. */
function keepPruned(db: Database, clock: Clock, log: Log): () => void {
  let cancel = clock.after(pruneEvery, prune)
  function prune(): void {
    let again = pruneEvery
    try {
      const gone = pruneChanges(db, { ...kept, since: clock.now() - kept.for }, pruneAtOnce)
      again = gone < pruneAtOnce ? pruneEvery : 0
    } catch (error) {
      // A disk that is full, or a lock: nothing is in doubt, and the log may grow meanwhile.
      log.warn('changes of claims not pruned', { error: (error as Error).message, retryIn: again })
    }
    cancel = clock.after(again, prune)
  }
  return () => cancel()
}

const retry = { firstMs: 1000, maxMs: 60_000 }
const renewEvery = 60_000

/** Serves again and again until `signal` aborts. Never rejects. */
async function untilServed(
  whom: string,
  serve: (signal: AbortSignal) => Promise<void>,
  { clock, random, log }: ClaimsParts,
  signal: AbortSignal,
): Promise<void> {
  let told = false
  for (let failures = 0; !signal.aborted; failures++) {
    try {
      await serve(signal)
    } catch (error) {
      if (!told) log.warn(`claims are not shown to ${whom}`, { why: withHint(error) })
      told = true
      await sleep(clock, backoffDelay(retry, failures, random), signal)
    }
  }
}

async function serveHere(
  { stateDir }: ClaimsSettings,
  api: ClaimsApi,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  const local = await serveHandle(api.handleLocal, { socketPath: claimsSocket(stateDir) }, log)
  await aborted(signal)
  await local.close()
}

async function serveToCluster(
  settings: ClaimsSettings,
  { client, clock, keepsZones, random, log }: ClaimsParts,
  api: ClaimsApi,
  hook: Hook,
  signal: AbortSignal,
): Promise<void> {
  const certificates = servingCertificates({
    file: join(settings.stateDir, 'apiserver-ca.pem'),
    authorityName: 'tke-eni-apiserver-ca',
    names: [claimsServiceName],
    clock: systemClock,
    log,
  })
  await using stack = new AsyncDisposableStack()
  const server = await serveAggregated({
    handle: api.handle,
    allows: accessReviews(client, clock),
    listen: { host: bindHost(settings.apiAdvertiseAddress), port: settings.apiBindPort },
    certificate: certificates.server(),
    hook,
    log,
  })
  stack.defer(() => server.close())
  log.info('serves claims', { port: server.port })
  const { authority } = certificates
  const place = async () => ({
    address: settings.apiAdvertiseAddress ?? (await ownAddress(client, signal)),
    port: server.port,
    authority: authority(),
  })
  const webhook = () => (keepsZones() ? { path: hook.path, authority: authority() } : undefined)
  await Promise.all([
    renewed(certificates, server, clock, signal),
    followFrontProxy({ client, clock, random, log }, server.setFrontProxy, signal),
    keepClaimsApi(place, { client, clock, log, random }, signal),
    keepStaticIpWebhook(webhook, { client, clock, log, random }, signal),
  ])
}

/** What is told to be found on the loopback is for this machine alone. */
function bindHost(advertised: string | undefined): string {
  return advertised?.startsWith('127.') === true ? advertised : '0.0.0.0'
}

async function renewed(
  certificates: ServingCertificates,
  server: AggregatedServer,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    if (certificates.renew()) server.setCertificate(certificates.server())
    await sleep(clock, renewEvery, signal)
  }
}
