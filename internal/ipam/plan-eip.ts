// What is to be done in the cloud about one claim to a public address: its row, a look at its EIP, and where its pod's address is, in; one
// step out. Levels, not edges: whatever led here, what is so now decides.
//
// Only the allocation has a token. So each act is stored before it is sent (`acted`, `acted_at`), and no other follows until it is seen what
// became of it: its effect in a look that is late enough, or that it had none although the latest moment has passed at which it could have
// had one. That is what makes it safe to send another: of two that can still happen nobody knows which does so last.
import type { Ipv4 } from '../value/ipv4.ts'
import { isRecent, type Millis } from '../value/millis.ts'
import type { EipAct, EipClaim, EipTrouble } from './eip-claim.ts'
import { boundTo, eipTrouble, poverty } from './pick-eip.ts'
import type { CloudEip, EniId } from './types.ts'

/** What the cloud showed: of a row with an EIP that one, of another the one that bears its token. */
export interface SeenEip {
  /** When it was asked. */
  readonly at: Millis
  /** That may take a while. */
  readonly answeredAt: Millis
  /** undefined: it was not there. */
  readonly eip: CloudEip | undefined
}

export interface EipLook extends SeenEip {
  /** When the first of the looks was asked that have shown the same, one after the other. */
  readonly since: Millis
}

/** A look after `before`, in the memory of whoever looks: a leader that starts knows of none. */
export function lookAgain(before: EipLook | undefined, seen: SeenEip): EipLook {
  const { at, eip } = seen
  const isSame =
    before !== undefined &&
    before.eip?.id === eip?.id &&
    before.eip?.state === eip?.state &&
    before.eip?.eniId === eip?.eniId &&
    before.eip?.privateIp === eip?.privateIp
  return { ...seen, since: isSame ? before.since : at }
}

/** An address of a pod, on an ENI. */
export interface EipPlace {
  readonly address: Ipv4
  readonly eniId: EniId
}

/** The cloud has refused this act, and it is not to be tried again before `until`. */
export interface EipRefusal extends EipTrouble {
  readonly act: EipAct
  readonly until: Millis
}

export interface EipView {
  readonly row: EipClaim
  readonly look: EipLook | undefined
  /**
   * Where the pod's address is, as the ledger has it bound, and nothing asked that takes it away. `none`: the pod has none, or it is about
   * to leave its ENI: an EIP goes first. `elsewhere`: none that an EIP could be bound to is to be expected, on its node or with the address
   * that it shows. `unknown`: nothing is done about where the EIP is.
   */
  readonly place: EipPlace | 'none' | 'elsewhere' | 'unknown'
  readonly refused: EipRefusal | undefined
  readonly now: Millis
}

export interface EipPolicy {
  /** What the cloud shows may be so old. */
  readonly staleFor: Millis
  /** A call without an answer may take effect so long after it was sent. */
  readonly lateFor: Millis
  /** What nobody of ours has released is believed gone when looks agree for so long: an answer may also leave something out. */
  readonly goneFor: Millis
  /** A look is good for a decision for so long, from its answer on: however slow the cloud is, one follows. */
  readonly freshFor: Millis
  readonly pollEvery: Millis
  /** A node that has just come is known so soon, as a rule. */
  readonly knownWithin: Millis
  /** What only somebody else can mend is looked at again so soon. */
  readonly retryEvery: Millis
}

export const eipPolicy: EipPolicy = {
  staleFor: 5000,
  lateFor: 30_000,
  goneFor: 15_000,
  freshFor: 5000,
  pollEvery: 2000,
  knownWithin: 20_000,
  retryEvery: 30_000,
}

/**
 * An act is stored, with its time and as not answered, before it is sent. When the cloud takes it on, or refuses it for a state that the same
 * request may have brought about, that is stored with the time of the answer; when it refuses otherwise, it has not happened, and what was
 * stored of the act before is stored again; without an answer, only when it was sent last.
 */
export type EipStep =
  /**
   * Store the token (unless there is one) and the act, then call. `alone`: no earlier call can bring one of that token any more; only then
   * may another token follow when this one brings nothing.
   */
  | { readonly kind: 'allocate'; readonly alone: boolean }
  /** The allocation has brought this one: store it. */
  | { readonly kind: 'adopt'; readonly eip: CloudEip }
  /** One of the list is to be chosen: see pick-eip.ts. */
  | { readonly kind: 'pick' }
  /** Store the act with the place, then call. */
  | ({ readonly kind: 'associate'; readonly eip: CloudEip } & EipPlace)
  | { readonly kind: 'disassociate'; readonly eip: CloudEip }
  | { readonly kind: 'release'; readonly eip: CloudEip }
  /** Ask the cloud, not before then; at once when that has passed. */
  | { readonly kind: 'wait'; readonly until: Millis }
  /** Nothing is to be done, and nothing is on its way: store where it is, and no act. `at` undefined: it is on nothing. */
  | { readonly kind: 'done'; readonly eip: CloudEip | undefined; readonly at: EipPlace | undefined }
  /** Somebody else has taken it off the address that it was bound to: store that it is on none. */
  | { readonly kind: 'taken-off' }
  /** The EIP is gone: let the row go, with a pod it is made anew. */
  | ({ readonly kind: 'lost' } & EipTrouble)
  /** The row goes; nothing of the cloud belongs to it any more. */
  | { readonly kind: 'remove' }
  /** Somebody has to do something; look again then. */
  | ({ readonly kind: 'trouble'; readonly until: Millis } & EipTrouble)

