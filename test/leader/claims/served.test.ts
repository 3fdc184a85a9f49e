import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isServedByClaim } from '../../../internal/leader/claims/served.ts'
import type { Ipv4 } from '../../../internal/value/ipv4.ts'
import { bound, insertClaim } from '../../apiserver/claims/claim-rows.ts'
import { openLeader } from '../../store/open-ledgers.ts'
import { podOn } from '../leader-world.ts'

const unclear = { keepsIp: false, claim: { unclear: ['policy'] as const } }
const its = '10.0.0.5' as Ipv4

for (const { does, claim, more, staticIps = true, want } of [
  { does: 'serves a static pod from the beginning', more: {}, want: true },
  { does: 'serves none where they are not served', more: {}, staticIps: false, want: false },
  {
    does: 'serves one whose policy cannot be read, when an address is kept for it',
    claim: 'Never',
    more: unclear,
    want: true,
  },
  { does: 'and owes it one of the pool when none is', more: unclear, want: false },
  { does: 'serves no ordinary pod', more: { keepsIp: false }, want: false },
  // Its address goes back with its ENI: the pool of exclusive ones owes it one.
  { does: 'serves no pod with an ENI of its own', more: { wants: 'exclusive' as const }, want: false },
  { does: 'serves one that shows its address', claim: 'Never', more: { ip: its }, want: true },
  { does: 'serves none that shows one of the pool', claim: 'Immediate', more: { ip: its }, want: false },
  { does: 'goes on with one that ran before', claim: 'Immediate', more: { uid: 'uid-1' }, want: false },
]) {
  test(`isServedByClaim() ${does}`, (t) => {
    const { db, ledger } = openLeader(t)
    if (claim !== undefined) insertClaim(db, bound('web-0', its, { policy: claim, pod_uid: 'uid-1' }))
    const pod = podOn('node-1', 'web-0', { keepsIp: true, ...more })
    assert.equal(isServedByClaim(pod, ledger, staticIps), want)
  })
}
