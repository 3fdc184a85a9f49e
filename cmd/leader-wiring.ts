// One turn of leading: puts the leader together (adapters, ledger, loops), and takes it apart again in reverse.
import { hostname } from 'node:os'
import { backoffDelay } from '../internal/base/backoff.ts'
import { sleep } from '../internal/base/clock.ts'
import { withHint } from '../internal/ipam/errors.ts'
import { networkNames } from '../internal/ipam/names.ts'
import { connectKube } from '../internal/kube/connect.ts'
import { installNecCrd } from '../internal/kube/install-nec-crd.ts'
import { keepNecPolicy } from '../internal/kube/install-nec-policy.ts'
import { createLeaderKube } from '../internal/kube/leader-kube.ts'
import { fencedCloud, fencedKube, fencedLedger } from '../internal/leader/fenced.ts'
import { untilSubnetsFound } from '../internal/leader/find-subnets.ts'
import { heard } from '../internal/leader/heard-ledger.ts'
import { type Leader, startLeader } from '../internal/leader/leader.ts'
import { leaderDefaults } from '../internal/leader/settings.ts'
import { openDatabase } from '../internal/sqlite/database.ts'
import { leaderLedger } from '../internal/store/leader/ledger.ts'
import { createCloud } from '../internal/vpc/cloud.ts'
import type { Transport } from '../internal/vpc/transport.ts'
import { leaderMigrations } from '../migrations/index.ts'
import { withCrashPoints, withTestWaits } from './crash-points.ts'
import { type ServedClaims, serveClaims } from './leader-claims.ts'
import { type TermParts, winTerm } from './leader-term.ts'
import type { Reloads } from './reload.ts'
import { type LeaderSettings, sharedTargets } from './settings/leader-settings.ts'
import { aborted, giveUp } from './until-signal.ts'

export interface TurnParts extends Omit<TermParts, 'signal'> {
  readonly transport: Transport
  readonly reloads: Reloads<LeaderSettings>
  /** Hears which leader serves now. */
  readonly serves: (leader: Leader | undefined) => void
  /** A leader that is not ready after so long stands in the way of others. */
  readonly patience: number
}

/**
 * Waits until it may lead, and leads until `signal` aborts. Resolves with why it was not ready in time, when it was not.
 * Throws `storage`, `bad_input`, `unavailable`, and `deposed` when another one leads.
 */
export async function leadOnce(
  settings: LeaderSettings,
  parts: TurnParts,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { target, transport, clock, random, log, ledgerPath, tell, serves } = parts
  const { region, subnets: subnetIds } = settings
  await using stack = new AsyncDisposableStack()
  const cloudUntil = (ends: AbortSignal) => createCloud({ transport, clock, random, log, signal: ends })
  await untilSubnetsFound({ cloudUntil, subnetIds, region, clock, random, log, tell }, signal)
  const won = await winTerm(settings, { ...parts, signal })
  if (won === undefined) return undefined
  stack.defer(() => won.close())
  const { term } = won
  const late = new AbortController()
  const ends = AbortSignal.any([signal, term.over, late.signal])
  let leader: Leader | undefined
  let obstacle = 'it begins to lead'
  tell(obstacle)
  if (settings.leaderElect) {
    stack.defer(
      clock.after(parts.patience, () => {
        if (!leader?.ready()) late.abort(leader?.obstacle() ?? obstacle)
      }),
    )
  }

  const db = openDatabase({ path: ledgerPath, kind: 'leader', migrations: leaderMigrations, broken: giveUp })
  stack.defer(() => db.close())
  await won.enter(db)
  const ledger = fencedLedger(withCrashPoints('leader.ledger', leaderLedger(db, clock)), term)
  const client = await connectKube({ ...target, beforeWrite: term.check }, clock)
  const eventClient = await connectKube({ ...target, qps: 5, burst: 20, beforeWrite: term.check }, clock)
  const close = () => {
    for (const each of [client, eventClient]) each.close()
  }
  stack.defer(close)
  term.over.addEventListener('abort', close) // nobody waits for answers any more
  const plainKube = createLeaderKube({
    client,
    eventClient,
    clock,
    random,
    log,
    defaultNetwork: settings.defaultNetwork,
    instance: hostname(),
  })
  stack.defer(() => plainKube.close())
  const kube = fencedKube(withCrashPoints('leader.kube', plainKube), term)
  const plainCloud = createCloud({ transport, clock, random, log, signal: ends, beforeSend: term.check })
  const cloud = fencedCloud(withCrashPoints('leader.cloud', plainCloud), term)
  await untilInstalled(
    () => installNecCrd(client, clock, log),
    parts,
    ends,
    (why) => {
      obstacle = why
      tell(why)
    },
  )
  const notNow = new AbortController()
  const policy = keepNecPolicy({ client, clock, log, random }, AbortSignal.any([ends, notNow.signal]))
  stack.defer(() => {
    notNow.abort()
    return policy
  })
  // Each request for claims may have to be asked about: as many as the API server's own delegated authorization does.
  const claimsClient = await connectKube({ ...target, qps: 200, burst: 400, beforeWrite: term.check }, clock)
  stack.defer(() => claimsClient.close())
  const inForce = withTestWaits('leader', { ...leaderDefaults, ...coreSettings(settings), epoch: term.epoch })
  const nameLedger = () => won.nameLedger(db)
  let claims: ServedClaims | undefined
  const told = heard(ledger, () => claims?.changed())
  const serving = startLeader({ kube, cloud, ledger: told, clock, random, log, nameLedger }, inForce)
  leader = serving
  let latest = settings
  claims = serveClaims(settings, {
    db,
    releases: { claim: serving.claims, eip: serving.eips },
    client: claimsClient,
    clock,
    log,
    random,
    zone: serving.zone,
    keepsZones: () => latest.enableStaticIp && latest.staticIpAffinity,
    claimExpiry: () => latest.claimExpiredDuration,
  })
  stack.defer(claims.close)
  const { wake } = leader
  stack.defer(
    parts.reloads.subscribe((now) => {
      Object.assign(inForce, withTestWaits('leader', coreSettings(now)))
      latest = now
      wake()
    }),
  )
  const { stop } = leader
  stack.defer(async () => {
    serves(undefined)
    tell('it is stopping')
    await stop() // before the database is closed, whatever ends us
    log.info('leader stopped')
  })
  tell(`leads cluster ${settings.clusterId} in epoch ${term.epoch}`)
  serves(leader)
  await aborted(ends)
  if (term.over.aborted) throw term.over.reason
  return signal.aborted ? undefined : String(late.signal.reason)
}

