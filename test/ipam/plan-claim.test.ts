// What a pod means for the claim of its name, row by row.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Claim, type ClaimPhase, mayFollow } from '../../internal/ipam/claim.ts'
import { type ClaimRules, planClaim } from '../../internal/ipam/plan-claim.ts'
import type { PodFact } from '../../internal/ipam/types.ts'
import { ip } from '../given.ts'

const minute = 60_000
const now = 1_000_000
const expiryClock = 5000
const rules: ClaimRules = { staticIps: true, claimExpiry: undefined }
const address = ip('10.0.1.5')

function podOf(more: Partial<PodFact> = {}): PodFact {
  return {
    ...{ namespace: 'shop', name: 'web-0', uid: 'pod-2', node: 'n2', ip: undefined },
    ...{ hostNetwork: false, terminal: false, deleting: false, wants: 'shared', keepsIp: true },
    ...more,
  }
}

function claimOf(more: Partial<Claim> = {}): Claim {
  return {
    ...{ key: 1, namespace: 'shop', name: 'web-0', uid: 'c', ipUid: 'i', mode: 'shared', generation: 3 },
    ...{ policy: 'Never', phase: 'Bound', podUid: 'pod-1', node: 'n1', address, eniId: 'eni-1' },
    ...{ subnetId: 'subnet-a', zone: 'zone-a', reservation: 'rsvip-1', reserveToken: 't' },
    ...{ nominatedAddress: undefined, nominatedSubnets: [], expireAfter: undefined, owner: undefined },
    ...{ retainedAt: undefined, expiresAt: undefined, reason: '', message: '' },
    ...{ createdAt: 0, changedAt: 0, version: 1 },
    ...more,
  } as Claim
}

interface Row {
  readonly does: string
  readonly claim?: Claim
  readonly pod?: PodFact
  /** There is one that is not watched. */
  readonly unlisted?: boolean
  /** It shows `address`, where the ledger has it. */
  readonly shows?: boolean
  readonly rules?: Partial<ClaimRules>
  /** The kind of step, or what of the claim changes. */
  readonly want: string | Partial<Claim> | undefined
}

const retained = claimOf({ phase: 'Retained', podUid: undefined, node: undefined, retainedAt: 1 })

