// Compares the EIPs with our tags with the claims there are, now and then: what no claim knows of is money that somebody pays. Two looks must
// agree, further apart than the cloud's answers may lag.
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Random } from '../../base/random.ts'
import { type Rounds, startRounds } from '../../base/rounds.ts'
import { claimPhases } from '../../ipam/claim.ts'
import { clusterEips } from '../../ipam/eip-tags.ts'
import { errorCode, withHint } from '../../ipam/errors.ts'
import { type JudgedEips, judgeEips, type RefoundEip } from '../../ipam/judge-eips.ts'
import { podText } from '../../ipam/pod-need.ts'
import type { CloudEip, EipId, PodName } from '../../ipam/types.ts'
import type { Cloud, LeaderLedger } from '../../ports.ts'
import type { Millis } from '../../value/millis.ts'
import type { ClusterFacts } from '../facts.ts'
import { type LeaderSettings, secondViewAfter } from '../settings.ts'
import { restoreEip } from './restore-eips.ts'

export interface EipSurveyor {
  /** Begins: the ledger is complete. */
  start(): void
  stop(): void
}

export interface EipSurveyorOptions {
  readonly cloud: Cloud
  readonly ledger: LeaderLedger
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly facts: ClusterFacts
  readonly settings: LeaderSettings
  readonly wake: (pod: PodName) => void
}

/** What is there for longer, and was to be given back, something keeps: that is tried again with each survey. */
const soonFor: Millis = 60_000

export function createEipSurveyor(options: EipSurveyorOptions): EipSurveyor {
  const { clock, cloud, facts, ledger, log, settings, wake } = options
  /** Since when each has been known by no claim, at every look. */
  let suspects = new Map<EipId, Millis>()
  let rounds: Rounds | undefined
  let stopped = false
  let isDenied = false

  /** What is nobody's can wait: a cloud in trouble is not asked any sooner. */
  async function round(): Promise<Millis> {
    try {
      const at = clock.now()
      await survey(at)
      const isSoon = [...suspects.values()].some((since) => at - since < soonFor)
      return isSoon ? secondViewAfter(settings) : settings.surveyEvery
    } catch (error) {
      note(error as Error)
      return settings.surveyEvery
    }
  }

  /** Who may see none makes none, as a rule: claims that want one say so. */
  function note(error: Error): void {
    if (errorCode(error) !== 'denied') log.warn('survey of EIPs failed', { error: withHint(error) })
    else if (!isDenied) log.info('EIPs cannot be looked for', { error: withHint(error) })
    isDenied = errorCode(error) === 'denied'
  }

  async function survey(at: Millis): Promise<void> {
    const { clusterId } = settings
    const eips = await cloud.describeEips({ tags: clusterEips(clusterId) }, 'collect')
    isDenied = false
    if (stopped) return
    const { claims, orphans } = await ledger.write((tx) => {
      const judged = settled(judge(eips), at)
      for (const claim of judged.claims) restoreEip(tx, claim, options)
      return judged
    })
    for (const claim of claims) tell(claim)
    for (const orphan of orphans) await giveBack(orphan)
  }

  function judge(eips: readonly CloudEip[]): JudgedEips {
    const names = claimPhases.flatMap((phase) => ledger.eips.names(phase))
    return judgeEips({
      ...{ clusterId: settings.clusterId, eips, claimed: new Set(names.map(podText)), waiting: waiting() },
      ...{ holders: ledger.eips.byEip(), tokens: ledger.eips.tokens(), pods: [...facts.pods()] },
    })
  }

  function waiting(): ReadonlySet<string> {
    const unasked = ledger.eips
      .where('Pending')
      .filter(({ allocateToken, wish }) => wish.source === 'created' && allocateToken === undefined)
    return new Set(unasked.map(podText))
  }

  /** Those that were unknown at an earlier look as well; `at`: of this one. */
  function settled({ claims, orphans }: JudgedEips, at: Millis): JudgedEips {
    const ids = [...claims.map(({ eip }) => eip.id), ...orphans.map(({ id }) => id)]
    suspects = new Map(ids.map((id) => [id, Math.min(suspects.get(id) ?? at, at)]))
    const isSure = (id: EipId) => at - (suspects.get(id) ?? at) > settings.settle.staleFor
    return {
      claims: claims.filter(({ eip }) => isSure(eip.id)),
      orphans: orphans.filter(({ id }) => isSure(id)),
    }
  }

  function tell({ eip, name, namespace, phase }: RefoundEip): void {
    suspects.delete(eip.id)
    const pod = { namespace, name }
    log.warn('EIP that no claim knew of has one', {
      pod: podText(pod),
      eip: eip.id,
      address: eip.address,
      phase,
    })
    wake(pod)
  }

  /** One step: unbound at this look, it is released after the next. */
  async function giveBack({ address, id, state }: CloudEip): Promise<void> {
    // A claim may have taken it meanwhile.
    if (stopped || ledger.eips.ofEip(id) !== undefined) return
    const isOn = state === 'bound' || state === 'bound_to_loose_eni'
    if (!isOn && state !== 'unbound') return
    try {
      await (isOn ? cloud.disassociateEip(id, 'collect') : cloud.releaseEip(id, 'collect'))
      log.warn(isOn ? 'EIP of nobody unbound' : 'EIP of nobody released', { eip: id, address })
    } catch (error) {
      log.warn('EIP of nobody not given back', { eip: id, address, error: withHint(error) })
    }
  }

  return {
    start() {
      if (!stopped) rounds = startRounds(clock, round)
    },
    stop() {
      stopped = true
      rounds?.stop()
    },
  }
}
