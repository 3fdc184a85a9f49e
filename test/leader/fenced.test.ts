// A leader that is deposed changes nothing any more: neither in the cloud nor in Kubernetes nor in its own ledger.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { silentLog } from '../../internal/base/log.ts'
import { seededRandom } from '../../internal/base/random.ts'
import { errorCode } from '../../internal/ipam/errors.ts'
import { fencedCloud, fencedKube, fencedLedger } from '../../internal/leader/fenced.ts'
import { type Term, unlimitedTerm } from '../../internal/leader/term.ts'
import { openVpcSim } from '../../internal/sim/vpc/sim.ts'
import { createCloud } from '../../internal/vpc/cloud.ts'
import type { Transport } from '../../internal/vpc/transport.ts'
import { simTransport } from '../fake/sim-transport.ts'
import { VirtualClock } from '../fake/virtual-clock.ts'
import { ip, known } from '../given.ts'
import { publication } from '../kube/samples.ts'
import { KubeTwin } from '../sim/world/kube-twin.ts'
import { immortal, newMachine, Process } from '../sim/world/process.ts'
import { n1, openLeader } from '../store/open-ledgers.ts'

const subnetId = 'subnet-00000001'

/** A cloud of one subnet, behind the real client and the fence; `sent` has the actions that left. */
function cloudOf(t: TestContext, term: Term) {
  const clock = new VirtualClock()
  const random = seededRandom(1)
  const sim = openVpcSim({ path: ':memory:', random, latency: { minMs: 1, maxMs: 5 } })
  t.after(() => sim.close())
  sim.admin.createVpc({ id: 'vpc-00000001', cidr: '10.0.0.0/16' }, clock.now())
  const zone = 'ap-guangzhou-3'
  sim.admin.createSubnet({ id: subnetId, vpcId: 'vpc-00000001', cidr: '10.0.1.0/24', zone }, clock.now())
  const link = simTransport({ sim, clock, random })
  const sent: string[] = []
  const transport: Transport = {
    request(product, action, params, options) {
      sent.push(action)
      return link.request(product, action, params, options)
    },
  }
  const plain = createCloud({
    transport,
    clock,
    random,
    log: silentLog,
    limits: { CreateNetworkInterface: 1 },
    beforeSend: term.check,
  })
  const create = (cloud: typeof plain, clientToken: string) =>
    cloud.createEni(
      { name: 'a', description: '', subnetId, securityGroups: [], secondaryIps: 1, tags: {}, clientToken },
      'waiting-pod',
    )
  return { clock, sent, sim, cloud: fencedCloud(plain, term), plain, create }
}

test('[R8] fencedCloud() sends nothing once the term is over', async (t) => {
  const term = unlimitedTerm(1)
  const { clock, sent, cloud, create } = cloudOf(t, term)
  await clock.runUntil(create(cloud, 't1'))
  const before = sent.length
  term.end('a test')
  const reservation = { subnetId, address: undefined, name: 'a', description: '', tags: {}, clientToken: 't' }
  const sold = { bandwidth: 1, chargeType: 'c', isp: 'BGP' } as const
  const eip = { ...sold, name: 'a', tags: {}, raw: {}, clientToken: 't' }
  const calls = [
    () => create(cloud, 't2'),
    () => cloud.attachEni({ eni: 'eni-1', instance: 'ins-1', clientToken: 't' }, 'release'),
    () => cloud.detachEni({ eni: 'eni-1', instance: 'ins-1', clientToken: 't' }, 'release'),
    () => cloud.deleteEni('eni-1', 'release'),
    () => cloud.assignIps({ eni: 'eni-1', count: 1, clientToken: 't' }, 'release'),
    () => cloud.unassignIps({ eni: 'eni-1', addresses: [] }, 'release'),
    () => cloud.migrateIp({ from: 'eni-1', to: 'eni-2', address: ip('10.0.1.9') }, 'release'),
    () => cloud.reserveIp(reservation, 'release'),
    () => cloud.describeReservations({ ids: [] }, 'release'),
    () => cloud.releaseReservation({ id: 'rsvip-1', vpcId: 'vpc-00000001' }, 'release'),
    () => cloud.allocateEip(eip, 'release'),
    () => cloud.describeEips({ ids: [] }, 'release'),
    () => cloud.associateEip({ eip: 'eip-1', eni: 'eni-1', privateIp: ip('10.0.1.9') }, 'release'),
    () => cloud.disassociateEip('eip-1', 'release'),
    () => cloud.releaseEip('eip-1', 'release'),
    () => cloud.describeEipQuota('release'),
    () => cloud.describeEnis({ ids: ['eni-1'] }, 'release'),
    () => cloud.describeSubnets([subnetId], 'release'),
    () => cloud.describeInstances(['ins-1'], 'release'),
    () => cloud.describeEniQuota('ins-1', 'release'),
  ]
  assert.equal(calls.length, Object.keys(cloud).length)
  for (const call of calls)
    await assert.rejects(call(), { code: 'deposed', message: 'Cannot go on leading: a test' })
  assert.equal(sent.length, before)
})