/** The next step. */
export function planEip(view: EipView, policy: EipPolicy = eipPolicy): EipStep {
  const step = view.row.eipId === undefined ? obtain(view, policy) : settle(view, policy)
  const { now, refused } = view
  if (refused === undefined || refused.act !== step.kind || now >= refused.until) return step
  const { message, reason, until } = refused
  return { kind: 'trouble', reason, message, until }
}

/** A row without an EIP. */
function obtain(view: EipView, policy: EipPolicy): EipStep {
  const { look, now, row } = view
  const isLetGo = row.phase === 'Releasing'
  if (row.acted === undefined) {
    if (isLetGo) return { kind: 'remove' }
    if (view.place === 'elsewhere') return unplaced(row, now, policy)
    return row.wish.source === 'created' ? { kind: 'allocate', alone: true } : { kind: 'pick' }
  }
  if (!isGood(view, policy)) return { kind: 'wait', until: nextLook(view, policy) }
  if (look?.eip !== undefined) return { kind: 'adopt', eip: look.eip }
  // The same token brings the same one: whenever the first call happens, there are never two.
  const isNone = agreedFor(view, overFrom(row, policy)) >= policy.staleFor
  if (!isLetGo) return { kind: 'allocate', alone: isNone }
  if (isNone) return { kind: 'remove' }
  return { kind: 'wait', until: now + policy.pollEvery }
}

/** What is made for it would be paid for, and what is chosen kept from others, for nothing. */
function unplaced({ createdAt }: EipClaim, now: Millis, policy: EipPolicy): EipStep {
  if (isRecent(createdAt, now, policy.knownWithin)) return { kind: 'wait', until: now + policy.pollEvery }
  const so = 'its node has no pool, or the address that it shows is of none'
  const remedy = 'run it on a node that the leader gives addresses to'
  const trouble = eipTrouble({ reason: 'NoPodAddress', so, remedy })
  return { kind: 'trouble', ...trouble, until: now + policy.retryEvery }
}

function settle(view: EipView, policy: EipPolicy): EipStep {
  const { look, now, row } = view
  const again: EipStep = { kind: 'wait', until: now + policy.pollEvery }
  if (look === undefined || !isGood(view, policy)) return { kind: 'wait', until: nextLook(view, policy) }
  const { eip } = look
  if (eip === undefined) return isGone(view, policy) ? gone(row) : again
  switch (eip.state) {
    case 'creating':
    case 'binding':
    case 'unbinding':
    case 'releasing':
      return again
    case 'unbound':
    case 'bound':
    case 'bound_to_loose_eni':
      return hasHappened(row, eip) || isOver(view, policy) ? place(view, eip, policy) : again
  }
}

/** It stands still, and nothing is on its way. */
function place(view: EipView, eip: CloudEip, policy: EipPolicy): EipStep {
  const { now, row } = view
  const again: EipStep = { kind: 'wait', until: now + policy.pollEvery }
  // It was seen bound: one look may be an old one.
  if (wasTakenOff(row, eip)) return isAgreed(view, policy) ? { kind: 'taken-off' } : again
  if (view.place === 'unknown' && hasPod(row)) return again
  const wanted = hasPod(row) && typeof view.place === 'object' ? view.place : undefined
  return eip.state === 'unbound' ? bind(view, eip, wanted, policy) : keepOrUnbind(view, eip, wanted, policy)
}

function wasTakenOff({ acted, eniId, phase, privateIp }: EipClaim, eip: CloudEip): boolean {
  if (phase !== 'Bound' || acted !== undefined || privateIp === undefined) return false
  return eip.eniId !== eniId || eip.privateIp !== privateIp
}

function bind(view: EipView, eip: CloudEip, wanted: EipPlace | undefined, policy: EipPolicy): EipStep {
  const { now, row } = view
  // It was seen bound: one look may be an old one.
  if (row.acted === undefined && row.privateIp !== undefined && !isAgreed(view, policy))
    return { kind: 'wait', until: now + policy.pollEvery }
  if (wanted !== undefined) {
    const trouble = poverty(eip)
    if (trouble !== undefined)
      return { kind: 'trouble', ...eipTrouble(trouble), until: now + policy.retryEvery }
    return { kind: 'associate', eip, address: wanted.address, eniId: wanted.eniId }
  }
  if (row.wish.source === 'specified') return leave(view, eip, policy)
  return row.phase === 'Releasing' ? { kind: 'release', eip } : { kind: 'done', eip, at: undefined }
}

