// Compares ledger, cloud and Kubernetes, at start and now and then, and sooner while something is suspected. What is decided
// is decided in the transaction that changes the ledger; ordinary reconciling and ordinary intents do the rest, but for reservations of nobody.
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { createPause } from '../base/pause.ts'
import type { Random } from '../base/random.ts'
import { randomToken } from '../base/random-token.ts'
import { type Rounds, startRounds } from '../base/rounds.ts'
import { purposeOf } from '../ipam/eni-tags.ts'
import { errorCode } from '../ipam/errors.ts'
import { planSurvey } from '../ipam/plan-survey.ts'
import { podText } from '../ipam/pod-need.ts'
import { poolOf, servingIn } from '../ipam/pool.ts'
import { isConfirmed, suspectKey } from '../ipam/quarantine.ts'
import type { SurveyNode, SurveyPlan, SurveySettlement, SurveySnapshot } from '../ipam/survey.ts'
import type { CloudEni, EniMode, NodeName, PodFact, PodName } from '../ipam/types.ts'
import type { Cloud, LeaderKube, LeaderLedger, LedgerNode } from '../ports.ts'
import type { Millis } from '../value/millis.ts'
import { applySurvey } from './apply-survey.ts'
import { isServedByClaim } from './claims/served.ts'
import { viewCloud, viewReservations } from './cloud-view.ts'
import { differingNecs } from './differing-necs.ts'
import type { ClusterFacts } from './facts.ts'
import type { IntentRunner } from './intent-runner.ts'
import { type LeaderSettings, secondViewAfter } from './settings.ts'
import type { Subnets } from './subnets.ts'
import { surveyNotices } from './survey-notices.ts'

export interface Surveyor {
  /** Begins: the ledger is complete. */
  start(): void
  /** Something was not as the ledger says. */
  hasten(): void
  stop(): void
}

export interface SurveyorOptions {
  readonly kube: LeaderKube
  readonly cloud: Cloud
  readonly ledger: LeaderLedger
  readonly facts: ClusterFacts
  readonly subnets: Subnets
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly settings: LeaderSettings
  /** Settles what a survey has recorded. */
  readonly runner: Pick<IntentRunner, 'resume'>
  readonly wake: (node: NodeName) => void
  readonly wakeClaim: (pod: PodName) => void
}

/** What just happened settles for so long before it is looked at. */
const soon = 1000

type Views = Omit<SurveySnapshot, 'enis' | 'nodes' | 'touched' | 'pods' | 'claims'>

