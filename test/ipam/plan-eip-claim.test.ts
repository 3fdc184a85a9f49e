import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EipClaim } from '../../internal/ipam/eip-claim.ts'
import { type EipAnnotations, type EipWish, eipWishOf } from '../../internal/ipam/eip-wish.ts'
import { planEipClaim } from '../../internal/ipam/plan-eip-claim.ts'
import type { PodFact } from '../../internal/ipam/types.ts'
import { ip, known } from '../given.ts'

const minute = 60_000
const unsaid = { attributes: undefined, ids: undefined, policy: undefined, expiry: undefined }

function wishOf(said: Partial<EipAnnotations>): EipWish {
  const wish = known(eipWishOf({ ...unsaid, ...said }, { name: 'web-0', controllerKind: undefined }))
  assert.ok(!('fault' in wish))
  return wish
}

const made = wishOf({ attributes: '' })
const kept = wishOf({ attributes: '', policy: 'Never' })
const listed = wishOf({ ids: 'eip-xxx1,eip-xxx2', policy: 'Never' })

function pod(eip: PodFact['eip'], uid = 'new'): PodFact {
  return {
    ...{ namespace: 'default', name: 'web-0', uid, node: 'n1', hostNetwork: false, terminal: false },
    ...{ deleting: false, wants: 'shared', ip: undefined, keepsIp: false, ...(eip && { eip }) },
  }
}

function claim(wish: EipWish, more: Partial<EipClaim> = {}): EipClaim {
  return {
    ...{ key: 1, uid: 'u', namespace: 'default', name: 'web-0', policy: wish.policy, phase: 'Bound' },
    ...{ generation: 1, podUid: 'old', node: 'n1', wish, eipId: 'eip-xxx1', address: ip('9.9.9.9') },
    ...{ privateIp: ip('10.0.0.5'), eniId: 'eni-1', allocateToken: undefined, acted: undefined },
    ...{ actedAt: undefined, answered: false, expireAfter: wish.expireAfter, retainedAt: undefined },
    ...{
      expiresAt: undefined,
      owner: undefined,
      reason: '',
      message: '',
      createdAt: 0,
      changedAt: 0,
      version: 1,
    },
    ...more,
  }
}

const atRest = { phase: 'Retained', podUid: undefined, node: undefined, privateIp: undefined } as const

const rows: readonly {
  does: string
  claim?: EipClaim
  pod?: PodFact
  claimExpiry?: number
  want: string
}[] = [
  { does: 'opens a claim for a pod that asks', pod: pod({ wish: made }), want: 'open' },
  { does: 'opens none for one that asks wrongly', pod: pod({ fault: 'no' }), want: 'nothing' },
  {
    does: 'leaves the claim of a pod that runs',
    claim: claim(made),
    pod: pod({ wish: made }, 'old'),
    want: 'nothing',
  },
  {
    does: 'takes what its pod asks for by now while nothing is done about it',
    claim: claim(listed, { phase: 'Pending', eipId: undefined, allocateToken: undefined }),
    pod: pod({ wish: kept }, 'old'),
    want: 'changed',
  },
  {
    does: 'asks for nothing else once something has been asked for',
    claim: claim(made, { phase: 'Pending', eipId: undefined, allocateToken: 'token' }),
    pod: pod({ wish: kept }, 'old'),
    want: 'nothing',
  },
  {
    does: 'changes nothing of what is asked for as it was',
    claim: claim(made, { phase: 'Pending', eipId: undefined, allocateToken: undefined }),
    pod: pod({ wish: made }, 'old'),
    want: 'nothing',
  },
  { does: 'lets it go with its pod', claim: claim(made), want: 'Releasing' },
  { does: 'keeps it that is to be kept', claim: claim(kept), want: 'Retained' },
  {
    does: 'keeps it until its time is over',
    claim: claim(kept),
    claimExpiry: 5 * minute,
    want: 'Retained until 5',
  },
  {
    does: 'keeps it for as long as it says itself',
    claim: claim(wishOf({ attributes: '', policy: 'Never', expiry: '7m' })),
    claimExpiry: 5 * minute,
    want: 'Retained until 7',
  },
  {
    does: 'keeps nothing that is not there yet',
    claim: claim(kept, { phase: 'Pending', eipId: undefined }),
    want: 'Releasing',
  },
  {
    does: 'lets another pod of the name take it',
    claim: claim(kept, atRest),
    pod: pod({ wish: kept }),
    want: 'Attaching of new',
  },
  {
    does: 'lets it take it although nobody saw the one before go',
    claim: claim(kept),
    pod: pod({ wish: kept }),
    want: 'Attaching of new',
  },
  {
    does: 'gives it up for a pod that keeps none',
    claim: claim(kept, atRest),
    pod: pod({ wish: made }),
    want: 'Releasing',
  },
  {
    does: 'gives it up for a pod with a list',
    claim: claim(kept, atRest),
    pod: pod({ wish: listed }),
    want: 'Releasing',
  },
  {
    does: 'lets a list have what is on it',
    claim: claim(listed, atRest),
    pod: pod({ wish: listed }),
    want: 'Attaching of new',
  },
  {
    does: 'gives up what is on the list no more',
    claim: claim(listed, { ...atRest, eipId: 'eip-other' }),
    pod: pod({ wish: listed }),
    want: 'Releasing',
  },
  {
    does: 'keeps it beside a pod that asks wrongly',
    claim: claim(kept, { ...atRest, expiresAt: minute }),
    pod: pod({ fault: 'no' }),
    want: 'changed',
  },
  {
    does: 'makes another for a pod of a name whose last one has gone',
    claim: claim(made),
    pod: pod({ wish: made }),
    want: 'Releasing',
  },
  {
    does: 'does nothing about one that is let go',
    claim: claim(made, { phase: 'Releasing', podUid: undefined }),
    pod: pod({ wish: made }),
    want: 'nothing',
  },
]

for (const { claim, claimExpiry, does, pod, want } of rows)
  test(`[E2] [E3] planEipClaim() ${does}`, () => {
    const step = planEipClaim({ claim, pod, now: 1, expiryClock: 0 }, { claimExpiry })
    if (step === undefined) return assert.equal('nothing', want)
    if (step.kind === 'open') return assert.equal('open', want)
    const { expiresAt, phase, podUid } = step.change
    const until = expiresAt === undefined ? '' : ` until ${expiresAt / minute}`
    assert.equal(`${phase ?? 'changed'}${podUid === undefined ? '' : ` of ${podUid}`}${until}`, want)
  })

test('[E2] planEipClaim() leaves a kept EIP as it was made, whatever the next pod would have had made', () => {
  const other = wishOf({ attributes: '{"Bandwidth":7}', policy: 'Never', expiry: '9m' })
  const step = planEipClaim(
    { claim: claim(kept, atRest), pod: pod({ wish: other }), now: 1, expiryClock: 0 },
    { claimExpiry: undefined },
  )
  assert.ok(step?.kind === 'change')
  assert.partialDeepStrictEqual(step.change, {
    wish: { bandwidth: 100, expireAfter: 9 * minute },
    expireAfter: 9 * minute,
  })
})
