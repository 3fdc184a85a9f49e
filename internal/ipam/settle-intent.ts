// What became of a cloud call, judged by what the cloud shows now. One table for fresh, lost and crashed calls alike:
// an accepted call is waited for, one without an answer is either found done or sent again with the same token.
import type { Ipv4 } from '../value/ipv4.ts'
import type { Millis } from '../value/millis.ts'
import { type ErrorCode, mayHaveHappened } from './errors.ts'
import type { CloudEni, CloudIp, EniId, EniMode, InstanceId, NodeName, SubnetId } from './types.ts'

export type IntentKind = 'create' | 'attach' | 'assign' | 'unassign' | 'migrate' | 'detach' | 'delete'

/** An outside mutation: stored before it is sent, resolved after (R2). */
export interface Intent {
  readonly id: number
  readonly kind: IntentKind
  readonly node: NodeName
  readonly instanceId: InstanceId
  /** The ledger's key of the ENI it is about; `eniId` is unknown until a creation is accepted. */
  readonly eni: number
  readonly eniId: EniId | undefined
  /** migrate: the ENI that the address comes from; `eni` is where it goes. */
  readonly from?: { readonly eni: number; readonly eniId: EniId; readonly node: NodeName }
  readonly subnetId: SubnetId
  readonly slot: number
  readonly mode: EniMode
  /** `recorded`: no answer known. `accepted`: the cloud took it and works on it. */
  readonly state: 'recorded' | 'accepted'
  /** assign and create: how many; */
  readonly count: number
  /** unassign and migrate: which; assign: which, once accepted, or from the beginning when it is `exact`. */
  readonly addresses: readonly Ipv4[]
  readonly exact: boolean
  readonly token: string
  /** Times it was sent again. */
  readonly resent: number
  readonly reason: string
  readonly createdAt: Millis
  /** When it was last sent, or its answer came. */
  readonly changedAt: Millis
  /** Since when what the cloud shows speaks against it; undefined while it does not. */
  readonly missingSince: Millis | undefined
  /** unassign and detach: since when what they take away has been there, all of it. */
  readonly thereSince?: Millis
}

export interface SettlePolicy {
  /** How long a describe may lag behind an effect: before that, absence proves nothing (R7). */
  readonly staleFor: Millis
  /** An accepted call that has had no effect for so long is sent again; without an answer no call waits longer than this between two sendings. */
  readonly giveUpAfter: Millis
}

/** Sent so often again without effect, an intent fails, once two reads agree that nothing of it has happened. */
export const maxResends = 5

export type Settlement =
  | { readonly kind: 'wait' }
  | { readonly kind: 'done' }
  /** Not done. `sameToken` when it may still take effect, so that it cannot happen twice. `addresses`: what is left to unassign. */
  | { readonly kind: 'resend'; readonly sameToken: boolean; readonly addresses: readonly Ipv4[] }
  /** One read speaks against it: remembered, and decided when reads have done so for `staleFor` or longer (R7). */
  | { readonly kind: 'doubt' }
  /** Two reads apart in time agree: the ENI does not exist (any more). */
  | { readonly kind: 'gone' }
  | { readonly kind: 'failed'; readonly why: string }

/**
 * What one look says. `short`: done in part, and nothing of the rest is on its way. `undone`: no trace of it, and nothing is
 * on its way. `lost`: it began, and was undone.
 */
type Verdict = 'under-way' | 'done' | 'short' | 'undone' | 'lost' | { readonly failed: string }

/** What the ledger says of addresses on the ENI. */
export interface EniMemory {
  readonly known: ReadonlySet<Ipv4>
  /** Those that left it within the last `staleFor`: an old view still shows them. */
  readonly left: ReadonlySet<Ipv4>
}

