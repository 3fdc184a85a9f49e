// Before a leader serves from a ledger that knows nothing, the ledger is rebuilt from NECs, the cloud and Kubernetes (R4). Running
// pods notice nothing: no NEC is written until all is read, and then it says what it said before.
import type { Cancel, Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { createPause } from '../base/pause.ts'
import type { Random } from '../base/random.ts'
import { randomUuid } from '../base/random-uuid.ts'
import { errorCode, IpamError, withHint } from '../ipam/errors.ts'
import { type EipsView, judgeEips, type RefoundEip } from '../ipam/judge-eips.ts'
import { planRebuild, type Rebuild } from '../ipam/plan-rebuild.ts'
import { weigh } from '../ipam/quarantine.ts'
import { type RebuiltClaim, rebuildClaims } from '../ipam/rebuild-claims.ts'
import type { EniId, SubnetId } from '../ipam/types.ts'
import type { Cloud, LeaderKube, LeaderLedger, LeaderTx } from '../ports.ts'
import type { Ipv4 } from '../value/ipv4.ts'
import type { Millis } from '../value/millis.ts'
import { unknownUid } from './claims/owners.ts'
import { viewCloud, viewEips, viewReservations } from './cloud-view.ts'
import { restoreEip } from './eips/restore-eips.ts'
import { unbindLeft } from './eips/unbind-left.ts'
import type { ClusterFacts } from './facts.ts'
import { type LeaderSettings, secondViewAfter } from './settings.ts'
import type { Subnets } from './subnets.ts'

export interface RebuildOptions {
  readonly kube: Pick<LeaderKube, 'getNec'>
  readonly cloud: Cloud
  readonly ledger: LeaderLedger
  readonly facts: ClusterFacts
  readonly subnets: Subnets
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly settings: LeaderSettings
  /** From then on the ledger of the leader before is one of the past. */
  readonly nameLedger: () => Promise<void>
}

/** How often it is asked whether Kubernetes has been read. */
const pollMs = 100

const none: ReadonlySet<Ipv4> = new Set()

/** With the static claims there were, each with its zone. */
interface Whole extends Rebuild {
  readonly claims: readonly RebuiltClaim[]
  readonly eips: readonly RefoundEip[]
}

export interface Rebuilding {
  /** Why it did not succeed when it was tried last. */
  trouble(): string | undefined
  stop(): void
}

/** Tries until the ledger is complete, and then calls `done`. */
export function rebuildLedger(options: RebuildOptions, done: () => void): Rebuilding {
  const { ledger, facts, clock, random, log, settings } = options
  const pause = createPause(settings.retry, clock, random)
  let stopped = false
  let cancel: Cancel = () => {}
  let trouble: string | undefined
  let nothingSince: Millis | undefined
  /** Addresses of which no NEC speaks, as the first view showed them; a second one must agree. */
  let first: { readonly at: Millis; readonly unshown: ReadonlySet<Ipv4> } | undefined

  async function attempt(): Promise<void> {
    if (!facts.synced()) return again(pollMs)
    try {
      if (ledger.complete()) return done()
      const readAt = clock.now()
      const isSecond = first !== undefined && readAt - first.at > settings.settle.staleFor
      const rebuild = await read(options, isSecond ? (first?.unshown ?? none) : none)
      if (stopped) return
      refuseForeign(rebuild)
      refuseNothing(rebuild)
      await refuseShortList(rebuild, options)
      if (stopped) return
      if (first === undefined && rebuild.unshown.length > 0) {
        first = { at: clock.now(), unshown: new Set(rebuild.unshown) }
        log.info('ledger rebuild looks twice', { unshown: rebuild.unshown.length })
        return again(secondViewAfter(settings))
      }
      await options.nameLedger()
      await unbindLeft(options, rebuild.eips)
      if (stopped) return
      await ledger.write((tx) => enter(tx, rebuild, options))
      log.info('ledger rebuilt', {
        nodes: rebuild.nodes.length,
        enis: rebuild.enis.length,
        addresses: rebuild.enis.reduce((sum, { ips }) => sum + ips.length, 0),
        missing: rebuild.missing.length,
        claims: rebuild.claims.length,
        eips: rebuild.eips.length,
      })
      if (!stopped) done()
    } catch (error) {
      const retryIn = pause.failed()
      trouble = withHint(error)
      log.warn('ledger not rebuilt', { code: errorCode(error), error: trouble, retryIn })
      again(retryIn)
    }
  }

  function again(delay: Millis): void {
    if (!stopped) cancel = clock.after(delay, () => void attempt())
  }

  /** Not one ENI of all that nodes use: most likely another region or account is asked than theirs. */
  function refuseNothing({ missing, enis }: Rebuild): void {
    if (missing.length === 0 || missing.length < enis.length) {
      nothingSince = undefined
      return
    }
    nothingSince ??= clock.now()
    if (clock.now() - nothingSince >= settings.massLossAfter) return
    throw new IpamError(
      'not_found',
      `Cannot rebuild the ledger: the cloud shows none of the ${missing.length} ENIs that NECs name`,
      { hint: 'check region, credentials and endpoint; if they were all deleted, it goes on after a while' },
    )
  }

  again(0)
  return {
    trouble: () => trouble,
    stop() {
      stopped = true
      cancel()
    },
  }
}

async function read(
  { cloud, facts, subnets, settings }: RebuildOptions,
  sure: ReadonlySet<Ipv4>,
): Promise<Whole> {
  const { clusterId } = settings
  const necs = [...facts.necs()]
  const named = necs.flatMap(({ publication }) => (publication?.enis ?? []).map(({ id }) => id))
  const { enis, cidrs } = await viewCloud(cloud, subnets, clusterId, named, 'waiting-pod')
  const reservations = (await viewReservations(cloud, clusterId, 'waiting-pod')) ?? []
  const { claims, unclaimed } = rebuildClaims({ clusterId, necs, reservations, pods: [...facts.pods()] })
  const zones = await zonesOf(cloud, subnets, claims)
  const eips = (await viewEips(cloud, clusterId, 'waiting-pod')) ?? []
  const pods = [...facts.pods()]
  return {
    ...planRebuild({ clusterId, nodes: [...facts.nodes()], necs, cloud: enis, cidrs, sure, unclaimed }),
    eips: eipsOf({ clusterId, eips, pods }),
    claims: claims.map((claim) => ({ ...claim, zone: claim.zone ?? zones.get(claim.subnetId) })),
  }
}

/** Also of subnets that are container subnets no more: the setting may have changed since. */
async function zonesOf(
  cloud: Cloud,
  subnets: Subnets,
  claims: readonly RebuiltClaim[],
): Promise<ReadonlyMap<SubnetId, string>> {
  const zones = new Map((await subnets.current()).map(({ id, zone }) => [id, zone]))
  const wanted = claims.filter(({ zone }) => zone === undefined).map(({ subnetId }) => subnetId)
  const others = new Set(wanted.filter((id) => !zones.has(id)))
  if (others.size > 0) {
    for (const { id, zone } of await cloud.describeSubnets([...others], 'waiting-pod')) zones.set(id, zone)
  }
  return zones
}

/** Where one name has two, a survey gives the other back. */
function eipsOf(view: Pick<EipsView, 'clusterId' | 'eips' | 'pods'>): readonly RefoundEip[] {
  return judgeEips({ ...view, holders: new Map(), tokens: new Map(), claimed: new Set(), waiting: new Set() })
    .claims
}

function refuseForeign({ foreign: [first] }: Rebuild): void {
  if (first === undefined) return
  throw new IpamError(
    'conflict',
    `Cannot rebuild the ledger: ENI "${first.id}" in the NEC of "${first.node}" has the tag of cluster "${first.cluster}"`,
    { hint: 'check --cluster-id' },
  )
}

/** What a list lacks may be there all the same (R7): pods would lose what their NEC shows. */
async function refuseShortList({ nameless }: Rebuild, { kube }: RebuildOptions): Promise<void> {
  for (const node of nameless) {
    if ((await kube.getNec(node)) === undefined) continue
    throw new IpamError('unavailable', `Cannot rebuild the ledger: the list of NECs lacks that of "${node}"`)
  }
}

function enter(tx: LeaderTx, rebuild: Whole, options: RebuildOptions): void {
  const { facts, ledger, clock, settings } = options
  if (ledger.complete()) return
  tx.clear()
  tx.raiseGrants(rebuild.lastGrant)
  for (const node of rebuild.nodes) tx.addNode(node)
  for (const eni of rebuild.enis) tx.adoptEni({ ...eni, state: 'attached', goal: 'serve' }, 'rebuilt')
  const places = new Map(rebuild.enis.flatMap(({ id, ips }) => ips.map(({ address }) => [address, id])))
  for (const claim of rebuild.claims) restore(tx, claim, places.get(claim.address), options)
  for (const claim of rebuild.eips) restoreEip(tx, claim, options)
  const { staleFor } = settings.settle
  tx.setSuspects(rebuild.orphans.map((finding) => weigh(finding, undefined, clock.now(), staleFor)))
  for (const pod of facts.pods()) {
    if (pod.ip !== undefined && !pod.terminal && !pod.hostNetwork && ledger.nodeOf(pod.ip) === pod.node)
      tx.setPod(pod.ip, pod)
  }
  tx.setComplete()
}

/** Its pod, when it is there, takes it as any other does. Since when it has had none is not known: its time begins now. */
function restore(
  tx: LeaderTx,
  claim: RebuiltClaim,
  eniId: EniId | undefined,
  { ledger, random, settings }: RebuildOptions,
): void {
  const after = claim.expireAfter ?? settings.claimExpiry
  tx.restoreClaim({
    ...claim,
    // The tags say which it was when the address was reserved: a later one of that name may have it by now.
    owner: claim.owner && { ...claim.owner, uid: unknownUid },
    uid: randomUuid(random),
    ipUid: randomUuid(random),
    eniId,
    expiresAt: after === undefined ? undefined : ledger.expiryClock().now + after,
  })
}
