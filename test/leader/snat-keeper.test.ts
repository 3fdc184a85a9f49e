// Whose packets ip-masq-agent is told to leave as they are.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { silentLog } from '../../internal/base/log.ts'
import { seededRandom } from '../../internal/base/random.ts'
import { createSnatKeeper } from '../../internal/leader/snat-keeper.ts'
import { setComplete } from '../../internal/store/leader/meta.ts'
import {
  boundEip,
  type ClaimValues,
  deleteEip,
  insertEip,
  pendingEip,
  updateEip,
} from '../apiserver/claims/claim-rows.ts'
import { KubeTwin } from '../sim/world/kube-twin.ts'
import { immortal, newMachine, Process } from '../sim/world/process.ts'
import { openLeader } from '../store/open-ledgers.ts'

const second = 1000
const theirs = '{"MasqLinkLocal":true,"NonMasqueradeSrcCIDRs":["10.9.9.9/32"]}'

function world(t: TestContext, settings = {}, config: string | undefined = theirs) {
  const { clock, db, ledger } = openLeader(t)
  setComplete(db)
  const kube = new KubeTwin(clock, seededRandom(1))
  if (config !== undefined) kube.masqConfig = { text: config }
  const keep = { manageMasqConfig: true, createMasqConfig: false, ...settings }
  const start = () => {
    const process = new Process(newMachine('leader', seededRandom(7)), clock, immortal, () => {})
    const leader = kube.leader(process)
    return createSnatKeeper({
      ...{ kube: leader, ledger, clock, random: seededRandom(2), log: silentLog, settings: keep },
    })
  }
  let keeper = start()
  t.after(() => keeper.stop())
  return {
    ...{ kube, db, keep },
    sources: () => JSON.parse(kube.masqConfig?.text ?? '{}').NonMasqueradeSrcCIDRs as unknown,
    insert: (values: ClaimValues) => insertEip(db, values),
    async after(ms: number = 3 * second) {
      keeper.wake()
      await clock.advance(ms)
    },
    async restart() {
      await keeper.stop()
      keeper = start()
    },
  }
}

test('[E9] the address of a pod is there while its EIP is bound, and what is not ours stays', async (t) => {
  const { after, db, insert, kube, sources } = world(t)
  insert(boundEip('web-0', 5))
  insert(pendingEip('web-1'))
  await after()
  assert.deepEqual(sources(), ['10.9.9.9/32', '10.0.0.5/32'])
  updateEip(db, 'web-1', { phase: 'Bound', eip_id: 'eip-6', private_ip: '10.0.0.6', eni_id: 'eni-1' })
  updateEip(db, 'web-0', { phase: 'Releasing', pod_uid: null, node: null })
  await after()
  assert.deepEqual(sources(), ['10.9.9.9/32', '10.0.0.6/32'])
  deleteEip(db, 'web-0')
  updateEip(db, 'web-1', { phase: 'Releasing', pod_uid: null, node: null })
  await after()
  assert.equal(kube.masqConfig?.text, theirs)
})

test('[E9] [R2] a leader that comes later takes back what was said before, with whatever ledger', async (t) => {
  const { after, db, insert, kube, restart } = world(t)
  insert(boundEip('web-0', 5))
  await after()
  await restart()
  db.run('DELETE FROM eip_claim')
  await after()
  assert.equal(kube.masqConfig?.text, theirs)
})

test('[E9] what somebody writes over it is put back within a minute', async (t) => {
  const { after, insert, kube, sources } = world(t)
  insert(boundEip('web-0', 5))
  await after()
  kube.masqConfig = { text: '{}', note: kube.masqConfig?.note }
  await after(30 * second)
  assert.equal(sources(), undefined)
  await after(40 * second)
  await after()
  assert.deepEqual(sources(), ['10.0.0.5/32'])
})

test('[E9] without a ConfigMap its pods are told, once, and none is made', async (t) => {
  const { after, insert, keep, kube, sources } = world(t, {}, undefined)
  insert(boundEip('web-0', 5))
  kube.masqConfig = undefined
  for (let i = 0; i < 5; i++) await after(70 * second)
  assert.equal(kube.masqConfig, undefined)
  assert.deepEqual(
    kube.notices.map(({ about, reason }) => [about.name, reason]),
    [['web-0', 'EipSourceNotKept']],
  )
  assert.match(kube.notices[0]?.message ?? '', /no ConfigMap kube-system\/ip-masq-agent-config/)
  keep.createMasqConfig = true
  await after(70 * second)
  await after()
  assert.deepEqual(sources(), ['10.0.0.5/32'])
})

test('[E9] [R6] what cannot be edited is left as it is, and its pods are told why', async (t) => {
  const { after, insert, kube, sources } = world(t, {}, 'not: [closed')
  insert(boundEip('web-0', 5))
  await after()
  assert.equal(kube.masqConfig?.text, 'not: [closed')
  assert.match(kube.notices[0]?.message ?? '', /neither JSON nor YAML/)
  kube.masqConfig = { text: '{}' }
  await after(70 * second)
  await after()
  assert.deepEqual(sources(), ['10.0.0.5/32'])
})

test('[E9] an operator who keeps it by hand is not disturbed', async (t) => {
  const { after, insert, kube } = world(t, { manageMasqConfig: false })
  insert(boundEip('web-0', 5))
  await after(120 * second)
  assert.equal(kube.masqConfig?.text, theirs)
})

test('[E9] [R2] an answer that is lost, or an API server that is out, costs only time', async (t) => {
  const { after, insert, kube, sources } = world(t)
  insert(boundEip('web-0', 5))
  kube.setOutage(true)
  await after(20 * second)
  assert.deepEqual(sources(), ['10.9.9.9/32'])
  kube.setOutage(false)
  await after(60 * second)
  assert.deepEqual(sources(), ['10.9.9.9/32', '10.0.0.5/32'])
})