const rows: readonly Row[] = [
  { does: '[S2] opens one for a pod without', pod: podOf(), want: 'open Never' },
  {
    does: '[S2] opens one for a pod that keeps nothing, too',
    pod: podOf({ keepsIp: false }),
    want: 'open Immediate',
  },
  {
    does: '[S4] keeps nothing unless the leader does',
    pod: podOf(),
    rules: { staticIps: false },
    want: 'open Immediate',
  },
  { does: 'keeps no ENI', pod: podOf({ wants: 'exclusive' }), want: 'open Immediate' },
  { does: 'wants nothing for nobody', want: undefined },
  {
    does: '[S4] keeps the address when the pod is gone',
    claim: claimOf(),
    want: { phase: 'Retained', podUid: undefined, node: undefined, retainedAt: now, expiresAt: undefined },
  },
  {
    does: '[S5] notes when that ends, by a clock that nobody sets',
    claim: claimOf(),
    rules: { claimExpiry: 10 * minute },
    want: { phase: 'Retained', expiresAt: expiryClock + 10 * minute },
  },
  {
    does: '[S5][R7] begins no time while a pod is there that no list shows',
    claim: claimOf({ expireAfter: 60 * minute }),
    unlisted: true,
    want: { phase: 'Retained', expiresAt: undefined },
  },
  {
    does: '[S5][R7] nor when it is kept already',
    claim: retained,
    rules: { claimExpiry: 10 * minute },
    unlisted: true,
    want: undefined,
  },
  {
    does: '[S5] counts from now where the setting comes later',
    claim: retained,
    rules: { claimExpiry: 10 * minute },
    want: { expiresAt: expiryClock + 10 * minute },
  },
  {
    does: '[S5] and where it becomes shorter',
    claim: { ...retained, expiresAt: expiryClock + 11 * minute + 1 },
    rules: { claimExpiry: 10 * minute },
    want: { expiresAt: expiryClock + 10 * minute },
  },
  {
    does: '[S5] leaves alone what comes to an end sooner',
    claim: { ...retained, expiresAt: expiryClock + minute },
    rules: { claimExpiry: 10 * minute },
    want: undefined,
  },
  {
    does: '[S5] keeps it for ever again where the setting goes',
    claim: { ...retained, expiresAt: expiryClock + minute },
    want: { expiresAt: undefined },
  },
  {
    does: '[S12] but not where its own pod said something',
    claim: { ...retained, expireAfter: 5 * minute, expiresAt: expiryClock + minute },
    want: undefined,
  },
  {
    does: '[S12] goes by what its own pod said',
    claim: claimOf({ expireAfter: 60 * minute }),
    rules: { claimExpiry: 10 * minute },
    want: { expiresAt: expiryClock + 60 * minute },
  },
  { does: 'leaves one that is kept as it is', claim: retained, want: undefined },
  {
    does: '[S3] knows no address of a pod of the pool that shows none any more',
    claim: claimOf({ policy: 'Immediate', podUid: 'pod-2' }),
    pod: podOf({ keepsIp: false }),
    want: { phase: 'Pending', address: undefined, eniId: undefined },
  },
  {
    does: '[S4] gives it to the next pod of the name, under a new generation',
    claim: claimOf({ ...retained, expiresAt: 99 }),
    pod: podOf(),
    want: { phase: 'Attaching', podUid: 'pod-2', node: 'n2', generation: 4, expiresAt: undefined },
  },
  {
    does: 'also when nobody has told that the pod before is gone',
    claim: claimOf(),
    pod: podOf(),
    want: { phase: 'Attaching', podUid: 'pod-2', node: 'n2', generation: 4 },
  },
  {
    does: 'lets go what the next pod of the name does not keep',
    claim: retained,
    pod: podOf({ keepsIp: false }),
    want: { phase: 'Releasing', reason: 'PolicyChanged' },
  },
  ...[
    { of: 'a pod with an ENI of its own', pod: podOf({ wants: 'exclusive' }) },
    { of: 'a pod while static addresses are not served', pod: podOf(), rules: { staticIps: false } },
    {
      of: 'a pod that keeps none, while nobody serves static addresses',
      pod: podOf({ keepsIp: false }),
      rules: { staticIps: false },
    },
  ].flatMap(({ of, ...more }): Row[] => [
    { does: `[R6] leaves what is kept as it is beside ${of}`, claim: retained, ...more, want: undefined },
    {
      does: `[R6][S5] lets no time run beside ${of}`,
      claim: { ...retained, expiresAt: 99 },
      ...more,
      want: { expiresAt: undefined },
    },
    {
      does: `[R6] keeps the address of the pod before ${of}`,
      claim: claimOf({ expireAfter: 5 * minute }),
      ...more,
      want: { phase: 'Retained', podUid: undefined, retainedAt: now, expiresAt: undefined },
    },
  ]),
  {
    does: '[R6] gives it to a pod that says nothing readable of it: what was so before stays',
    claim: retained,
    pod: podOf({ keepsIp: false, claim: { fault: 'x', unclear: ['policy'] } }),
    want: { phase: 'Attaching', podUid: 'pod-2' },
  },
  {
    does: '[R6] keeps none for one that never had any',
    pod: podOf({ keepsIp: false, claim: { fault: 'x', unclear: ['policy'] } }),
    want: 'open Immediate',
  },
  {
    does: '[R6][S12] keeps it so long as the pod before said, when this one says that wrong',
    claim: { ...retained, expireAfter: 60 * minute },
    pod: podOf({ claim: { fault: 'x', unclear: ['expireAfter'] } }),
    want: { phase: 'Attaching', expireAfter: 60 * minute },
  },
  {
    does: '[S12] and so long as this one says',
    claim: { ...retained, expireAfter: 60 * minute },
    pod: podOf(),
    want: { phase: 'Attaching', expireAfter: undefined },
  },
  {
    does: '[R4] gives it to the pod that has it, whatever is served now',
    claim: retained,
    pod: podOf({ ip: address }),
    shows: true,
    rules: { staticIps: false },
    want: { phase: 'Attaching', podUid: 'pod-2' },
  },
  {
    does: 'lets go one whose pod went before it had an address: a call may have made one',
    claim: claimOf({ phase: 'Pending', address: undefined, reservation: undefined }),
    want: { phase: 'Releasing', podUid: undefined },
  },
  ...[
    { of: 'another address', says: { nominatedIp: ip('10.0.1.9') } },
    { of: 'no address any more', says: undefined, had: { nominatedAddress: ip('10.0.1.9') } },
    {
      of: 'other subnets',
      says: { nominatedSubnets: ['subnet-a'] },
      had: { nominatedSubnets: ['subnet-b'] },
    },
  ].map(
    ({ of, had, says }): Row => ({
      does: `[S12] lets go one without an address whose next pod asks for ${of}`,
      claim: claimOf({ phase: 'Pending', address: undefined, reservation: undefined, ...had }),
      pod: podOf(says && { claim: says }),
      want: { phase: 'Releasing', podUid: undefined },
    }),
  ),
  {
    does: '[S12] goes on with one whose next pod asks for the same',
    claim: claimOf({
      ...{ phase: 'Pending', address: undefined, reservation: undefined },
      nominatedAddress: ip('10.0.1.9'),
    }),
    pod: podOf({ claim: { nominatedIp: ip('10.0.1.9') } }),
    want: { phase: 'Pending', podUid: 'pod-2' },
  },
  {
    does: '[S6] opens none that keeps another address than the pod has',
    pod: podOf({ ip: address }),
    want: 'open Immediate',
  },
  {
    does: 'has nothing to say of one that is let go',
    claim: claimOf({ phase: 'Releasing' }),
    pod: podOf(),
    want: undefined,
  },
  {
    does: '[S3] ends with a pod that keeps nothing',
    claim: claimOf({ policy: 'Immediate', reservation: undefined }),
    want: 'remove',
  },
  {
    does: '[S3] and with the next of its name',
    claim: claimOf({ policy: 'Immediate', reservation: undefined }),
    pod: podOf({ keepsIp: false }),
    want: 'remove',
  },
  {
    // It waited for ever: its node gave it none of the pool, and none was kept for it.
    does: '[S4] ends with the address of the pool that a pod had which keeps its own from now on',
    claim: claimOf({ policy: 'Immediate', reservation: undefined, podUid: 'pod-2' }),
    pod: podOf(),
    want: 'remove',
  },
  {
    does: 'leaves it as long as the pod has that',
    claim: claimOf({ policy: 'Immediate', reservation: undefined, podUid: 'pod-2' }),
    pod: podOf({ ip: address }),
    shows: true,
    want: undefined,
  },
  {
    does: 'shows the address that the pod shows',
    claim: claimOf({
      policy: 'Immediate',
      phase: 'Pending',
      address: undefined,
      eniId: undefined,
      podUid: 'pod-2',
    }),
    pod: podOf({ keepsIp: false, ip: address }),
    shows: true,
    want: { phase: 'Bound', address, eniId: 'eni-1' },
  },
]

