import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EipClaim } from '../../internal/ipam/eip-claim.ts'
import { judgeEipRefusal } from '../../internal/ipam/eip-refusal.ts'
import type { EipWish } from '../../internal/ipam/eip-wish.ts'
import type { ErrorCode } from '../../internal/ipam/errors.ts'
import { type EipStep, type EipView, eipPolicy, planEip } from '../../internal/ipam/plan-eip.ts'
import type { CloudEip } from '../../internal/ipam/types.ts'
import { ip } from '../given.ts'

const now = 1_000_000
const { freshFor, goneFor, knownWithin, lateFor, pollEvery, retryEvery, staleFor } = eipPolicy
const here = { address: ip('10.0.1.5'), eniId: 'eni-1' }
const there = { address: ip('10.0.1.6'), eniId: 'eni-2' }
/** Of a row whose EIP is where the pod is, or on its way there. */
const held = { privateIp: here.address, eniId: here.eniId }

const keeping = { policy: 'Never', expireAfter: undefined } as const
const created: EipWish = {
  ...{ source: 'created', bandwidth: 1, isp: 'BGP', chargeType: 'TRAFFIC_POSTPAID_BY_HOUR' },
  ...{ label: undefined, tags: {}, raw: {}, ...keeping },
}
const specified: EipWish = { source: 'specified', ids: ['eip-a'], ordinal: undefined, ...keeping }

function row(change: Partial<EipClaim> = {}): EipClaim {
  return {
    ...{
      key: 1,
      uid: 'u',
      namespace: 'default',
      name: 'web-0',
      policy: 'Never',
      phase: 'Attaching',
      generation: 1,
    },
    ...{
      podUid: 'p',
      node: 'n1',
      wish: created,
      eipId: 'eip-a',
      address: ip('1.2.3.4'),
      privateIp: undefined,
    },
    ...{
      eniId: undefined,
      allocateToken: 't',
      acted: undefined,
      actedAt: undefined,
      answered: false,
      expireAfter: undefined,
    },
    ...{ retainedAt: undefined, expiresAt: undefined, owner: undefined, reason: '', message: '' },
    ...{ createdAt: 0, changedAt: 0, version: 1 },
    ...change,
  }
}

const bare = { eipId: undefined, address: undefined, phase: 'Pending' } as const

function eip(state: CloudEip['state'], at?: typeof here, change: Partial<CloudEip> = {}): CloudEip {
  return {
    ...{ id: 'eip-a', address: ip('1.2.3.4'), state, eniId: at?.eniId, privateIp: at?.address },
    ...{
      instanceId: undefined,
      bandwidth: 1,
      chargeType: undefined,
      isp: 'BGP',
      arrears: false,
      blocked: false,
    },
    ...{ name: '', tags: {}, ...change },
  }
}

interface Row {
  readonly does: string
  readonly row?: Partial<EipClaim>
  /** undefined: it is not there. */
  readonly seen?: CloudEip | 'missing' | 'not looked'
  readonly lookedAgo?: number
  /** Without it at once. */
  readonly answeredAgo?: number
  readonly sameFor?: number
  readonly place?: EipView['place']
  readonly refused?: EipView['refused']
  readonly want: EipStep
}

const wait = (after: number): EipStep => ({ kind: 'wait', until: now + after })
const acted = (act: EipClaim['acted'], ago: number) => ({ acted: act, actedAt: now - ago })
const associate = (seen: CloudEip, at = here): EipStep => ({ kind: 'associate', eip: seen, ...at })
const poor = {
  reason: 'EipInArrears',
  message: 'Cannot give the pod its EIP: eip-a is in arrears; pay what is owed to Tencent Cloud',
}
const unplaced = {
  reason: 'NoPodAddress',
  message:
    'Cannot give the pod its EIP: its node has no pool, or the address that it shows is of none; run it on a node that the leader gives addresses to',
}
const unbound = eip('unbound')
const bound = eip('bound', here)
const elsewhere = eip('bound', there)
const onNat = eip('bound', undefined, { instanceId: 'nat-1' })

