// What became of a cloud call, judged by what the cloud shows now. One table for fresh, lost and crashed calls alike:
// an accepted call is waited for, one without an answer is either found done or sent again with the same token.
import type { Ipv4 } from '../value/ipv4.ts'
import type { Millis } from '../value/millis.ts'
import type { CloudEni, EniId, InstanceId, NodeName, SubnetId } from './types.ts'

export type IntentKind = 'create' | 'attach' | 'assign' | 'unassign' | 'detach' | 'delete'

/** An outside mutation: stored before it is sent, resolved after (R2). */
export interface Intent {
  readonly id: number
  readonly kind: IntentKind
  readonly node: NodeName
  readonly instanceId: InstanceId
  /** The ledger's key of the ENI it is about; `eniId` is unknown until a creation is accepted. */
  readonly eni: number
  readonly eniId: EniId | undefined
  readonly subnetId: SubnetId
  readonly slot: number
  /** `recorded`: no answer known. `accepted`: the cloud took it and works on it. */
  readonly state: 'recorded' | 'accepted'
  /** assign and create: how many; */
  readonly count: number
  /** unassign: which; assign: which, once accepted. */
  readonly addresses: readonly Ipv4[]
  readonly token: string
  /** Times it was sent again. */
  readonly resent: number
  readonly reason: string
  readonly createdAt: Millis
  /** When it was last sent, or its answer came. */
  readonly changedAt: Millis
  /** Since when the cloud has not shown its object; undefined while it does. */
  readonly missingSince: Millis | undefined
}

export interface SettlePolicy {
  /** How long a describe may lag behind an effect: before that, absence proves nothing (R7). */
  readonly staleFor: Millis
  /** An accepted call that has had no effect for so long is sent again. */
  readonly giveUpAfter: Millis
}

export type Settlement =
  | { readonly kind: 'wait' }
  | { readonly kind: 'done' }
  /** Not done. `sameToken` when it may still take effect, so that it cannot happen twice. */
  | { readonly kind: 'resend'; readonly sameToken: boolean }
  /** The cloud did not show the object: remembered, and decided when it has been so for `staleFor`. */
  | { readonly kind: 'missing' }
  /** Confirmed: the ENI does not exist (any more). */
  | { readonly kind: 'gone' }
  | { readonly kind: 'failed'; readonly why: string }

const wait: Settlement = { kind: 'wait' }
const done: Settlement = { kind: 'done' }

/** `eni` is the ENI as described at `now`, undefined when it was not in the answer; `known` the ledger's addresses on it. */
export function settleIntent(
  intent: Intent,
  eni: CloudEni | undefined,
  known: ReadonlySet<Ipv4>,
  now: Millis,
  policy: SettlePolicy,
): Settlement {
  if (eni === undefined) return settleAbsent(intent, now, policy)
  const late = now - intent.changedAt >= (intent.state === 'recorded' ? policy.staleFor : policy.giveUpAfter)
  const again: Settlement = late ? { kind: 'resend', sameToken: intent.state === 'recorded' } : wait
  // A view from before the call may show what was before the address or the attachment came: absence in it proves nothing.
  const fresh = now - intent.createdAt >= policy.staleFor
  const attachedHere = eni.instanceId === intent.instanceId
  switch (intent.kind) {
    case 'create':
      return eni.state === 'pending' || eni.ips.some(({ state }) => state === 'pending') ? wait : done
    case 'attach':
      if (eni.instanceId !== undefined && !attachedHere) {
        return { kind: 'failed', why: `it is attached to "${eni.instanceId}"` }
      }
      if (attachedHere && eni.state === 'available') return done
      return eni.state === 'attaching' ? wait : again
    case 'assign': {
      if (intent.state === 'recorded') {
        // They come one by one; and one that was unassigned just before may still be in an old view.
        if (arriving(eni, known) || !fresh) return wait
        return adoptable(eni, known).length > 0 ? done : again
      }
      const there = eni.ips.filter(({ address }) => intent.addresses.includes(address))
      if (there.length === intent.addresses.length && there.every(({ state }) => state === 'available'))
        return done
      return late ? done : wait // what has not come by now is dropped item by item
    }
    case 'unassign':
      if (!eni.ips.some(({ address }) => intent.addresses.includes(address))) return fresh ? done : wait
      return eni.ips.some(({ address, state }) => intent.addresses.includes(address) && state === 'deleting')
        ? wait
        : again
    case 'detach':
      if (eni.instanceId === undefined && eni.state === 'available') return fresh ? done : wait
      return eni.state === 'detaching' ? wait : again
    case 'delete':
      return eni.state === 'deleting' ? wait : again
  }
}

function settleAbsent(intent: Intent, now: Millis, policy: SettlePolicy): Settlement {
  if (intent.missingSince === undefined) return { kind: 'missing' }
  const missingFor = now - Math.max(intent.missingSince, intent.changedAt)
  // Made or attached just now, it costs nothing to wait long: forgotten too early it would be lost for ever.
  const made = intent.state === 'accepted' && (intent.kind === 'create' || intent.kind === 'attach')
  if (missingFor < (made ? policy.giveUpAfter : policy.staleFor)) return wait
  // A creation without an answer that left no trace: the same token makes a second ENI impossible.
  if (intent.kind === 'create' && intent.state === 'recorded') return { kind: 'resend', sameToken: true }
  return { kind: 'gone' }
}

/** Addresses on an ENI of ours that the ledger does not know: only an assignment whose answer was lost can have made them. */
function adoptable(eni: CloudEni, known: ReadonlySet<Ipv4>): readonly Ipv4[] {
  return eni.ips
    .filter(({ address, state }) => state === 'available' && !known.has(address))
    .map(({ address }) => address)
}

function arriving(eni: CloudEni, known: ReadonlySet<Ipv4>): boolean {
  return eni.ips.some(({ address, state }) => state === 'pending' && !known.has(address))
}