/** Its user may bind it to something of his from now on, which no call of ours may undo. */
function leave(view: EipView, eip: CloudEip, policy: EipPolicy): EipStep {
  const { now, row } = view
  if (row.acted !== undefined && !isOver(view, policy)) return { kind: 'wait', until: now + policy.pollEvery }
  return row.phase === 'Releasing' ? { kind: 'remove' } : { kind: 'done', eip, at: undefined }
}

function keepOrUnbind(
  view: EipView,
  eip: CloudEip,
  wanted: EipPlace | undefined,
  policy: EipPolicy,
): EipStep {
  const { now, row } = view
  if (wanted !== undefined && isAt(eip, wanted)) {
    // Its ENI is on the pod's node: that is only not yet to be seen.
    if (eip.state === 'bound_to_loose_eni') return { kind: 'wait', until: now + policy.pollEvery }
    const trouble = poverty(eip)
    if (trouble !== undefined)
      return { kind: 'trouble', ...eipTrouble(trouble), until: now + policy.retryEvery }
    return { kind: 'done', eip, at: wanted }
  }
  if (isOurDoing(row, eip)) return { kind: 'disassociate', eip }
  if (row.wish.source === 'specified' && wanted === undefined) return leave(view, eip, policy)
  const so = `${eip.id} is bound to ${boundTo(eip)}, which no leader has done`
  const what = wanted === undefined ? 'take the EIP back' : undefined
  const trouble = eipTrouble({ reason: 'EipInUse', so, remedy: 'unbind it' }, what)
  return { kind: 'trouble', ...trouble, until: now + policy.retryEvery }
}

/** What somebody has bound to something of his own is left; one that was made for pods is on an ENI for no other reason. */
function isOurDoing({ eniId, privateIp, wish }: EipClaim, eip: CloudEip): boolean {
  if (eip.eniId === undefined || eip.privateIp === undefined) return false
  return wish.source === 'created' || (eip.eniId === eniId && eip.privateIp === privateIp)
}

/** Two looks agree: it is not there. */
function gone(row: EipClaim): EipStep {
  const { acted, eipId, phase } = row
  if (phase === 'Releasing') return { kind: 'remove' }
  // It has never been there.
  if (acted === 'allocate' && hasPod(row)) {
    const message = `the cloud accepted to make ${eipId}, and it came to nothing; another is asked for`
    return { kind: 'lost', reason: 'FailedAllocateEIP', message }
  }
  return { kind: 'lost', reason: 'EipLost', message: `${eipId} is gone: somebody else has released it` }
}

function hasPod({ phase }: EipClaim): boolean {
  return phase === 'Pending' || phase === 'Attaching' || phase === 'Bound'
}

function isAt(eip: CloudEip, { address, eniId }: EipPlace): boolean {
  return eip.eniId === eniId && eip.privateIp === address
}

/** From when a look says something of what was asked last. */
function tellsFrom({ acted, actedAt }: EipClaim, { staleFor }: EipPolicy): Millis {
  return acted === undefined ? Number.NEGATIVE_INFINITY : (actedAt ?? 0) + staleFor
}

function isGood({ look, now, row }: EipView, policy: EipPolicy): boolean {
  return look !== undefined && look.at >= tellsFrom(row, policy) && now - look.answeredAt <= policy.freshFor
}

function nextLook({ now, row }: EipView, policy: EipPolicy): Millis {
  return Math.max(now, tellsFrom(row, policy))
}

/** From when a look shows what came of what was asked last: it cannot happen any more. */
function overFrom(row: EipClaim, policy: EipPolicy): Millis {
  return tellsFrom(row, policy) + (row.answered ? 0 : policy.lateFor)
}

function isOver({ look, row }: EipView, policy: EipPolicy): boolean {
  return look !== undefined && look.at >= overFrom(row, policy)
}

/** For how long looks have agreed on what is shown; those from before `from` do not count. */
function agreedFor({ look }: EipView, from: Millis): Millis {
  return look === undefined ? 0 : look.at - Math.max(look.since, from)
}

/** They cannot all be older than the first. */
function isAgreed(view: EipView, policy: EipPolicy): boolean {
  return agreedFor(view, tellsFrom(view.row, policy)) >= policy.staleFor
}

function isGone(view: EipView, policy: EipPolicy): boolean {
  const enough = view.row.acted === 'release' ? policy.staleFor : policy.goneFor
  return agreedFor(view, tellsFrom(view.row, policy)) >= enough
}

/** Does a look that is late enough show that what was asked last has happened? */
function hasHappened(row: EipClaim, eip: CloudEip): boolean {
  const isWhereItWas = eip.eniId === row.eniId && eip.privateIp === row.privateIp
  switch (row.acted) {
    case undefined:
    case 'allocate':
      return true
    case 'associate':
      return eip.state !== 'unbound' && isWhereItWas
    case 'disassociate':
      return eip.state === 'unbound' || !isWhereItWas
    case 'release':
      return false
  }
}