const rows: readonly Row[] = [
  // Without an EIP.
  { does: 'allocates one for a pod', row: bare, seen: 'not looked', want: { kind: 'allocate', alone: true } },
  {
    does: 'picks one of a list',
    row: { ...bare, wish: specified },
    seen: 'not looked',
    want: { kind: 'pick' },
  },
  { does: 'lets a claim go that has none', row: { ...bare, phase: 'Releasing' }, want: { kind: 'remove' } },
  {
    does: 'looks what an allocation has brought, late enough',
    row: { ...bare, ...acted('allocate', 1000) },
    want: wait(staleFor - 1000),
  },
  {
    does: 'takes no look from before',
    row: { ...bare, ...acted('allocate', 9000) },
    lookedAgo: 4500,
    want: wait(0),
  },
  {
    does: 'adopts what it has brought',
    row: { ...bare, ...acted('allocate', 9000) },
    want: { kind: 'adopt', eip: unbound },
  },
  {
    does: 'allocates again with the same token',
    row: { ...bare, ...acted('allocate', 9000) },
    seen: 'missing',
    want: { kind: 'allocate', alone: false },
  },
  {
    does: 'knows when the earlier call brings none any more',
    row: { ...bare, ...acted('allocate', lateFor + 2 * staleFor) },
    seen: 'missing',
    sameFor: staleFor,
    want: { kind: 'allocate', alone: true },
  },
  {
    does: 'keeps a claim that is let go while one may come',
    row: { ...bare, ...acted('allocate', lateFor), phase: 'Releasing' },
    seen: 'missing',
    sameFor: 10_000,
    want: wait(pollEvery),
  },
  {
    does: 'lets it go when none can come any more, and two looks say that none came',
    row: { ...bare, ...acted('allocate', lateFor + 2 * staleFor), phase: 'Releasing' },
    seen: 'missing',
    sameFor: staleFor,
    want: { kind: 'remove' },
  },
  {
    does: 'does not believe one look alone',
    row: { ...bare, ...acted('allocate', 90_000), phase: 'Releasing' },
    seen: 'missing',
    sameFor: 0,
    want: wait(pollEvery),
  },
  {
    does: 'adopts one that is to be released',
    row: { ...bare, ...acted('allocate', 9000), phase: 'Releasing' },
    want: { kind: 'adopt', eip: unbound },
  },
  {
    does: 'counts no look from before what was asked last among those that agree',
    row: acted('allocate', staleFor + 1000),
    seen: 'missing',
    sameFor: 60_000,
    want: wait(pollEvery),
  },
  {
    does: 'makes none for a pod that it could not be bound for, though a node may have just come',
    row: { ...bare, createdAt: now - knownWithin + 1 },
    place: 'elsewhere',
    want: wait(pollEvery),
  },
  {
    does: 'says so later',
    row: { ...bare, createdAt: now - knownWithin },
    place: 'elsewhere',
    want: { kind: 'trouble', until: now + retryEvery, ...unplaced },
  },
  {
    does: 'says so at once when its clock was set back meanwhile',
    row: { ...bare, createdAt: now + 1 },
    place: 'elsewhere',
    want: { kind: 'trouble', until: now + retryEvery, ...unplaced },
  },
  {
    does: 'keeps none of a list from others for such a pod',
    row: { ...bare, wish: specified, createdAt: now - knownWithin },
    place: 'elsewhere',
    want: { kind: 'trouble', until: now + retryEvery, ...unplaced },
  },
  // Towards the pod.
  { does: 'looks first', seen: 'not looked', want: wait(0) },
  { does: 'looks again when the look is old', lookedAgo: freshFor + 1, want: wait(0) },
  {
    does: 'takes a look that was long on its way',
    lookedAgo: 4 * freshFor,
    answeredAgo: freshFor,
    want: associate(unbound),
  },
  {
    does: 'looks again when that one is old',
    lookedAgo: 4 * freshFor,
    answeredAgo: freshFor + 1,
    want: wait(0),
  },
  { does: 'binds one that is on nothing', want: associate(unbound) },
  ...(['creating', 'binding', 'unbinding', 'releasing'] as const).map((state) => ({
    does: `waits while it is ${state}`,
    seen: eip(state, here),
    want: wait(pollEvery),
  })),
  {
    does: 'binds none while the pod has no address',
    place: 'none',
    want: { kind: 'done', eip: unbound, at: undefined },
  },
  { does: 'does nothing while nobody knows where the pod is', place: 'unknown', want: wait(pollEvery) },
  {
    does: 'unbinds none while nobody knows where the pod is',
    place: 'unknown',
    seen: bound,
    row: held,
    want: wait(pollEvery),
  },
  {
    does: 'is done where it is bound as it should be',
    seen: bound,
    row: held,
    want: { kind: 'done', eip: bound, at: here },
  },
  {
    does: 'waits until its ENI is seen on the node',
    seen: eip('bound_to_loose_eni', here),
    row: held,
    want: wait(pollEvery),
  },
  {
    does: 'unbinds one before the address of its pod leaves',
    seen: bound,
    row: held,
    place: 'none',
    want: { kind: 'disassociate', eip: bound },
  },
  {
    does: 'unbinds one whose pod is elsewhere',
    seen: bound,
    row: held,
    place: there,
    want: { kind: 'disassociate', eip: bound },
  },
  {
    does: 'unbinds one on a loose ENI',
    seen: eip('bound_to_loose_eni', here),
    row: held,
    place: there,
    want: { kind: 'disassociate', eip: eip('bound_to_loose_eni', here) },
  },
  {
    does: 'tells of arrears before it binds',
    seen: eip('unbound', undefined, { arrears: true }),
    want: { kind: 'trouble', ...poor, until: now + retryEvery },
  },
  {
    does: 'tells of arrears of one that is bound, and leaves it',
    seen: eip('bound', here, { arrears: true }),
    row: held,
    want: { kind: 'trouble', ...poor, until: now + retryEvery },
  },
  {
    does: 'tells that it is blocked',
    seen: eip('unbound', undefined, { blocked: true }),
    want: {
      kind: 'trouble',
      reason: 'EipBlocked',
      message:
        'Cannot give the pod its EIP: the cloud has blocked eip-a, as after an attack; unblock it in the console',
      until: now + retryEvery,
    },
  },
  // What was asked last.
  {
    does: 'takes no look from before it bound',
    row: { ...held, ...acted('associate', 6000) },
    lookedAgo: 1001,
    want: wait(0),
  },
  {
    does: 'takes none that was answered since, and asked before',
    row: { ...held, ...acted('associate', 6000) },
    lookedAgo: 1001,
    answeredAgo: 0,
    want: wait(0),
  },
  {
    does: 'binds no second time while the first may happen',
    row: { ...held, ...acted('associate', lateFor + staleFor - 1) },
    want: wait(pollEvery),
  },
  {
    does: 'binds again when the first cannot happen any more',
    row: { ...held, ...acted('associate', lateFor + staleFor) },
    want: associate(unbound),
  },
  {
    does: 'binds to no other place while the first may happen',
    row: { ...held, ...acted('associate', 10_000) },
    place: there,
    want: wait(pollEvery),
  },
  {
    does: 'lets the address go not before',
    row: { ...held, ...acted('associate', 10_000) },
    place: 'none',
    want: wait(pollEvery),
  },
  {
    does: 'unbinds what it has bound as soon as that is seen',
    row: { ...held, ...acted('associate', 10_000) },
    seen: bound,
    place: there,
    want: { kind: 'disassociate', eip: bound },
  },
  {
    does: 'binds elsewhere once it is seen unbound',
    row: { ...held, ...acted('disassociate', 6000) },
    place: there,
    want: associate(unbound, there),
  },
  {
    does: 'does not take one as bound that may be unbound yet',
    row: { ...held, ...acted('disassociate', 10_000) },
    seen: bound,
    want: wait(pollEvery),
  },
  {
    does: 'takes it so when it cannot any more',
    row: { ...held, ...acted('disassociate', 35_000) },
    seen: bound,
    want: { kind: 'done', eip: bound, at: here },
  },
  {
    does: 'binds again at once when the first was taken on and has come to nothing',
    row: { ...held, ...acted('associate', staleFor), answered: true },
    want: associate(unbound),
  },
  {
    does: 'takes no look for it that may be old',
    row: { ...held, ...acted('associate', 4000), answered: true },
    want: wait(1000),
  },
  { does: 'does not believe one look that shows unbound what was bound', row: held, want: wait(pollEvery) },
  {
    does: 'believes those that agree, and binds again',
    row: held,
    sameFor: staleFor,
    want: associate(unbound),
  },
  {
    does: 'holds the address of a pod until they agree',
    row: held,
    place: 'none',
    sameFor: staleFor,
    want: { kind: 'done', eip: unbound, at: undefined },
  },
  {
    does: "leaves a user's to him when no call of ours can unbind it any more",
    row: { ...held, wish: specified, phase: 'Releasing', ...acted('disassociate', 10_000) },
    want: wait(pollEvery),
  },
  {
    does: 'knows that at once when that was taken on',
    row: { ...held, wish: specified, phase: 'Releasing', ...acted('disassociate', 10_000), answered: true },
    want: { kind: 'remove' },
  },
  // At the end.
  {
    does: 'unbinds one whose pod is gone',
    row: { ...held, phase: 'Retained' },
    seen: bound,
    place: 'none',
    want: { kind: 'disassociate', eip: bound },
  },
  {
    does: 'believes that somebody has taken it off its pod when looks agree',
    row: { ...held, phase: 'Bound' },
    seen: unbound,
    want: wait(pollEvery),
  },
  {
    does: 'stores that first',
    row: { ...held, phase: 'Bound' },
    seen: unbound,
    sameFor: staleFor,
    want: { kind: 'taken-off' },
  },
  {
    does: 'also when it is on something else by now',
    row: { ...held, phase: 'Bound' },
    seen: onNat,
    sameFor: staleFor,
    want: { kind: 'taken-off' },
  },
  {
    does: 'goes by the claim, not by an address that is still there',
    row: { ...held, phase: 'Retained' },
    seen: bound,
    want: { kind: 'disassociate', eip: bound },
  },
  {
    does: 'unbinds one whose pod is gone, wherever that was',
    row: { ...held, phase: 'Releasing' },
    seen: bound,
    place: 'unknown',
    want: { kind: 'disassociate', eip: bound },
  },
  {
    does: 'keeps one for the next pod',
    row: { phase: 'Retained' },
    place: 'none',
    want: { kind: 'done', eip: unbound, at: undefined },
  },
  {
    does: 'releases one that it has made',
    row: { phase: 'Releasing' },
    want: { kind: 'release', eip: unbound },
  },
  {
    does: 'releases none that may come to be bound',
    row: { ...held, phase: 'Releasing', ...acted('associate', 10_000) },
    want: wait(pollEvery),
  },
  {
    does: 'releases no second time while the first may happen',
    row: { phase: 'Releasing', ...acted('release', 10_000) },
    want: wait(pollEvery),
  },
  {
    does: 'releases again when the first cannot',
    row: { phase: 'Releasing', ...acted('release', 35_000) },
    want: { kind: 'release', eip: unbound },
  },
  {
    does: 'lets the claim go when it is gone',
    row: { phase: 'Releasing', ...acted('release', 10_000) },
    seen: 'missing',
    sameFor: staleFor,
    want: { kind: 'remove' },
  },
  {
    does: 'does not take one look for it',
    row: { phase: 'Releasing', ...acted('release', 10_000) },
    seen: 'missing',
    sameFor: 0,
    want: wait(pollEvery),
  },
  {
    does: 'lets a claim go whose EIP somebody has released',
    row: { phase: 'Retained' },
    seen: 'missing',
    sameFor: goneFor,
    want: { kind: 'lost', reason: 'EipLost', message: 'eip-a is gone: somebody else has released it' },
  },
  {
    does: 'takes its time to believe that',
    seen: 'missing',
    sameFor: goneFor - 1,
    want: wait(pollEvery),
  },
  {
    does: 'says that somebody has released the EIP of a pod',
    seen: 'missing',
    sameFor: goneFor,
    want: { kind: 'lost', reason: 'EipLost', message: 'eip-a is gone: somebody else has released it' },
  },
  // A user's own.
  { does: "never releases a user's", row: { wish: specified, phase: 'Releasing' }, want: { kind: 'remove' } },
  {
    does: "unbinds a user's from where it has bound it",
    row: { wish: specified, phase: 'Releasing', ...held },
    seen: bound,
    want: { kind: 'disassociate', eip: bound },
  },
  {
    does: "lets a user's be that is on something of his",
    row: { wish: specified, phase: 'Releasing', ...held },
    seen: elsewhere,
    want: { kind: 'remove' },
  },
  {
    does: "lets a kept one of a user's be that is on something of his",
    row: { wish: specified, phase: 'Retained' },
    seen: elsewhere,
    want: { kind: 'done', eip: elsewhere, at: undefined },
  },
  {
    does: "unbinds no user's from something of his for a pod",
    row: { wish: specified },
    seen: elsewhere,
    want: {
      kind: 'trouble',
      reason: 'EipInUse',
      message:
        'Cannot give the pod its EIP: eip-a is bound to 10.0.1.6 of eni-2, which no leader has done; unbind it',
      until: now + retryEvery,
    },
  },
  {
    does: 'unbinds what was made for a pod from any address',
    seen: elsewhere,
    want: { kind: 'disassociate', eip: elsewhere },
  },
  {
    does: 'unbinds nothing from what is no address of an ENI',
    row: { phase: 'Releasing' },
    seen: onNat,
    want: {
      kind: 'trouble',
      reason: 'EipInUse',
      message: 'Cannot take the EIP back: eip-a is bound to nat-1, which no leader has done; unbind it',
      until: now + retryEvery,
    },
  },
  // Refused.
  {
    does: 'does not try at once what was refused',
    refused: { act: 'associate', reason: 'FailedAssociateEIP', message: 'quota', until: now + 1 },
    want: { kind: 'trouble', reason: 'FailedAssociateEIP', message: 'quota', until: now + 1 },
  },
  {
    does: 'tries it again later',
    refused: { act: 'associate', reason: '', message: '', until: now },
    want: associate(unbound),
  },
  {
    does: 'does something else meanwhile',
    row: { phase: 'Releasing' },
    refused: { act: 'associate', reason: '', message: '', until: now + 1 },
    want: { kind: 'release', eip: unbound },
  },
]

