// What becomes of EIPs when their addresses, ENIs and instances change; and what the schema allows none to do.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { migrations } from '../../../internal/sim/vpc/migrations.ts'
import type { VpcSim } from '../../../internal/sim/vpc/sim.ts'
import { openDatabase } from '../../../internal/sqlite/database.ts'
import { codeOf, describeEni, later, readyEni } from './calls.ts'
import {
  allocateEip,
  type BoundEip,
  bindEip,
  boundEip,
  describeEip,
  eipState,
  now,
  privateSide,
} from './eip-calls.ts'
import { medium, openWorld, small } from './world.ts'

const at = now + later

function unassign(sim: VpcSim, { eni, address }: Pick<BoundEip, 'eni' | 'address'>, when = at): void {
  const PrivateIpAddresses = [{ PrivateIpAddress: address }]
  sim.handle('UnassignPrivateIpAddresses', { NetworkInterfaceId: eni, PrivateIpAddresses }, when)
}

function migrate(sim: VpcSim, { eni, address }: Pick<BoundEip, 'eni' | 'address'>, to: string): void {
  const params = {
    SourceNetworkInterfaceId: eni,
    DestinationNetworkInterfaceId: to,
    PrivateIpAddress: address,
  }
  sim.handle('MigratePrivateIpAddress', params, at)
}

interface Leaving {
  readonly how: string
  readonly action: string
  readonly start: (sim: VpcSim, eip: BoundEip) => void
}

const leavings: readonly Leaving[] = [
  { how: 'is unassigned', action: 'UnassignPrivateIpAddresses', start: unassign },
  {
    how: 'moves to another ENI',
    action: 'MigratePrivateIpAddress',
    start: (sim, eip) => migrate(sim, eip, readyEni(sim)),
  },
  {
    how: 'is deleted with its ENI',
    action: 'DeleteNetworkInterface',
    start: (sim, { eni }) => sim.handle('DeleteNetworkInterface', { NetworkInterfaceId: eni }, at),
  },
]

for (const { how, action, start } of leavings) {
  test(`an EIP is disassociated when its address ${how}`, () => {
    const sim = openWorld()
    const eip = boundEip(sim)
    start(sim, eip)
    assert.equal(eipState(sim, eip.id, at), 'UNBINDING')
    assert.equal(describeEip(sim, eip.id, at)?.privateIp, eip.address)
    const busy = () => sim.handle('DisassociateAddress', { AddressId: eip.id }, at)
    assert.equal(codeOf(busy), 'OperationDenied.MutexTaskRunning')
    assert.equal(eipState(sim, eip.id, at + later), 'UNBIND')
    assert.deepEqual(sim.admin.audit(at + later).faults, [])
    sim.close()
  })

  test(`an EIP stays when the task fails by which its address ${how}`, () => {
    const sim = openWorld()
    const eip = boundEip(sim)
    const before = describeEip(sim, eip.id, at)
    sim.setFaults({ failTasks: { [action]: 1 } })
    start(sim, eip)
    assert.deepEqual(describeEip(sim, eip.id, at + later), before)
    assert.deepEqual(sim.admin.audit(at + later).faults, [])
    sim.close()
  })

  test(`while an EIP is on its way no address ${how}`, () => {
    for (const isComing of [true, false]) {
      const sim = openWorld()
      const eip = isComing ? { id: sim.admin.createEip({}, now).id, ...privateSide(sim) } : boundEip(sim)
      if (isComing) bindEip(sim, eip.id, eip, at)
      else sim.handle('DisassociateAddress', { AddressId: eip.id }, at)
      const code = action.startsWith('Delete') ? 'InvalidState' : 'MutexOperationTaskRunning'
      assert.equal(
        codeOf(() => start(sim, eip)),
        `UnsupportedOperation.${code}`,
      )
      sim.advance(at + later)
      sim.close()
    }
  })
}

test('while an EIP is on its way its ENI stays where it is', () => {
  const sim = openWorld()
  const { eni, address } = privateSide(sim, medium)
  bindEip(sim, sim.admin.createEip({}, now).id, { eni, address })
  const on = { NetworkInterfaceId: eni, InstanceId: medium }
  const detach = (when: number) => codeOf(() => sim.handle('DetachNetworkInterface', on, when))
  assert.equal(detach(now), 'UnsupportedOperation.InvalidState')
  assert.equal(detach(at), 'ok')
  sim.close()
})

