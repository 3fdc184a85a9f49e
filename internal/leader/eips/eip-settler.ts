// One claim to a public address, one look at the cloud, one step (plan-eip.ts). What is remembered between looks may all be lost.
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { createPause, type Pause } from '../../base/pause.ts'
import type { Random } from '../../base/random.ts'
import type { EipAct, EipClaim, EipTrouble } from '../../ipam/eip-claim.ts'
import { eipFailure, type JudgedRefusal, judgeEipRefusal } from '../../ipam/eip-refusal.ts'
import { type ErrorCode, errorCode } from '../../ipam/errors.ts'
import { leftFor } from '../../ipam/judge-eips.ts'
import { letGo } from '../../ipam/lifecycle.ts'
import {
  type EipLook,
  type EipPlace,
  type EipRefusal,
  type EipStep,
  type EipView,
  eipPolicy,
  lookAgain,
  planEip,
} from '../../ipam/plan-eip.ts'
import { podText } from '../../ipam/pod-need.ts'
import type { NodeName, PodFact, PodName } from '../../ipam/types.ts'
import type { Cloud, LeaderKube, LeaderLedger } from '../../ports.ts'
import type { Ipv4 } from '../../value/ipv4.ts'
import type { Millis } from '../../value/millis.ts'
import type { ClusterFacts } from '../facts.ts'
import { claimNotice } from '../pod-notice.ts'
import type { LeaderSettings } from '../settings.ts'
import { type ActStep, createEipActs } from './eip-acts.ts'
import { createEipLooks } from './eip-looks.ts'
import type { EipNotices } from './eip-notices.ts'
import { placeOf } from './eip-place.ts'
import type { EipRenewals } from './eip-renewals.ts'
import { createPicker } from './pick-for.ts'
import { withQuota } from './quota-figures.ts'

export interface EipSettler {
  /** Returns after how long to go on. Throws `storage`, `conflict`, and what the cloud throws when looked at. */
  settle(claim: EipClaim): Promise<Millis>
  /** No claim of that key is there any more. */
  forget(key: number): void
}

export interface EipSettlerOptions {
  readonly cloud: Cloud
  readonly kube: Pick<LeaderKube, 'notify'>
  readonly ledger: LeaderLedger
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly facts: Pick<ClusterFacts, 'nec' | 'podsOn'>
  readonly settings: LeaderSettings
  readonly notices: EipNotices
  readonly renewals: EipRenewals
  readonly livePod: (pod: PodName) => PodFact | undefined
  readonly wakeNode: (node: NodeName) => void
  /** Others may have waited for its EIP. */
  readonly freed: () => void
}

interface Memory {
  readonly pause: Pause
  look: EipLook | undefined
  refused: EipRefusal | undefined
  /** Refusals in a row that pass by themselves, as a rule. */
  passing: number
  /** Calls in a row without an answer, and looks that failed. */
  unanswered: number
  unseen: number
  /** What became of that is told: of what was asked then. */
  toldOf: Millis | undefined
  /** All was as it should be: in which state of the claim, where, and when that was seen. */
  settled: { readonly version: number; readonly place: string; readonly at: Millis } | undefined
}

/** So soon, as a rule, the NEC of a node says what it is to say. */
const exposedWithin: Millis = 200

/** What passes by itself is told about when it has not passed after so many. */
const toldAfter = 3

/** One that gets no answer is sent again anyway. */
const unansweredToldAfter = 2