export function createSurveyor(options: SurveyorOptions): Surveyor {
  const { kube, cloud, ledger, facts, subnets, clock, random, log, settings, runner } = options
  const { staleFor } = settings.settle
  const pause = createPause(settings.retry, clock, random)
  let rounds: Rounds | undefined
  let stopped = false
  let surveys = 0
  /** What people have been told of by this leader: the one before may have died between storing it and telling. */
  let told: ReadonlySet<string> = new Set()
  /** When the next one is due that nothing brings on. */
  let dueAt = 0

  async function round(): Promise<Millis> {
    try {
      const plan = await survey()
      pause.succeeded()
      return plan?.again ? secondViewAfter(settings) : untilDue()
    } catch (error) {
      const retryIn = pause.failed()
      log.warn('survey failed', { code: errorCode(error), error: (error as Error).message, retryIn })
      return retryIn
    }
  }

  /**
   * Never in step with what is tried again and again: a survey passes over what was just touched. So does one that a refused call brings on:
   * it puts off none.
   */
  function untilDue(): Millis {
    const now = clock.now()
    if (now >= dueAt) dueAt = now + settings.surveyEvery * (1 + (surveys++ % 4) / 16)
    return dueAt - now
  }

  async function survey(): Promise<SurveyPlan | undefined> {
    const views = await look()
    if (stopped) return undefined
    const plan = await ledger.write((tx) => {
      tx.rewind()
      const snapshot = complete(views)
      const made = planSurvey(snapshot, ledger.suspects(), {
        staleFor,
        massLossAfter: settings.massLossAfter,
      })
      const target = { tx, ledger, defaults: settings.defaults, newToken: () => randomToken(random) }
      applySurvey(target, made, snapshot)
      return made
    })
    tell(plan)
    runner.resume()
    await release(plan)
    return plan
  }

  /** Of nobody in the ledger. One that is not released now is found again by the next survey. */
  async function release({ settlements }: SurveyPlan): Promise<void> {
    for (const settlement of settlements) {
      if (settlement.kind !== 'release-reservation' || stopped) continue
      const { id, vpcId } = settlement
      try {
        await cloud.releaseReservation({ id, vpcId }, 'collect')
      } catch (error) {
        if (errorCode(error) === 'not_found') continue
        log.warn('reservation not released', { ...fieldsOf(settlement), error: (error as Error).message })
      }
    }
  }

  async function reservations(): Promise<SurveySnapshot['reservations']> {
    if (!settings.staticIps && !ledger.hasStaticClaims()) return undefined
    return viewReservations(cloud, settings.clusterId, 'collect')
  }

  /** What has to be asked for, before the transaction. */
  async function look(): Promise<Views> {
    const { clusterId } = settings
    const readAt = clock.now()
    const { enis, cidrs } = await viewCloud(cloud, subnets, clusterId, ledger.eniIds(), 'collect')
    const nodes = [...facts.nodes()]
    return {
      clusterId,
      readAt,
      cloud: enis,
      cidrs,
      reservations: await reservations(),
      kube: {
        nodes: new Set(nodes.map(({ name }) => name)),
        instances: new Set(nodes.flatMap(({ instanceId }) => instanceId ?? [])),
        absent: await absentNodes(enis),
        necs: new Map(),
      },
    }
  }

  /** Nodes that ENIs name and nobody knows: does the API server, past every cache? */
  async function absentNodes(enis: readonly CloudEni[]): Promise<ReadonlySet<NodeName>> {
    const named = new Set(enis.flatMap((eni) => purposeOf(eni).node ?? []))
    const unknown = [...named].filter(
      (name) => ledger.node(name) === undefined && facts.node(name) === undefined,
    )
    const absent = new Set<NodeName>()
    for (const name of unknown) if ((await kube.getNode(name)) === undefined) absent.add(name)
    return absent
  }

  /** With the ledger as it is in the transaction. */
  function complete(views: Views): SurveySnapshot {
    const enis = ledger.allEnis()
    const ids = new Set(enis.map(({ id }) => id))
    const orphans = views.cloud.filter(({ id }) => !ids.has(id))
    const wanting = new Set(orphans.map((eni) => purposeOf(eni).node))
    const touched = ledger.touchedSince(views.readAt - staleFor)
    return {
      ...views,
      enis,
      touched,
      claims: views.reservations === undefined ? [] : ledger.staticClaims(),
      nodes: ledger.nodes().map((node) => surveyNode(node, wanting.has(node.name))),
      pods: [...facts.pods()],
      kube: { ...views.kube, necs: differingNecs(enis, touched, ledger, facts) },
    }
  }

  function surveyNode(node: LedgerNode, wanting: boolean): SurveyNode {
    const { name, instanceId, phase, shared, exclusive, instanceEnis } = node
    const room = {
      shared: wanting ? roomOf(name, 'shared', shared.maxWarm) : 0,
      exclusive: wanting ? roomOf(name, 'exclusive', exclusive.maxWarm) : 0,
    }
    return { name, instanceId, phase, bounds: { shared, exclusive, instanceEnis }, room }
  }

  function roomOf(name: NodeName, mode: EniMode, maxWarm: number): number {
    const pool = ledger.pool(name) ?? { enis: [] }
    const isServed = (pod: PodFact) => isServedByClaim(pod, ledger, settings.staticIps)
    const pods = facts.podCount(name, poolOf(pool), isServed)
    return pods[mode] + maxWarm - servingIn(pool, mode, new Set())
  }

  function tell({ settlements, suspects }: SurveyPlan): void {
    const confirmed = suspects.filter(isConfirmed)
    const news = confirmed.filter((suspect) => !told.has(suspectKey(suspect)))
    told = new Set(confirmed.map(suspectKey))
    for (const suspect of news) {
      const { kind, subject, node, reason, remedy } = suspect
      const fields = { kind, subject, node, reason, remedy }
      if (kind === 'ip-doubled') log.error('quarantined', fields)
      else log.warn('quarantined', fields)
    }
    for (const settlement of settlements) log.warn('survey settled', fieldsOf(settlement))
    for (const notice of surveyNotices(news, settlements, facts)) kube.notify(notice)
    const nodes = new Set([...settlements, ...news].flatMap(({ node }) => node ?? []))
    for (const node of nodes) options.wake(node)
    for (const settlement of settlements) if ('claim' in settlement) options.wakeClaim(settlement.claim)
  }

  return {
    start() {
      if (!stopped) rounds = startRounds(clock, round)
    },
    hasten: () => rounds?.wake(soon),
    stop() {
      stopped = true
      rounds?.stop()
    },
  }
}

function fieldsOf(settlement: SurveySettlement) {
  const { kind, node } = settlement
  const eni = 'eniId' in settlement ? settlement.eniId : undefined
  return {
    kind,
    node,
    pod: 'claim' in settlement ? podText(settlement.claim) : undefined,
    eni: kind === 'adopt-eni' ? settlement.eni.id : eni,
    address: 'address' in settlement ? settlement.address : undefined,
    reservation: kind === 'release-reservation' ? settlement.id : undefined,
  }
}