const installRetry = { firstMs: 500, maxMs: 10_000 }

/** What may change while it leads. */
export const hotSettings: readonly (keyof LeaderSettings)[] = [
  'ipMinWarmTarget',
  'ipMaxWarmTarget',
  'eniMinWarmTarget',
  'eniMaxWarmTarget',
  'enableDirectEni',
  'enableStaticIp',
  'staticIpAffinity',
  'claimExpiredDuration',
  'enableOwnerref',
  'manageTaint',
  'manageMasqConfig',
  'createMasqConfig',
  'maxEniPerNode',
  'reconcileInterval',
  'surveyInterval',
  'nodeLeaveAfter',
]

function coreSettings(settings: LeaderSettings) {
  return {
    clusterId: settings.clusterId,
    subnetIds: settings.subnets,
    securityGroups: settings.securityGroups ?? [],
    defaults: {
      shared: sharedTargets(settings),
      exclusive: { minWarm: settings.eniMinWarmTarget, maxWarm: settings.eniMaxWarmTarget },
    },
    exclusiveEnis: settings.enableDirectEni,
    staticIps: settings.enableStaticIp,
    claimExpiry: settings.claimExpiredDuration,
    cascadeOwners: settings.enableOwnerref,
    manageTaint: settings.manageTaint,
    manageMasqConfig: settings.manageMasqConfig,
    createMasqConfig: settings.createMasqConfig,
    ordinaryPods:
      settings.defaultNetwork === networkNames.exclusive ? ('exclusive' as const) : ('shared' as const),
    maxEnisPerNode: settings.maxEniPerNode,
    reconcileEvery: settings.reconcileInterval,
    surveyEvery: settings.surveyInterval,
    leaveAfter: settings.nodeLeaveAfter,
  }
}

/** Kubernetes may come up after us. */
async function untilInstalled(
  install: () => Promise<void>,
  { clock, random, log }: Pick<TurnParts, 'clock' | 'random' | 'log'>,
  signal: AbortSignal,
  tell: (why: string) => void,
): Promise<void> {
  for (let failures = 0; !signal.aborted; failures++) {
    try {
      return await install()
    } catch (error) {
      const retryIn = backoffDelay(installRetry, failures, random)
      log.warn('NEC definition not installed yet', { error: withHint(error), retryIn })
      tell(withHint(error))
      await sleep(clock, retryIn, signal)
    }
  }
}