test('an instance takes so many EIPs, on whatever ENI', () => {
  const sim = openWorld()
  const [one, two] = [privateSide(sim, small), privateSide(sim)] // `small` takes two ENIs
  const own = sim.admin.audit(now).ips.find(({ eniId }) => eniId === one.eni)?.address ?? ''
  const ids = Array.from({ length: 4 }, () => sim.admin.createEip({}, now).id)
  const [a = '', b = '', c = '', d = ''] = ids
  bindEip(sim, a, one)
  sim.handle('AssociateAddress', { AddressId: b, InstanceId: small }, now)
  const third = (id: string) => codeOf(() => bindEip(sim, id, { eni: one.eni, address: own }, at))
  assert.equal(third(c), 'LimitExceeded.InstanceAddressQuota')
  sim.admin.setInstanceType({ name: 'SA2.SMALL1', cpu: 1, memoryGb: 1, enis: 3, ipsPerEni: 6, eips: 3 })
  bindEip(sim, c, two, at)
  sim.advance(at + later)
  const attach = () =>
    codeOf(() =>
      sim.handle('AttachNetworkInterface', { NetworkInterfaceId: two.eni, InstanceId: small }, at + later),
    )
  assert.equal(third(d), 'ok')
  assert.equal(attach(), 'LimitExceeded', 'what comes with an ENI counts')
  sim.handle('DisassociateAddress', { AddressId: c }, at + later)
  sim.advance(at + 2 * later)
  assert.equal(attach(), 'ok')
  assert.deepEqual(sim.admin.audit(at + 3 * later).faults, [])
  sim.close()
})

test('instances take as many EIPs as the documents say', () => {
  const sim = openWorld({ limits: { rateLimits: false } })
  const types = [
    [1, 2],
    [5, 2],
    [6, 3],
    [11, 3],
    [12, 4],
    [47, 9],
    [48, 10],
    [128, 10],
  ] as const
  for (const [cpu, eips] of types) {
    const instanceType = `T${cpu}`
    sim.admin.setInstanceType({ name: instanceType, cpu, memoryGb: 1, enis: 2, ipsPerEni: 20 })
    const instance = sim.admin.createInstance({ instanceType, subnetId: 'subnet-0000000a' }, now)
    const ips = { SecondaryPrivateIpAddressCount: 10 }
    const eni = readyEni(sim, ips)
    sim.handle('AttachNetworkInterface', { NetworkInterfaceId: eni, InstanceId: instance.id }, now)
    sim.advance(at)
    const codes = (describeEni(sim, eni, at)?.ips ?? []).map(({ address }) => {
      const { id } = sim.admin.createEip({}, at)
      return codeOf(() => bindEip(sim, id, { eni, address }, at))
    })
    assert.equal(codes.filter((code) => code === 'ok').length, eips, `${cpu} CPUs`)
  }
  sim.close()
})

test('terminateInstance() unbinds what is on its own ENI, and loosens what is on others', () => {
  const sim = openWorld()
  const own = sim.admin.createEip({}, now).id
  const coming = sim.admin.createEip({}, now).id
  sim.admin.setInstanceType({ name: 'SA2.MEDIUM4', cpu: 2, memoryGb: 4, enis: 4, ipsPerEni: 10, eips: 5 })
  const eip = boundEip(sim, medium)
  sim.handle('AssociateAddress', { AddressId: own, InstanceId: medium }, now)
  const primary = describeEni(sim, eip.eni, at)?.ips.find((ip) => ip.primary)?.address ?? ''
  bindEip(sim, coming, { eni: eip.eni, address: primary }, at)
  sim.admin.terminateInstance(medium, at)
  const states = (when: number) => [own, eip.id, coming].map((id) => eipState(sim, id, when))
  assert.deepEqual(states(at), ['UNBIND', 'BIND_ENI', 'BINDING'])
  assert.deepEqual(states(at + later), ['UNBIND', 'BIND_ENI', 'BIND_ENI'])
  assert.deepEqual(sim.admin.audit(at + later).faults, [])
  sim.close()
})

