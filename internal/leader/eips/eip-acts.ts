// Acts on EIPs: each is stored before it is sent, and what came of it after. A refusal puts back what was stored before, unless a delivery of
// the same request before may be the reason for it: then, and without an answer, everything stays, and looks find out.
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Random } from '../../base/random.ts'
import { randomToken } from '../../base/random-token.ts'
import { type EipAct, type EipClaim, type EipClaimChange, unasked } from '../../ipam/eip-claim.ts'
import { type JudgedRefusal, judgeEipRefusal } from '../../ipam/eip-refusal.ts'
import { errorCode, IpamError, withHint } from '../../ipam/errors.ts'
import type { EipStep } from '../../ipam/plan-eip.ts'
import { podText } from '../../ipam/pod-need.ts'
import type { EipId } from '../../ipam/types.ts'
import type { Cloud, LeaderLedger } from '../../ports.ts'
import type { Ipv4 } from '../../value/ipv4.ts'
import { eipRequest } from './eip-request.ts'

export type ActStep = Extract<EipStep, { kind: EipAct }>

export interface EipActs {
  /** Throws `storage`, `conflict`, `deposed`. */
  act(claim: EipClaim, step: ActStep): Promise<ActOutcome>
}

export type ActOutcome =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused'; readonly refusal: JudgedRefusal }
  /** It may have happened. */
  | { readonly kind: 'unanswered'; readonly message: string }

export interface EipActsOptions {
  readonly cloud: Cloud
  readonly ledger: LeaderLedger
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly clusterId: string
  /** Is the step what is to be done still? Asked in the transaction that stores it. */
  readonly isDue: (claim: EipClaim, step: ActStep) => boolean
  /** The claim holds that address no more. */
  readonly left: (privateIp: Ipv4) => void
}

export function createEipActs(options: EipActsOptions): EipActs {
  const { cloud, clock, clusterId, isDue, ledger, left, log, random } = options

  function store(claim: EipClaim, step: ActStep): Promise<EipClaim> {
    const asked = { acted: step.kind, actedAt: clock.now(), answered: false }
    return ledger.write((tx) => {
      if (!isDue(claim, step))
        throw new IpamError('conflict', `Cannot ${step.kind} the EIP of ${podText(claim)}: it has moved`)
      return tx.changeEipClaim(claim, { ...asked, ...detailsOf(claim, step) })
    })
  }

  function detailsOf({ allocateToken }: EipClaim, step: ActStep): EipClaimChange {
    switch (step.kind) {
      case 'allocate':
        return { allocateToken: allocateToken ?? randomToken(random) }
      case 'associate':
        return { privateIp: step.address, eniId: step.eniId }
      // It was seen to be on nothing.
      case 'release':
        return { privateIp: undefined, eniId: undefined }
      case 'disassociate':
        return {}
    }
  }

  /** Returns the EIP that an allocation has brought. */
  async function call(claim: EipClaim, step: ActStep): Promise<EipId | undefined> {
    const priority = claim.podUid === undefined ? 'release' : 'waiting-pod'
    switch (step.kind) {
      case 'allocate': {
        const request = eipRequest(claim, clusterId)
        return request && (await cloud.allocateEip(request, priority))
      }
      case 'associate': {
        const { address, eip, eniId } = step
        await cloud.associateEip({ eip: eip.id, eni: eniId, privateIp: address }, priority)
        return undefined
      }
      case 'disassociate':
        await cloud.disassociateEip(step.eip.id, priority)
        return undefined
      case 'release':
        await cloud.releaseEip(step.eip.id, priority)
        return undefined
    }
  }

  /** Of the claim as it is now, unless something else has been asked for it meanwhile. */
  async function learn(asked: EipClaim, change: (now: EipClaim) => EipClaimChange): Promise<void> {
    await ledger.write((tx) => {
      const now = ledger.eips.claim(asked)
      if (now?.key !== asked.key || now.acted !== asked.acted || now.actedAt !== asked.actedAt) return
      tx.changeEipClaim(now, change(now))
    })
  }

  /** What went wrong before is told until it has taken effect. */
  function accept(asked: EipClaim, eipId: EipId | undefined): Promise<void> {
    return learn(asked, (now) => ({
      ...{ answered: true, actedAt: clock.now() },
      ...(eipId !== undefined && now.eipId === undefined && { eipId, reason: '', message: '' }),
      ...(eipId !== undefined && now.phase === 'Pending' && { phase: 'Attaching' }),
    }))
  }

  /** Nothing has happened. */
  function putBack(asked: EipClaim, before: EipClaim, isDead: boolean): Promise<void> {
    const { acted, actedAt, answered, eniId, privateIp } = before
    const was = { acted, actedAt, answered, eniId, privateIp }
    return learn(asked, () => (isDead ? { ...was, ...unasked, allocateToken: undefined } : was))
  }

  async function refuse(asked: EipClaim, before: EipClaim, step: ActStep, error: Error): Promise<ActOutcome> {
    const code = errorCode(error)
    const { hint, message, sentAt } = error as IpamError
    const refusal = judgeEipRefusal(step.kind, { code, hint, message })
    const isAlone = step.kind === 'allocate' && step.alone
    // What the token names for the cloud has come to nothing, or looks would show it.
    const isUsed = isAlone && code === 'token_used'
    if (refusal?.ofState) await learn(asked, () => ({ answered: true, actedAt: clock.now() }))
    else if (refusal !== undefined || isUsed)
      await putBack(asked, before, isUsed || (isAlone && refusal?.newToken === true))
    // It may have waited for its turn, or been refused at first: from the last time on it may take effect.
    else if (sentAt !== undefined) await learn(asked, () => ({ actedAt: sentAt }))
    return refusal === undefined ? { kind: 'unanswered', message } : { kind: 'refused', refusal }
  }

  return {
    async act(claim, step) {
      const asked = await store(claim, step)
      if (claim.privateIp !== undefined && asked.privateIp !== claim.privateIp) left(claim.privateIp)
      const fields = { pod: podText(claim), act: step.kind, privateIp: asked.privateIp }
      const answer = await call(asked, step).then(
        (eipId) => ({ eipId }),
        (error: Error) => ({ error }),
      )
      if ('error' in answer) {
        const { code } = answer.error as IpamError
        log.warn('EIP call failed', { ...fields, eip: claim.eipId, code, error: withHint(answer.error) })
        return refuse(asked, claim, step, answer.error)
      }
      await accept(asked, answer.eipId)
      log.info('EIP call accepted', { ...fields, eip: answer.eipId ?? claim.eipId })
      return { kind: 'accepted' }
    },
  }
}