/** `eni` is the ENI as described at `now`, undefined when it was not in the answer. */
export function settleIntent(
  intent: Intent,
  eni: CloudEni | undefined,
  memory: EniMemory,
  now: Millis,
  policy: SettlePolicy,
): Settlement {
  if (eni === undefined) return settleAbsent(intent, now, policy)
  // A view from before the call may show what was before the address or the attachment came: absence in it proves nothing.
  const fresh = now - intent.createdAt >= policy.staleFor
  const verdict = fresh ? judge(intent, eni, memory) : judgeEarly(intent, eni, memory, policy)
  if (typeof verdict === 'object') return { kind: 'failed', why: verdict.failed }
  switch (verdict) {
    case 'under-way':
      return { kind: 'wait' }
    case 'done':
      return { kind: 'done' }
    case 'short':
    case 'lost': {
      const settled: Settlement =
        verdict === 'short' ? { kind: 'done' } : { kind: 'failed', why: 'none of its addresses came' }
      const early = now - intent.changedAt < arrivalTime(intent, policy)
      return early ? { kind: 'wait' } : confirmed(intent, now, policy.staleFor, settled)
    }
    case 'undone':
      return again(intent, eni.ips, now, policy)
  }
}

/** Nothing of it is to be seen; `there` are the addresses that it was to take away from an ENI, as far as they are on it still. */
export function again(
  intent: Intent,
  there: readonly CloudIp[],
  now: Millis,
  policy: SettlePolicy,
): Settlement {
  if (now - intent.changedAt < pauseOf(intent, policy)) return { kind: 'wait' }
  if (intent.resent >= maxResends) {
    const why = intent.state === 'accepted' ? 'accepted several times' : 'sent several times'
    return confirmed(intent, now, policy.staleFor, { kind: 'failed', why: `${why} without effect` })
  }
  const addresses = intent.addresses.filter((one) => there.some(({ address }) => address === one))
  return { kind: 'resend', sameToken: intent.state === 'recorded', addresses }
}

/** Without an answer soon, then ever more seldom: a cloud in trouble is not helped by being asked again. */
function pauseOf({ state, resent }: Intent, { staleFor, giveUpAfter }: SettlePolicy): Millis {
  return state === 'accepted' ? giveUpAfter : Math.min(giveUpAfter, staleFor * 2 ** Math.min(resent, 16))
}

/** Addresses that the cloud has named come, as a rule: asked for anew too early they would be there twice. */
function arrivalTime({ kind, state }: Intent, { staleFor, giveUpAfter }: SettlePolicy): Millis {
  return kind === 'assign' && state === 'accepted' ? Math.max(staleFor, giveUpAfter / 2) : staleFor
}

/** Only when reads have said so for `duration`. */
export function confirmed(intent: Intent, now: Millis, duration: Millis, settlement: Settlement): Settlement {
  if (intent.missingSince === undefined) return { kind: 'doubt' }
  return now - Math.max(intent.missingSince, intent.changedAt) < duration ? { kind: 'doubt' } : settlement
}

/** What only a view from after the call can say is not said yet. */
function judgeEarly(intent: Intent, eni: CloudEni, memory: EniMemory, { staleFor }: SettlePolicy): Verdict {
  const verdict = judge(intent, eni, memory)
  const { addresses, createdAt, kind, state, thereSince = createdAt } = intent
  // What had been there for long is in every view from before the call: one that lacks it is from after.
  const absence = (kind === 'unassign' || kind === 'detach') && createdAt - thereSince < staleFor
  // One that was unassigned just before may still be in an old view, and look as if it had just come.
  const appearance =
    kind === 'assign' && (state === 'recorded' || addresses.some((one) => memory.left.has(one)))
  return verdict === 'done' && (absence || appearance) ? 'under-way' : verdict
}

function judge(intent: Intent, eni: CloudEni, { known }: EniMemory): Verdict {
  switch (intent.kind) {
    case 'create':
      return judgeCreation(intent, eni)
    case 'assign':
      return intent.state === 'accepted'
        ? judgeAssignment(intent, eni)
        : judgeLostAssignment(intent, eni, known)
    case 'unassign':
      return judgeUnassignment(intent, eni)
    case 'attach':
    case 'detach':
    case 'delete':
      return judgeMove(intent, eni)
    case 'migrate':
      return 'under-way' // one ENI does not tell: settle-migration.ts
  }
}