test('[R8] a call that waits for its rate limit when the term ends is never sent', async (t) => {
  const term = unlimitedTerm(1)
  const { clock, sent, sim, cloud, create } = cloudOf(t, term)
  const calls = [1, 2, 3, 4, 5].map((n) => create(cloud, `t${n}`))
  const outcomes = Promise.allSettled(calls)
  await clock.advance(200)
  const made = sent.filter((action) => action === 'CreateNetworkInterface').length
  assert.ok(made >= 1 && made < 5)
  term.end('a test')
  const settled = await clock.runUntil(outcomes)
  assert.equal(sent.filter((action) => action === 'CreateNetworkInterface').length, made)
  assert.equal(sim.admin.audit(clock.now()).enis.length, made)
  assert.equal(settled.filter(({ status }) => status === 'fulfilled').length, made)
  for (const each of settled) if (each.status === 'rejected') assert.equal(errorCode(each.reason), 'deposed')
})

test('[R8] fencedLedger() looks in the transaction itself, and a file of a later epoch ends the term', async (t) => {
  const { clock, db, ledger } = openLeader(t)
  const [first, second] = [unlimitedTerm(1), unlimitedTerm(2)]
  const old = fencedLedger(ledger, first)
  await clock.runUntil(old.write((tx) => tx.addNode(n1)))
  await clock.runUntil(fencedLedger(ledger, second).write((tx) => tx.setPhase('n1', 'leaving')))
  await assert.rejects(clock.runUntil(old.write((tx) => tx.setPhase('n1', 'active'))), { code: 'deposed' })
  assert.equal(ledger.node('n1')?.phase, 'leaving')
  assert.equal((first.over.reason as Error).message, 'Cannot go on leading: a later leader is at work')
  assert.equal(
    (first.over.reason as { hint?: string }).hint,
    `Cannot write to "${db.path}" in epoch 1: it is of epoch 2`,
  )
  const waiting = fencedLedger(ledger, second).write((tx) => tx.setPhase('n1', 'active'))
  second.end('a test') // after it was asked for, before it was committed
  await assert.rejects(clock.runUntil(waiting), { code: 'deposed' })
  assert.equal(ledger.node('n1')?.phase, 'leaving')
})

function kubeOf(term: Term) {
  const clock = new VirtualClock()
  const twin = new KubeTwin(clock, seededRandom(1))
  const process = new Process(newMachine('leader', seededRandom(2)), clock, immortal, () => {})
  return { clock, twin, kube: fencedKube(twin.leader(process), term) }
}

test('[R8] fencedKube() writes nothing, not even an event, once the term is over', async () => {
  const term = unlimitedTerm(3)
  const { clock, twin, kube } = kubeOf(term)
  await clock.runUntil(kube.publishNec('n1', publication))
  term.end('a test')
  await assert.rejects(kube.publishNec('n1', { ...publication, enis: [] }), { code: 'deposed' })
  await assert.rejects(kube.deleteNec('n1', 3), { code: 'deposed' })
  kube.notify({ about: { kind: 'Node', name: 'n1' }, type: 'Normal', reason: 'Test', message: 'never seen' })
  assert.deepEqual([twin.writes, twin.notices.length], [1, 0])
})

test('[R8] a NEC of an epoch that no leader can have come to is written over, and ends no term', async () => {
  const term = unlimitedTerm(3)
  const { clock, twin, kube } = kubeOf(term)
  const nec = { name: 'n1', uid: 'u', annotations: {}, report: undefined, fault: undefined }
  twin.necs.put('n1', { ...nec, publication: { ...publication, epoch: 2_147_483_647 } })
  kube.watchNecs({ replaced() {}, changed() {}, removed() {} })
  await clock.advance(1000)
  await clock.runUntil(kube.publishNec('n1', publication))
  assert.equal(twin.necs.items.get('n1')?.publication?.epoch, 3)
  assert.ok(term.holds())
})

test('[R8] a NEC of a later epoch ends the term, whether it is written or seen', async () => {
  const later = { ...publication, epoch: 4 }
  for (const how of ['written', 'listed', 'changed']) {
    const term = unlimitedTerm(3)
    const { clock, twin, kube } = kubeOf(term)
    const put = () => {
      const nec = { name: 'n1', uid: 'u', annotations: {}, report: undefined, fault: undefined }
      twin.necs.put('n1', { ...nec, publication: later })
    }
    if (how !== 'changed') put()
    if (how === 'written') await assert.rejects(clock.runUntil(kube.publishNec('n1', publication)))
    else kube.watchNecs({ replaced() {}, changed() {}, removed() {} })
    await clock.advance(1000)
    if (how === 'changed') put()
    await clock.advance(1000)
    assert.equal(errorCode(known(term.over).reason), 'deposed', how)
    assert.equal(term.holds(), false)
  }
})
