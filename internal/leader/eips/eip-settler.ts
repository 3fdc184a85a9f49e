// One claim to a public address, one look at the cloud, one step (plan-eip.ts). What is remembered between looks may all be lost.
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { createPause } from '../../base/pause.ts'
import type { Random } from '../../base/random.ts'
import { type EipClaim, type EipTrouble, unasked } from '../../ipam/eip-claim.ts'
import { leftFor } from '../../ipam/judge-eips.ts'
import { letGo } from '../../ipam/lifecycle.ts'
import { eipTrouble } from '../../ipam/pick-eip.ts'
import {
  type EipLook,
  type EipPlace,
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
import { createEipFailures, type EipFailing, noFailures } from './eip-failures.ts'
import { createEipLooks } from './eip-looks.ts'
import type { EipNotices } from './eip-notices.ts'
import { placeOf } from './eip-place.ts'
import type { EipRenewals } from './eip-renewals.ts'
import { isLeaving } from './held-addresses.ts'
import { createPicker } from './pick-for.ts'

/** Returns after how long to go on. Throws `storage`, `conflict`, and what the cloud throws when looked at. */
export type EipSettler = (claim: EipClaim) => Promise<Millis>

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

interface Memory extends EipFailing {
  look: EipLook | undefined
  /** All was as it should be: in which state of the claim, where, and when that was seen. */
  settled: { readonly version: number; readonly place: string; readonly at: Millis } | undefined
}

const well = { reason: '', message: '' }
const waiting = eipTrouble({
  reason: 'NoPodAddress',
  so: 'it has no address yet that an EIP could be bound to',
  remedy: 'it gets it when it has one',
})

/** So soon, as a rule, the NEC of a node says what it is to say. */
const exposedWithin: Millis = 200

export function createEipSettler(options: EipSettlerOptions): EipSettler {
  const { clock, cloud, facts, ledger, livePod, log, notices, random, renewals, settings, wakeNode } = options
  const { clusterId, retry, surveyEvery } = settings
  const memories = new Map<number, Memory>()
  const looks = createEipLooks(cloud, clock, clusterId)
  const place = (claim: EipClaim) => placeOf(claim, livePod(claim), options)
  const pick = createPicker(options)
  const failures = createEipFailures(options)
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
    const fresh: Memory = { ...noFailures(pause), look: undefined, settled: undefined }
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
    const seen = await looks.find(claim)
    memory.look = lookAgain(memory.look, seen)
    memory.unseen = 0
    if (ledger.eips.claim(claim)?.version !== claim.version) return undefined
    return planEip(viewOf(claim, memory))
  }

  async function take(claim: EipClaim, step: EipStep, memory: Memory): Promise<Millis> {
    const hasPod = claim.podUid !== undefined
    switch (step.kind) {
      case 'allocate': {
        const pause = await holdOff(claim)
        if (pause > 0) return pause
        return (await takeLeft(claim)) ? 0 : act(claim, step, memory)
      }
      case 'associate':
        if (!isExposed(claim, step)) return expose(claim)
        return act(claim, step, memory)
      case 'disassociate':
      case 'release':
        return act(claim, step, memory)
      case 'adopt': {
        const { address, id } = step.eip
        const phase = hasPod ? 'Attaching' : claim.phase
        const adopted = { eipId: id, address, phase, reason: '', message: '' }
        await ledger.write((tx) => tx.changeEipClaim(claim, adopted))
        log.info('EIP allocated', { pod: podText(claim), eip: id, address })
        return 0
      }
      case 'pick':
        return choose(claim)
      case 'wait':
        return Math.max(200, step.until - clock.now())
      case 'done':
        return done(claim, step.eip?.address, step.at, memory)
      case 'taken-off':
        return takenOff(claim)
      case 'lost':
        if (claim.acted === 'allocate' && claim.podUid !== undefined) renewals.failed(claim.podUid)
        await letItGo(claim, step)
        return 0
      case 'remove':
        return remove(claim)
      case 'trouble':
        if (!failures.isQuiet(memory, step.until)) await notices.trouble(claim, step)
        return Math.max(200, step.until - clock.now())
    }
  }

  /** Another is made in place of one that came to nothing: not at once, and the claim says so. */
  async function holdOff(claim: EipClaim): Promise<Millis> {
    const pause = claim.podUid === undefined ? 0 : renewals.left(claim.podUid)
    if (pause <= 0) return 0
    const message =
      'the cloud accepted to make an EIP, and it came to nothing; another is asked for after a pause'
    if (claim.message !== message)
      await ledger.write((tx) => tx.changeEipClaim(claim, { reason: 'FailedAllocateEIP', message }))
    return pause
  }

  /** None is made for a name that has one of which no claim knows: a ledger was lost, and nobody could look. */
  async function takeLeft(claim: EipClaim): Promise<boolean> {
    if (claim.allocateToken !== undefined) return false
    const eips = await looks.made()
    return ledger.write((tx) => {
      const { byEip, onAddress, tokens } = ledger.eips
      const left = leftFor(claim, { clusterId, eips, holders: byEip(), tokens: tokens() })
      if (left === undefined) return false
      const { address, eniId, id, privateIp } = left.eip
      const isOn = privateIp !== undefined && eniId !== undefined
      const isFree = isOn && onAddress(privateIp) === undefined && !isLeaving(privateIp, ledger)
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
    if (isOver && memory.toldOf !== claim.actedAt) return failures.undone(claim, step.kind, memory)
    const outcome = await acts.act(claim, step)
    switch (outcome.kind) {
      case 'accepted':
        Object.assign(memory, { refused: undefined, unanswered: 0 })
        return eipPolicy.pollEvery
      case 'unanswered':
        return failures.unanswered(claim, step.kind, outcome.message, memory)
      case 'refused':
        return failures.refused(claim, step.kind, outcome.refusal, memory)
    }
  }

  async function choose(claim: EipClaim): Promise<Millis> {
    // One of its list may be on its address already, when that is known.
    if (place(claim) === 'unknown') return eipPolicy.pollEvery
    const choice = await pick(claim)
    if (!('eip' in choice)) {
      await notices.trouble(claim, choice)
      return eipPolicy.retryEvery
    }
    const { address, eniId, privateIp } = 'seen' in choice ? choice.seen : {}
    // On an address of ours it goes from there to its pod's.
    const isOn = eniId !== undefined && privateIp !== undefined && ledger.nodeOf(privateIp) !== undefined
    const on = isOn ? { eniId, privateIp } : {}
    const chosen = { eipId: choice.eip, address, ...on, reason: '', message: '' }
    const isChosen = await ledger.write((tx) => {
      if (isOn && isLeaving(privateIp, ledger)) return false
      tx.changeEipClaim(claim, { ...chosen, phase: 'Attaching' })
      return true
    })
    if (!isChosen) return eipPolicy.pollEvery
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
    const waits = podUid !== undefined && at === undefined
    const settled = { privateIp: at?.address, eniId: at?.eniId, ...(waits ? waiting : well) }
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

  /** From now on the pod does not show it, and what the pod sends leaves as that of others. */
  async function takenOff(claim: EipClaim): Promise<Millis> {
    const { privateIp } = claim
    const change = { phase: 'Attaching', privateIp: undefined, eniId: undefined } as const
    await ledger.write((tx) => tx.changeEipClaim(claim, change))
    log.warn('EIP taken off its pod by somebody else', fieldsOf(claim))
    if (privateIp !== undefined) unheld(privateIp)
    return 0
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
    await ledger.write((tx) => tx.removeEipClaim(claim))
    log.info('EIP claim released', { ...fieldsOf(claim), why: claim.reason })
    memories.delete(claim.key)
    if (claim.privateIp !== undefined) unheld(claim.privateIp)
    else options.freed()
    return 0
  }

  return async (claim) => {
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
      await failures.unseen(claim, error as Error, memory)
      throw error
    }
  }
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
