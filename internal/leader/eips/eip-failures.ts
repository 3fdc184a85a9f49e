// Calls about EIPs that were refused, got no answer or came to nothing, and looks that failed: how long to wait, and from when on people are told.
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Pause } from '../../base/pause.ts'
import type { EipAct, EipClaim, EipTrouble } from '../../ipam/eip-claim.ts'
import { eipFailure, type JudgedRefusal } from '../../ipam/eip-refusal.ts'
import { type ErrorCode, errorCode, withHint } from '../../ipam/errors.ts'
import { type EipRefusal, eipPolicy } from '../../ipam/plan-eip.ts'
import { podText } from '../../ipam/pod-need.ts'
import type { Cloud, LeaderLedger } from '../../ports.ts'
import type { Millis } from '../../value/millis.ts'
import type { EipNotices } from './eip-notices.ts'
import { withQuota } from './quota-figures.ts'

/** What has failed about one claim since all was as it should be. */
export interface EipFailing {
  readonly pause: Pause
  /** Not to be tried again before; `isTold`: people know. */
  refused: (EipRefusal & { readonly isTold: boolean }) | undefined
  /** Refusals in a row that pass by themselves, as a rule. */
  passing: number
  /** Calls in a row without an answer, and looks that failed. */
  unanswered: number
  unseen: number
  /** What became of that is told: of what was asked then. */
  toldOf: Millis | undefined
}

export function noFailures(pause: Pause): EipFailing {
  return { pause, refused: undefined, passing: 0, unanswered: 0, unseen: 0, toldOf: undefined }
}

/** What passes by itself is told about when it has not passed after so many. */
const toldAfter = 3

/** One that gets no answer is sent again anyway. */
const unansweredToldAfter = 2

export interface EipFailures {
  /** Each returns how long to wait. Throws `storage`, `conflict`. */
  refused(claim: EipClaim, act: EipAct, refusal: JudgedRefusal, memory: EipFailing): Promise<Millis>
  unanswered(claim: EipClaim, act: EipAct, message: string, memory: EipFailing): Promise<Millis>
  undone(claim: EipClaim, act: EipAct, memory: EipFailing): Promise<Millis>
  unseen(claim: EipClaim, error: Error, memory: EipFailing): Promise<void>
  /** What waits until then passes by itself, as a rule. */
  isQuiet(memory: EipFailing, until: Millis): boolean
}

export interface EipFailuresOptions {
  readonly cloud: Cloud
  readonly clock: Clock
  readonly ledger: LeaderLedger
  readonly log: Log
  readonly notices: EipNotices
}

export function createEipFailures({ clock, cloud, ledger, log, notices }: EipFailuresOptions): EipFailures {
  /** It is sent again when it cannot happen any more: at once the first time, then ever more slowly. */
  async function unanswered(
    claim: EipClaim,
    act: EipAct,
    message: string,
    memory: EipFailing,
  ): Promise<Millis> {
    memory.refused = undefined
    if (++memory.unanswered < unansweredToldAfter) return eipPolicy.pollEvery
    const trouble = eipFailure(act, message)
    memory.refused = { act, ...trouble, until: clock.now() + memory.pause.failed(), isTold: true }
    await tell(claim, trouble)
    return eipPolicy.pollEvery
  }

  async function refused(
    claim: EipClaim,
    act: EipAct,
    refusal: JudgedRefusal,
    memory: EipFailing,
  ): Promise<Millis> {
    const { again, newToken } = refusal
    const retryIn = memory.pause.failed()
    memory.passing = again === 'soon' ? memory.passing + 1 : 0
    const isTold = again === 'later' || memory.passing >= toldAfter
    const wait = newToken || again === 'soon' ? retryIn : Math.max(retryIn, eipPolicy.retryEvery)
    const trouble = await withQuota(cloud, clock, act, refusal)
    memory.refused = { act, ...trouble, until: clock.now() + wait, isTold }
    memory.toldOf = ledger.eips.claim(claim)?.actedAt
    if (isTold) await tell(claim, trouble)
    return wait
  }

  /** The cloud took it on, and it came to nothing: it is sent again, ever more slowly. */
  async function undone(claim: EipClaim, act: EipAct, memory: EipFailing): Promise<Millis> {
    const { actedAt, eipId: eip } = claim
    log.warn('EIP task failed', { pod: podText(claim), act, eip })
    const message = `the cloud accepted to ${act} ${eip ?? 'an EIP'}, and it came to nothing; it is tried again`
    const wait = memory.pause.failed()
    const trouble = eipFailure(act, message)
    memory.toldOf = actedAt
    memory.refused = { act, ...trouble, until: clock.now() + wait, isTold: true }
    await tell(claim, trouble)
    return wait
  }

  /** In the claim as it is now. */
  async function tell(claim: EipClaim, trouble: EipTrouble): Promise<void> {
    const now = ledger.eips.claim(claim)
    if (now?.key === claim.key) await notices.trouble(now, trouble)
  }

  /** Who may not look at EIPs, or cannot, may do nothing about them; what is as it should be is so still. */
  async function unseen(claim: EipClaim, error: Error, memory: EipFailing): Promise<void> {
    const code = errorCode(error)
    if (code === undefined || ofLedger.has(code)) return
    if (++memory.unseen < unansweredToldAfter && code !== 'denied') return
    const now = ledger.eips.claim(claim)
    if (now?.key === claim.key && isUnderWay(now))
      await notices.trouble(now, eipFailure(actFor(now), withHint(error)))
  }

  return {
    ...{ refused, unanswered, undone, unseen },
    isQuiet: ({ refused: its }, until) => its !== undefined && !its.isTold && its.until === until,
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