for (const one of rows)
  test(`[R1] [R2] [E3] planEip() ${one.does}`, () => {
    const {
      lookedAgo = 0,
      answeredAgo = lookedAgo,
      sameFor = 0,
      place = here,
      refused,
      seen = unbound,
      want,
    } = one
    const at = now - lookedAgo
    const eip = seen === 'missing' || seen === 'not looked' ? undefined : seen
    const look =
      seen === 'not looked' ? undefined : { at, answeredAt: now - answeredAgo, eip, since: at - sameFor }
    assert.deepEqual(planEip({ row: row(one.row), look, place, refused, now }), want)
  })

for (const { act, again = 'later', code, hint, newToken = false, says } of [
  { act: 'allocate', code: 'denied', hint: 'hint', says: /^why; hint$/ },
  { act: 'allocate', code: 'eip_quota', hint: 'hint', says: /^why; hint$/ },
  { act: 'allocate', code: 'no_address', hint: 'hint', says: /^why; .*another ISP/ },
  { act: 'allocate', code: 'bad_input', hint: 'hint', says: /^why; Mend the annotation/ },
  { act: 'release', code: 'bad_input', says: /^why$/ },
  { act: 'associate', code: 'eip_quota', hint: 'hint', says: /^why; .*run the pod on another node/ },
  { act: 'release', code: 'eip_quota', hint: 'hint', says: /^why; hint$/ },
  { act: 'allocate', code: 'cloud_fault', newToken: true, says: /^why$/ },
  { act: 'associate', code: 'cloud_fault', says: /^why$/ },
  { act: 'associate', code: 'conflict', hint: 'hint', says: /^why; Unbind the EIP/ },
  { act: 'associate', code: 'in_progress', again: 'soon', says: /^why$/ },
  { act: 'release', code: 'throttled', again: 'soon', says: /^why$/ },
] as const satisfies readonly { act: string; code: ErrorCode; [more: string]: unknown }[])
  test(`[E8] [E11] judgeEipRefusal() of ${act}, ${code}: again ${again}`, () => {
    const judged = judgeEipRefusal(act, { code, hint, message: 'why' })
    assert.match(judged?.message ?? '', says)
    assert.deepEqual([judged?.again, judged?.newToken], [again, newToken])
    assert.equal(judged?.reason.toLowerCase(), `failed${act}eip`)
  })

test('[R2] judgeEipRefusal() calls nothing refused that may have happened', () => {
  assert.equal(judgeEipRefusal('associate', { code: 'unknown_outcome', message: '' }), undefined)
  assert.equal(judgeEipRefusal('associate', { code: undefined, message: '' }), undefined)
})
