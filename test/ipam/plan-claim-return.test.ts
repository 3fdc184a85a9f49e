// Which claimed addresses a node gives back, and when.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ClaimSight, planClaimReturn, unseenFor } from '../../internal/ipam/plan-claim-return.ts'
import type { Ipv4 } from '../../internal/value/ipv4.ts'
import { addressOf, localIps, T0 } from './pools.ts'

const seen = (met: boolean, age = 0, grant = 1): ClaimSight => ({ grant, met, since: T0 - age })

interface Row {
  readonly does: string
  readonly ip: string
  /** Its pod is on this node. */
  readonly here?: boolean
  readonly before?: ClaimSight
  readonly gives: boolean
}

const rows: readonly Row[] = [
  { does: 'keeps the address of a pod that is here', ip: '1.1 =web-0', here: true, gives: false },
  {
    does: 'gives it back as soon as the pod is gone',
    ip: '1.1 =web-0',
    before: seen(true),
    gives: true,
  },
  {
    does: 'gives it back while it still cools',
    ip: '1.1 c99 =web-0',
    before: seen(true),
    gives: true,
  },
  { does: 'never gives back one in use', ip: '1.1 * =web-0', before: seen(true), gives: false },
  { does: 'waits for a pod that it has not heard of', ip: '1.1 =web-0', gives: false },
  {
    does: 'waits so long for it',
    ip: '1.1 =web-0',
    before: seen(false, unseenFor - 1),
    gives: false,
  },
  { does: 'and no longer', ip: '1.1 =web-0', before: seen(false, unseenFor), gives: true },
  {
    does: 'waits anew when it is bound anew',
    ip: '1.1 =web-0',
    before: seen(true, unseenFor, 0),
    gives: false,
  },
  {
    does: 'waits anew when the clock was set back',
    ip: '1.1 =web-0',
    before: seen(false, -9 * unseenFor),
    gives: false,
  },
  { does: 'gives nothing back twice', ip: '1.1 r =web-0', before: seen(true), gives: false },
  {
    does: 'gives nothing back that the leader no longer publishes',
    ip: '1.1 u =web-0',
    before: seen(true),
    gives: false,
  },
  { does: 'leaves the pool alone', ip: '1.1', before: seen(true), gives: false },
]

for (const { does, ip, here = false, before, gives } of rows)
  test(`[S4] planClaimReturn() ${does}`, () => {
    const sights = new Map<Ipv4, ClaimSight>(before === undefined ? [] : [[addressOf(1, 1), before]])
    const { give } = planClaimReturn(localIps(ip), ({ name }) => here && name === 'web-0', sights, T0)
    assert.equal(give.length, gives ? 1 : 0)
  })

test('[S4] planClaimReturn() remembers which pods it has met, through a clock that is set back', () => {
  const ips = localIps('1.1 =web-0', '1.2 =web-1')
  const isWeb0 = ({ name }: { name: string }) => name === 'web-0'
  const first = planClaimReturn(ips, isWeb0, new Map(), T0)
  assert.deepEqual(first.give, [])
  const second = planClaimReturn(ips, () => false, first.sights, T0 - 9 * unseenFor)
  assert.deepEqual(second.give, [ips[0]])
  const third = planClaimReturn(ips, () => false, second.sights, T0 - 8 * unseenFor)
  assert.deepEqual(third.give, [ips[1]], 'the one that was given back is not remembered')
})
