import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { NodeReport } from '../../internal/ipam/types.ts'
import type { NodeLedger, NodeTx } from '../../internal/ports.ts'
import { openDatabase } from '../../internal/sqlite/database.ts'
import { nodeLedger } from '../../internal/store/node/ledger.ts'
import { nodeMigrations } from '../../migrations/index.ts'
import { VirtualClock } from '../fake/virtual-clock.ts'
import { callPoints, withCrashPoints } from './crash-points.ts'

test('withCrashPoints() names a transaction by what it changes, before and after its commit', async (t) => {
  const reached: string[] = []
  const { ledger, clock } = open(t, (point) => reached.push(point) > 0)
  const answer = ledger.write((tx) => {
    tx.ips()
    reboot(tx)
    return 7
  })
  await clock.advance(1)
  assert.equal(await answer, 7)
  assert.deepEqual(reached, ['node.ledger.setBootId+prune.before', 'node.ledger.setBootId+prune.after'])
})

test('withCrashPoints() passes a transaction without changes', async (t) => {
  const { ledger, clock } = open(t, () => false)
  const answer = ledger.write((tx) => tx.now)
  await clock.advance(1)
  assert.equal(typeof (await answer), 'number')
})

for (const { when, kept } of [
  { when: 'before', kept: undefined },
  { when: 'after', kept: 'boot' },
])
  test(`withCrashPoints() lets a process that dies ${when} the commit hear nothing`, async (t) => {
    const { ledger, clock } = open(t, (point) => !point.endsWith(when))
    let heard = false
    const hears = () => {
      heard = true
    }
    void ledger.write(reboot).then(hears, hears)
    await clock.advance(1)
    assert.deepEqual({ heard, bootId: ledger.bootId() }, { heard: false, bootId: kept })
  })

test('withCrashPoints() stops at a refused call, too', async () => {
  const reached: string[] = []
  const report = (_: NodeReport) => Promise.reject(new Error('no'))
  const kube = { report, watchNec: () => () => {}, watchPods: () => () => {}, notify() {} }
  const wrapped = withCrashPoints('node.kube', kube, (point) => reached.push(point) > 0)
  await assert.rejects(wrapped.report({} as NodeReport), /no/)
  assert.deepEqual(reached, ['node.kube.report.before', 'node.kube.report.after'])
})

test('callPoints() has two points for each call that waits', () => {
  const points = callPoints()
  assert.equal(new Set(points).size, points.length)
  assert.ok(points.includes('leader.cloud.createEni.before') && points.includes('node.linux.apply.after'))
})

function reboot(tx: NodeTx): void {
  tx.setBootId('boot')
  tx.prune(0, 0)
}

function open(
  t: TestContext,
  reached: (point: string) => boolean,
): { ledger: NodeLedger; clock: VirtualClock } {
  const db = openDatabase({ path: ':memory:', kind: 'node', migrations: nodeMigrations })
  t.after(() => db.close())
  const clock = new VirtualClock()
  return {
    ledger: withCrashPoints(
      'node.ledger',
      nodeLedger(db, clock, () => 'id'),
      reached,
    ),
    clock,
  }
}