for (const row of rows) {
  test(row.does.replace(/^((?:\[\w+\])*) ?/, '$1 planClaim() '), () => {
    const shown = row.shows ? { address, eniId: 'eni-1', subnetId: 'subnet-a', zone: 'zone-a' } : undefined
    const step = planClaim(
      { claim: row.claim, pod: row.pod, unlisted: row.unlisted ?? false, shown, now, expiryClock },
      { ...rules, ...row.rules },
    )
    if (typeof row.want !== 'object') {
      assert.equal(step && (step.kind === 'open' ? `open ${step.policy}` : step.kind), row.want)
      return
    }
    assert.equal(step?.kind, 'change')
    const change: Partial<Claim> = step.change
    for (const [key, value] of Object.entries(row.want))
      assert.deepEqual(change[key as keyof Claim], value, key)
    assert.ok(mayFollow(row.claim?.phase ?? 'Pending', change.phase ?? row.claim?.phase ?? 'Pending'))
  })
}

test('the lifecycle of a claim: nothing follows its release, and each phase but that may end in it', () => {
  const phases: readonly ClaimPhase[] = ['Pending', 'Attaching', 'Bound', 'Retained', 'Releasing']
  for (const phase of phases) {
    assert.ok(mayFollow(phase, phase))
    assert.ok(mayFollow(phase, 'Releasing'))
    assert.equal(mayFollow('Releasing', phase), phase === 'Releasing')
  }
})