function judgeCreation({ count }: Intent, eni: CloudEni): Verdict {
  if (eni.state === 'pending' || eni.ips.some(({ state }) => state === 'pending')) return 'under-way'
  return eni.ips.length < count ? 'short' : 'done'
}

/** Its addresses are known: each comes or does not. */
function judgeAssignment({ addresses }: Intent, eni: CloudEni): Verdict {
  const there = eni.ips.filter(({ address }) => addresses.includes(address))
  if (there.some(({ state }) => state === 'pending')) return 'under-way'
  const come = there.filter(({ state }) => state === 'available').length
  if (come === addresses.length) return 'done'
  return come > 0 ? 'short' : 'lost'
}

/** Its answer is lost. Addresses on an ENI of ours that the ledger does not know can only be those that it made. */
function judgeLostAssignment(intent: Intent, eni: CloudEni, known: ReadonlySet<Ipv4>): Verdict {
  const { count, exact } = intent
  if (exact) {
    const verdict = judgeAssignment(intent, eni)
    return verdict === 'lost' ? 'undone' : verdict
  }
  const come = eni.ips.filter(({ address }) => !known.has(address))
  if (come.some(({ state }) => state === 'pending')) return 'under-way'
  const usable = come.filter(({ state }) => state === 'available').length
  if (usable >= count) return 'done'
  return usable > 0 ? 'short' : 'undone'
}

function judgeUnassignment({ addresses }: Intent, eni: CloudEni): Verdict {
  const left = eni.ips.filter(({ address }) => addresses.includes(address))
  if (left.length === 0) return 'done'
  return left.some(({ state }) => state !== 'available') ? 'under-way' : 'undone'
}

function judgeMove({ kind, instanceId }: Intent, eni: CloudEni): Verdict {
  if (eni.instanceId !== undefined && eni.instanceId !== instanceId && kind !== 'detach')
    return { failed: `ENI "${eni.id}" is attached to "${eni.instanceId}"` }
  if (eni.state !== 'available') return 'under-way'
  const attachedHere = eni.instanceId === instanceId
  if (kind === 'attach') return attachedHere ? 'done' : 'undone'
  return kind === 'detach' && !attachedHere ? 'done' : 'undone'
}

function settleAbsent(intent: Intent, now: Millis, policy: SettlePolicy): Settlement {
  if (intent.kind === 'create' && intent.state === 'recorded') return settleUntraced(intent, now, policy)
  // What was to go may go soon; anything else costs nothing to wait long for, and forgotten too early it would be lost for ever.
  const leaving = intent.kind === 'detach' || intent.kind === 'delete'
  return confirmed(intent, now, leaving ? policy.staleFor : policy.giveUpAfter, { kind: 'gone' })
}

/** A creation without an answer that left no trace: the same token makes a second ENI impossible. */
function settleUntraced(intent: Intent, now: Millis, policy: SettlePolicy): Settlement {
  const last = intent.resent >= maxResends
  return confirmed(
    intent,
    now,
    pauseOf(intent, policy),
    last
      ? { kind: 'failed', why: 'sent several times without effect' }
      : { kind: 'resend', sameToken: true, addresses: [] },
  )
}

/** The clock has been set back since. */
export function isFromTheFuture({ createdAt, changedAt, missingSince = 0 }: Intent, now: Millis): boolean {
  return Math.max(createdAt, changedAt, missingSince) > now
}

/**
 * May the cloud show something else than before the call? A refusal for the state of an ENI may come from an old view, or of
 * a second delivery of the same request; a code that we do not know must not bring an address back that may be gone.
 */
export function mayDiffer(kind: IntentKind, code: ErrorCode): boolean {
  if (mayHaveHappened(code) || code === 'conflict') return true
  if (kind === 'unassign' && code === 'cloud_fault') return true
  return kind !== 'create' && (code === 'not_found' || code === 'invalid_state')
}