export function createEipSettler(options: EipSettlerOptions): EipSettler {
  const { clock, cloud, facts, ledger, livePod, log, notices, random, renewals, settings, wakeNode } = options
  const { clusterId, retry, surveyEvery } = settings
  const memories = new Map<number, Memory>()
  const looks = createEipLooks(cloud, clock, clusterId)
  const place = (claim: EipClaim) => placeOf(claim, livePod(claim), ledger)
  const pick = createPicker({ ...options, placeOf: place })
  const acts = createEipActs({
    ...options,
    clusterId,
    left: unheld,
    isDue: (claim, step) => step.kind !== 'associate' || isAt(place(claim), step),
  })

  function memoryOf({ key }: EipClaim): Memory {
    const known = memories.get(key)
    if (known !== undefined) return known
    const pause = createPause(retry, clock, random)
    const fresh: Memory = {
      ...{ pause, look: undefined, refused: undefined, settled: undefined },
      ...{ passing: 0, unanswered: 0, unseen: 0, toldOf: undefined },
    }
    memories.set(key, fresh)
    return fresh
  }

  function viewOf(row: EipClaim, { look, refused }: Memory): EipView {
    return { row, look, refused, place: place(row), now: clock.now() }
  }

  /** The step, after a look at the cloud where one is wanted; undefined when the claim has changed meanwhile. */
  async function plan(claim: EipClaim, memory: Memory): Promise<EipStep | undefined> {
    const step = planEip(viewOf(claim, memory))
    if (step.kind !== 'wait' || step.until > clock.now()) return step
    const { at, eip } = await looks.find(claim)
    memory.look = lookAgain(memory.look, at, eip)
    memory.unseen = 0
    if (ledger.eips.claim(claim)?.version !== claim.version) return undefined
    return planEip(viewOf(claim, memory))
  }

  async function take(claim: EipClaim, step: EipStep, memory: Memory): Promise<Millis> {
    const hasPod = claim.podUid !== undefined
    switch (step.kind) {
      case 'allocate':
        return (await takeLeft(claim)) ? 0 : act(claim, step, memory)
      case 'associate':
        if (!isExposed(claim, step)) return expose(claim)
        return act(claim, step, memory)
      case 'disassociate':
      case 'release':
        return act(claim, step, memory)
      case 'adopt': {
        const { address, id } = step.eip
        const phase = hasPod ? 'Attaching' : claim.phase
        await ledger.write((tx) => tx.changeEipClaim(claim, { eipId: id, address, phase }))
        log.info('EIP allocated', { pod: podText(claim), eip: id, address })
        return 0
      }
      case 'pick':
        return choose(claim)
      case 'wait':
        return Math.max(200, step.until - clock.now())
      case 'done':
        return done(claim, step.eip?.address, step.at, memory)
      case 'lost':
        if (claim.acted === 'allocate' && claim.podUid !== undefined) renewals.failed(claim.podUid)
        await letItGo(claim, step)
        return 0
      case 'remove':
        return remove(claim)
      case 'trouble':
        await notices.trouble(claim, step)
        return Math.max(200, step.until - clock.now())
    }
  }

  /** None is made for a name that has one of which no claim knows: a ledger was lost, and nobody could look. */
  async function takeLeft(claim: EipClaim): Promise<boolean> {
    if (claim.allocateToken !== undefined) return false
    const eips = await looks.made()
    return ledger.write((tx) => {
      const { holders, holding, tokens } = ledger.eips
      const left = leftFor(claim, { clusterId, eips, holders: holders(), tokens: tokens() })
      if (left === undefined) return false
      const { address, eniId, id, privateIp } = left.eip
      const isFree = privateIp !== undefined && eniId !== undefined && holding(privateIp) === undefined
      tx.changeEipClaim(claim, {
        ...{ eipId: id, address, allocateToken: left.token, phase: 'Attaching' },
        ...(isFree && { privateIp, eniId }),
      })
      log.warn('EIP that no claim knew of has one', { pod: podText(claim), eip: id, address })
      return true
    })
  }

  /** Its node is told first: from then on it gives the address to no other pod, until the EIP has left it. */
  function isExposed({ node, podUid }: EipClaim, { address }: EipPlace): boolean {
    if (node === undefined) return false
    const ips = facts.nec(node)?.publication?.enis.flatMap((eni) => eni.ips) ?? []
    const ip = ips.find((one) => one.address === address)
    return ip !== undefined && (ip.claim !== undefined || ip.eipFor === podUid)
  }

  function expose({ node }: EipClaim): Millis {
    if (node !== undefined) wakeNode(node)
    return exposedWithin
  }

  async function act(claim: EipClaim, step: ActStep, memory: Memory): Promise<Millis> {
    const isOver = claim.acted === step.kind && claim.answered
    if (isOver && memory.toldOf !== claim.actedAt) return noteFailed(claim, step.kind, memory)
    const outcome = await acts.act(claim, step)
    switch (outcome.kind) {
      case 'accepted':
        Object.assign(memory, { refused: undefined, unanswered: 0 })
        return eipPolicy.pollEvery
      case 'unanswered':
        return noteUnanswered(claim, step.kind, outcome.message, memory)
      case 'refused':
        return noteRefused(claim, step.kind, outcome.refusal, memory)
    }
  }

  /** It is sent again when it cannot happen any more: at once the first time, then ever more slowly. */
  async function noteUnanswered(
    claim: EipClaim,
    act: EipAct,
    message: string,
    memory: Memory,
  ): Promise<Millis> {
    memory.refused = undefined
    if (++memory.unanswered < unansweredToldAfter) return eipPolicy.pollEvery
    const trouble = eipFailure(act, message)
    memory.refused = { act, ...trouble, until: clock.now() + memory.pause.failed() }
    await tell(claim, trouble)
    return eipPolicy.pollEvery
  }

  async function noteRefused(
    claim: EipClaim,
    act: EipAct,
    refusal: JudgedRefusal,
    memory: Memory,
  ): Promise<Millis> {
    const { again, newToken } = refusal
    const retryIn = memory.pause.failed()
    memory.passing = again === 'soon' ? memory.passing + 1 : 0
    const isTold = again === 'later' || memory.passing >= toldAfter
    const wait = newToken || again === 'soon' ? retryIn : Math.max(retryIn, eipPolicy.retryEvery)
    const trouble = await withQuota(cloud, clock, refusal)
    memory.refused = { act, ...trouble, until: clock.now() + wait }
    memory.toldOf = ledger.eips.claim(claim)?.actedAt
    if (isTold) await tell(claim, trouble)
    return wait
  }

  /** The cloud took it on, and it came to nothing: it is sent again, ever more slowly. */
  async function noteFailed(claim: EipClaim, act: EipAct, memory: Memory): Promise<Millis> {
    const { actedAt, eipId: eip } = claim
    log.warn('EIP task failed', { pod: podText(claim), act, eip })
    const message = `the cloud accepted to ${act} ${eip ?? 'an EIP'}, and it came to nothing; it is tried again`
    const wait = memory.pause.failed()
    const trouble = eipFailure(act, message)
    memory.toldOf = actedAt
    memory.refused = { act, ...trouble, until: clock.now() + wait }
    await tell(claim, trouble)
    return wait
  }

  /** In the claim as it is now. */
  async function tell(claim: EipClaim, trouble: EipTrouble): Promise<void> {
    const now = ledger.eips.claim(claim)
    if (now?.key === claim.key) await notices.trouble(now, trouble)
  }

  async function choose(claim: EipClaim): Promise<Millis> {
    // One of its list may be on its address already, when that is known.
    if (place(claim) === 'unknown') return eipPolicy.pollEvery
    const choice = await pick(claim)
    if (!('eip' in choice)) {
      await notices.trouble(claim, choice)
      return eipPolicy.retryEvery
    }
    const seen = 'seen' in choice ? choice.seen : undefined
    // On an address of ours it goes from there to its pod's.
    const { eniId, privateIp } = seen ?? {}
    const isOn = eniId !== undefined && privateIp !== undefined && ledger.nodeOf(privateIp) !== undefined
    const address = seen?.address
    const on = isOn ? { eniId, privateIp } : {}
    const chosen = { eipId: choice.eip, address, ...on, reason: '', message: '' }
    await ledger.write((tx) => tx.changeEipClaim(claim, { ...chosen, phase: 'Attaching' }))
    log.info('EIP chosen', { pod: podText(claim), eip: choice.eip, address })
    return 0
  }

  async function done(
    claim: EipClaim,
    address: Ipv4 | undefined,
    at: EipPlace | undefined,
    memory: Memory,
  ): Promise<Millis> {
    const { phase, podUid, privateIp } = claim
    const settled = { privateIp: at?.address, eniId: at?.eniId, reason: '', message: '' }
    const unasked = { acted: undefined, actedAt: undefined, answered: false }
    const next = podUid === undefined ? phase : at === undefined ? 'Attaching' : 'Bound'
    const change = { ...settled, ...unasked, phase: next, ...(address !== undefined && { address }) } as const
    const now = await ledger.write((tx) => tx.changeEipClaim(claim, change))
    if (now.version !== claim.version) log.info('EIP settled', fieldsOf(now))
    memory.pause.succeeded()
    if (podUid !== undefined) renewals.forget(podUid)
    Object.assign(memory, { refused: undefined, passing: 0, unanswered: 0 })
    memory.settled = { version: now.version, place: placeText(place(now)), at: clock.now() }
    if (privateIp !== undefined && privateIp !== at?.address) unheld(privateIp)
    return surveyEvery
  }

  /** The address may leave its ENI now. */
  function unheld(privateIp: Ipv4): void {
    const node = ledger.nodeOf(privateIp)
    if (node !== undefined) wakeNode(node)
    options.freed()
  }

  async function letItGo(claim: EipClaim, { message, reason }: EipTrouble): Promise<void> {
    await ledger.write((tx) => tx.changeEipClaim(claim, letGo(reason, message)))
    log.warn('EIP lost', { ...fieldsOf(claim), why: message })
    options.kube.notify(claimNotice(claim, reason, message))
  }

  async function remove(claim: EipClaim): Promise<Millis> {
    // Of a kept one somebody else has released the EIP.
    if (claim.phase !== 'Releasing') {
      await letItGo(claim, {
        reason: 'EipLost',
        message: `${claim.eipId} is gone: somebody else has released it`,
      })
      return 0
    }
    await ledger.write((tx) => tx.removeEipClaim(claim))
    log.info('EIP claim released', { ...fieldsOf(claim), why: claim.reason })
    memories.delete(claim.key)
    if (claim.privateIp !== undefined) unheld(claim.privateIp)
    else options.freed()
    return 0
  }

  return {
    async settle(claim) {
      const memory = memoryOf(claim)
      const { settled } = memory
      if (settled?.version === claim.version && settled.place === placeText(place(claim))) {
        const left = settled.at + surveyEvery - clock.now()
        if (left > 0 && left <= surveyEvery) return left
        memory.settled = undefined
      }
      try {
        const step = await plan(claim, memory)
        return step === undefined ? 0 : await take(claim, step, memory)
      } catch (error) {
        await noteUnseen(claim, error as Error, memory)
        throw error
      }
    },
    forget: (key) => void memories.delete(key),
  }

  /** Who may not look at EIPs, or cannot, may do nothing about them. */
  async function noteUnseen(claim: EipClaim, error: Error, memory: Memory): Promise<void> {
    const code = errorCode(error)
    if (code === undefined || ofLedger.has(code)) return
    const act = actFor(claim)
    const refusal = judgeEipRefusal(act, { code, message: error.message })
    if (code === 'denied' && refusal !== undefined) return notices.trouble(claim, refusal)
    if (++memory.unseen >= unansweredToldAfter && isUnderWay(claim))
      await tell(claim, eipFailure(act, error.message))
  }
}

/** What looks do not throw. */
const ofLedger: ReadonlySet<ErrorCode> = new Set(['conflict', 'deposed', 'storage'] as const)

/** What is to be done about it in the end. */
function actFor({ eipId, phase, podUid, wish }: EipClaim): EipAct {
  if (eipId === undefined) return 'allocate'
  if (podUid !== undefined) return 'associate'
  return phase === 'Releasing' && wish.source === 'created' ? 'release' : 'disassociate'
}

function isUnderWay({ acted, phase }: EipClaim): boolean {
  return acted !== undefined || (phase !== 'Bound' && phase !== 'Retained')
}

function isAt(place: EipView['place'], { address, eniId }: EipPlace): boolean {
  return typeof place === 'object' && place.address === address && place.eniId === eniId
}

function placeText(place: EipView['place']): string {
  return typeof place === 'string' ? place : `${place.address} of ${place.eniId}`
}

function fieldsOf(claim: EipClaim) {
  const { address, eipId: eip, phase, privateIp } = claim
  return { pod: podText(claim), eip, address, privateIp, phase }
}