test('a binding fails when the instance goes meanwhile, with the address', () => {
  const sim = openWorld()
  const { id } = sim.admin.createEip({}, now)
  const { TaskId } = sim.handle('AssociateAddress', { AddressId: id, InstanceId: medium }, now)
  sim.admin.terminateInstance(medium, now)
  assert.equal(eipState(sim, id, now), 'UNBIND')
  const task = sim.handle('DescribeTaskResult', { TaskId: Number(TaskId) }, at)
  assert.deepEqual([task['Result'], eipState(sim, id, at)], ['FAILED', 'UNBIND'])
  sim.close()
})

function fileOf(t: { after(work: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'vpc-sim-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return join(folder, 'cloud.db')
}

test('the schema keeps an EIP on one private address of the ENI that has it, and that from another EIP', (t) => {
  const path = fileOf(t)
  const sim = openWorld({ path })
  const { id, eni } = boundEip(sim, medium)
  const other = sim.admin.createEip({}, now).id
  sim.close()
  const db = openDatabase({ path, kind: 'vpc-sim', migrations })
  const place = `vpc_id = (SELECT vpc_id FROM eip WHERE id = '${id}'), eni_id = '${eni}'`
  const same = `private_number = (SELECT private_number FROM eip WHERE id = '${id}')`
  for (const [what, sql] of [
    ['a second EIP', `UPDATE eip SET state = 'BIND', ${place}, ${same} WHERE id = '${other}'`],
    [
      'an address of nobody',
      `UPDATE eip SET state = 'BIND', ${place}, private_number = 1 WHERE id = '${other}'`,
    ],
    [
      'another ENI',
      `UPDATE eip SET eni_id = (SELECT id FROM eni WHERE is_primary = 1 LIMIT 1) WHERE id = '${id}'`,
    ],
    ['the address goes', `DELETE FROM ip WHERE eni_id = '${eni}' AND is_primary = 0`],
    ['bound to nothing', `UPDATE eip SET state = 'BIND' WHERE id = '${other}'`],
    ['free and bound', `UPDATE eip SET state = 'UNBIND' WHERE id = '${id}'`],
    ['on its way by no task', `UPDATE eip SET state = 'BINDING' WHERE id = '${id}'`],
    [
      'a public address twice',
      `UPDATE eip SET address = (SELECT address FROM eip WHERE id = '${id}') WHERE id = '${other}'`,
    ],
  ] as const)
    assert.throws(() => db.run(sql), /constraint failed/, what)
  db.close()
})

test('EIPs, their tasks and quotas are in the file of the cloud', (t) => {
  const path = fileOf(t)
  const first = openWorld({ path, limits: { eipsPerDay: 2 } })
  const id = allocateEip(first)
  const eip = boundEip(first, medium)
  const before = first.admin.audit(now)
  first.close()
  const second = openWorld({ path, limits: { eipsPerDay: 2 } })
  assert.deepEqual(second.admin.audit(now), before)
  assert.equal(eipState(second, eip.id, at), 'BIND')
  assert.equal(eipState(second, id, at), 'UNBIND')
  allocateEip(second, {}, at)
  assert.equal(
    codeOf(() => allocateEip(second, {}, at)),
    'AddressQuotaLimitExceeded.DailyAllocate',
  )
  second.close()
})

test('a file of before there were EIPs goes on, with stale answers too', (t) => {
  const path = fileOf(t)
  const old = openDatabase({ path, kind: 'vpc-sim', migrations: migrations.slice(0, 2) })
  old.run('INSERT INTO setting (name, value) VALUES (?, ?)', 'faults', '{"staleDescribeMs": 1000}')
  old.run(
    `INSERT INTO instance_type (name, cpu, memory_gb, enis, ips_per_eni) VALUES ('SA2.MEDIUM4', 2, 4, 4, 10), ('SA2.SMALL1', 1, 1, 2, 6), ('big', 64, 1, 8, 30)`,
  )
  old.close()
  const sim = openWorld({ path })
  const id = allocateEip(sim)
  assert.equal(describeEip(sim, id, now + 999), undefined)
  assert.equal(eipState(sim, id, now + 1000), 'CREATING')
  sim.close()
  const db = openDatabase({ path, kind: 'vpc-sim', migrations })
  assert.equal(db.get<{ eips: number }>(`SELECT eips FROM instance_type WHERE name = 'big'`)?.eips, 10)
  db.close()
})
