// Reserved addresses of the simulated cloud: who may have one, and what becomes of the reservation.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { NoAnswer } from '../../../internal/sim/vpc/api-error.ts'
import { migrations } from '../../../internal/sim/vpc/migrations.ts'
import type { VpcSim } from '../../../internal/sim/vpc/sim.ts'
import { openDatabase } from '../../../internal/sqlite/database.ts'
import type { Answer } from '../../contract/vpc.contract.ts'
import { list, type ReservedView, reserved } from '../../contract/vpc-view.ts'
import { codeOf, describeEni, later, readyEni } from './calls.ts'
import { medium, openWorld, subnetA, subnetB, T0, vpcId } from './world.ts'

const now = T0 + 3 * later

function reserve(sim: VpcSim, more: Answer = {}, at = now): ReservedView {
  const params = { VpcId: vpcId, SubnetId: subnetA, IpAddressCount: 1, Name: 'test', ...more }
  const [made] = reserved(sim.handle('CreateReserveIpAddresses', params, at))
  assert.ok(made)
  return made
}

function find(sim: VpcSim, params: Answer, at = now): ReservedView[] {
  return reserved(sim.handle('DescribeReserveIpAddresses', params, at))
}

const assigning = (eni: string, address: string) => ({
  NetworkInterfaceId: eni,
  PrivateIpAddresses: [{ PrivateIpAddress: address }],
})

/** An ENI that has `address`, at `now` + later. */
function bind(sim: VpcSim, address: string): string {
  const eni = readyEni(sim)
  sim.handle('AssignPrivateIpAddresses', assigning(eni, address), now)
  sim.advance(now + later)
  return eni
}

test('CreateReserveIpAddresses takes a list or a count, in the named subnet or any', () => {
  const sim = openWorld()
  const create = (params: Answer) =>
    reserved(sim.handle('CreateReserveIpAddresses', { VpcId: vpcId, ...params }, now))
  const named = create({ IpAddresses: ['10.0.1.50', '10.0.2.9'] })
  assert.deepEqual(
    named.map(({ address }) => address),
    ['10.0.1.50', '10.0.2.9'],
  )
  const chosen = create({ IpAddressCount: 3 })
  assert.equal(new Set(chosen.map(({ address }) => address)).size, 3)
  const subnets = sim.admin.audit(now).reservations.map(({ subnetId }) => subnetId)
  assert.deepEqual(subnets, [subnetA, subnetB, subnetA, subnetA, subnetA], 'the roomiest is chosen')
  sim.close()
})

test('a reserved address is never chosen by the VPC', () => {
  const sim = openWorld()
  const kept = Array.from({ length: 4 }, () => reserve(sim, { SubnetId: subnetB }).address)
  const eni = readyEni(sim, { SubnetId: subnetB })
  const left = () => {
    const answer = sim.handle('DescribeSubnets', { SubnetIds: [subnetB] }, now)
    return list(answer, 'SubnetSet')[0]?.['AvailableIpAddressCount']
  }
  assert.equal(left(), 13 - 4 - 2) // a primary one of the instance, one of the ENI
  const all = { NetworkInterfaceId: eni, SecondaryPrivateIpAddressCount: 7 }
  sim.handle('AssignPrivateIpAddresses', all, now)
  const ips = describeEni(sim, eni, now + later)?.ips ?? []
  assert.equal(ips.length, 8)
  assert.ok(!ips.some(({ address }) => kept.includes(address)))
  assert.equal(left(), 0)
  const more = { NetworkInterfaceId: eni, SecondaryPrivateIpAddressCount: 1 }
  const full = 'ResourceInsufficient.Subnet'
  assert.equal(
    codeOf(() => sim.handle('AssignPrivateIpAddresses', more, now + later)),
    full,
  )
  assert.equal(
    codeOf(() => reserve(sim, { SubnetId: subnetB }, now + later)),
    full,
  )
  sim.handle('AssignPrivateIpAddresses', assigning(eni, kept[0] ?? ''), now + later)
  assert.equal(left(), 0, 'it counted before')
  assert.deepEqual(sim.admin.audit(now + 2 * later).faults, [])
  sim.close()
})

test('State and ResourceId follow the address through assignment, migration and unassignment', () => {
  const sim = openWorld()
  const { id, address } = reserve(sim)
  const seen = (at: number) => {
    const [one] = find(sim, { ReserveIpIds: [id] }, at)
    return [one?.state, one?.resourceId]
  }
  assert.deepEqual(seen(now), ['UnBind', ''])
  const [from, to] = [bind(sim, address), readyEni(sim)]
  assert.deepEqual(seen(now + later), ['Bind', from])
  const migration = {
    SourceNetworkInterfaceId: from,
    DestinationNetworkInterfaceId: to,
    PrivateIpAddress: address,
  }
  sim.handle('MigratePrivateIpAddress', migration, now + later)
  assert.deepEqual(seen(now + later), ['Bind', from])
  assert.deepEqual(seen(now + 2 * later), ['Bind', to])
  sim.handle('UnassignPrivateIpAddresses', assigning(to, address), now + 2 * later)
  const release = { VpcId: vpcId, ReserveIpIds: [id] }
  const releasing = () => sim.handle('DeleteReserveIpAddresses', release, now + 2 * later)
  assert.deepEqual(seen(now + 2 * later), ['Bind', to], 'until it is gone')
  assert.equal(codeOf(releasing), 'InvalidParameterValue.ParameterMismatch')
  assert.deepEqual(seen(now + 3 * later), ['UnBind', ''])
  assert.equal(codeOf(releasing), 'ok')
  assert.equal(codeOf(releasing), 'ResourceNotFound')
  sim.close()
})

test('a reservation survives the ENI, and its tags go with it', () => {
  const sim = openWorld()
  const { id, address } = reserve(sim, { Tags: [{ Key: 'claim', Value: 'a' }] })
  const eni = bind(sim, address)
  sim.handle('DeleteNetworkInterface', { NetworkInterfaceId: eni }, now + later)
  const at = now + 2 * later
  assert.deepEqual(
    find(sim, { Filters: [{ Name: 'tag:claim', Values: ['a'] }] }, at).map(({ state }) => state),
    ['UnBind'],
  )
  sim.handle('DeleteReserveIpAddresses', { VpcId: vpcId, ReserveIpIds: [id] }, at)
  assert.deepEqual(find(sim, { Filters: [{ Name: 'tag-key', Values: ['claim'] }] }, at), [])
  const { faults, reservations } = sim.admin.audit(at)
  assert.deepEqual([faults, reservations], [[], []])
  sim.close()
})

test('DescribeReserveIpAddresses pages, and filters by all that its page names', () => {
  const sim = openWorld()
  const all = Array.from({ length: 5 }, (_, i) => reserve(sim, { Name: `n${i}` }))
  const [bound, other] = all
  assert.ok(bound !== undefined && other !== undefined)
  const eni = bind(sim, bound.address)
  const at = now + later
  const by = (Name: string, ...Values: string[]) =>
    find(sim, { Filters: [{ Name, Values }] }, at).map(({ id }) => id)
  const ids = all.map(({ id }) => id)
  const unbound = ids.slice(1)
  for (const [found, want] of [
    [by('reserve-ip-id', other.id), [other.id]],
    [by('vpc-id', vpcId), ids],
    [by('vpc-id', 'vpc-99999999'), []],
    [by('subnet-id', subnetA), ids],
    [by('subnet-id', subnetB), []],
    [by('reserve-address-ip', bound.address, other.address), [bound.id, other.id]],
    [by('ip-type', '0'), ids],
    [by('name', 'n1'), [other.id]],
    [by('state', 'Bind'), [bound.id]],
    [by('state', 'UnBind'), unbound],
    [by('resource-id', eni), [bound.id]],
  ])
    assert.deepEqual(found, want)
  const page = sim.handle('DescribeReserveIpAddresses', { Offset: 3, Limit: 3 }, at)
  assert.deepEqual([reserved(page).map(({ id }) => id), page['TotalCount']], [ids.slice(3), 5])
  sim.close()
})

test('ModifyReserveIpAddress changes what is named, and nothing else', () => {
  const sim = openWorld()
  const { id } = reserve(sim, { Description: 'before' })
  const modify = { VpcId: vpcId, ReserveIpId: id, Name: 'other' }
  sim.handle('ModifyReserveIpAddress', modify, now)
  const [shown] = list(sim.handle('DescribeReserveIpAddresses', {}, now), 'ReserveIpAddressSet')
  assert.deepEqual([shown?.['Name'], shown?.['Description']], ['other', 'before'])
  sim.close()
})

test('a lost answer has reserved, and its ClientToken brings it again', () => {
  const sim = openWorld()
  sim.setFaults({ loseNextAnswers: { CreateReserveIpAddresses: 1 } })
  assert.throws(() => reserve(sim, { ClientToken: 't' }), new NoAnswer('the answer was lost', true))
  const { id } = reserve(sim, { ClientToken: 't' })
  assert.deepEqual(
    sim.admin.audit(now).reservations.map((one) => one.id),
    [id],
  )
  assert.equal(
    codeOf(() => reserve(sim, { ClientToken: 't', Name: 'other' })),
    'UnsupportedOperation.IdempotentParameterMismatch',
  )
  sim.close()
})

test('deny refuses an action for want of a permission, and only it', () => {
  const sim = openWorld()
  sim.setFaults({ deny: { CreateReserveIpAddresses: 1 } })
  assert.equal(
    codeOf(() => reserve(sim)),
    'UnauthorizedOperation',
  )
  assert.ok(readyEni(sim))
  assert.deepEqual(sim.admin.audit(now).reservations, [])
  sim.close()
})

test('throttling and stale answers are for reserved addresses, too', () => {
  const sim = openWorld({ limits: { rates: { CreateReserveIpAddresses: 1 } } })
  sim.setFaults({ staleDescribeMs: 1000 })
  const { id } = reserve(sim)
  assert.match(
    codeOf(() => reserve(sim)),
    /LimitExceeded/,
  )
  assert.deepEqual(find(sim, { ReserveIpIds: [id] }, now + 999), [])
  const [seen] = find(sim, { ReserveIpIds: [id] }, now + 1000)
  assert.equal(seen?.id, id)
  sim.handle('DeleteReserveIpAddresses', { VpcId: vpcId, ReserveIpIds: [id] }, now + 1500)
  assert.deepEqual(find(sim, { ReserveIpIds: [id] }, now + 2000), [seen])
  assert.deepEqual(find(sim, { ReserveIpIds: [id] }, now + 2500), [])
  sim.close()
})

test('reservations are in the file of the cloud', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'vpc-sim-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'cloud.db')
  const first = openWorld({ path })
  const made = reserve(first)
  first.close()
  const second = openWorld({ path })
  assert.deepEqual(find(second, { ReserveIpIds: [made.id] }), [made])
  second.close()
})

test('a file of before there were reserved addresses goes on, with stale answers too', (t) => {
  // The triggers that record the past were made when staleDescribeMs was set: a later table needs its own.
  const folder = mkdtempSync(join(tmpdir(), 'vpc-sim-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'cloud.db')
  const old = openDatabase({ path, kind: 'vpc-sim', migrations: migrations.slice(0, 1) })
  old.run('INSERT INTO setting (name, value) VALUES (?, ?)', 'faults', '{"staleDescribeMs": 1000}')
  old.close()
  const sim = openWorld({ path })
  const { id } = reserve(sim)
  assert.deepEqual(find(sim, { ReserveIpIds: [id] }, now + 999), [])
  assert.equal(find(sim, { ReserveIpIds: [id] }, now + 1000).length, 1)
  sim.close()
})

test('the console reserves and releases, as far as the cloud allows', () => {
  const sim = openWorld()
  const wanted = { id: 'rsvip-0000hand', subnetId: subnetA, address: '10.0.1.40', tags: { by: 'hand' } }
  const made = sim.admin.reserveIp(wanted, now)
  assert.deepEqual(sim.admin.reserveIp(wanted, now), made)
  const eni = bind(sim, made.address)
  const [shown] = sim.admin.audit(now + later).reservations
  assert.deepEqual([shown?.address, shown?.eniId, shown?.tags], ['10.0.1.40', eni, { by: 'hand' }])
  assert.equal(
    codeOf(() => sim.admin.releaseReservation(made.id, now + later)),
    'InvalidParameterValue.ParameterMismatch',
  )
  sim.handle('UnassignPrivateIpAddresses', assigning(eni, made.address), now + later)
  sim.admin.releaseReservation(made.id, now + 2 * later)
  assert.deepEqual(sim.admin.audit(now + 2 * later).reservations, [])
  sim.close()
})

test('a failed migration leaves the address where it was', () => {
  const sim = openWorld()
  const { address } = reserve(sim)
  const [from, to] = [bind(sim, address), readyEni(sim)]
  sim.setFaults({ failTasks: { MigratePrivateIpAddress: 1 } })
  const migration = {
    SourceNetworkInterfaceId: from,
    DestinationNetworkInterfaceId: to,
    PrivateIpAddress: address,
  }
  sim.handle('MigratePrivateIpAddress', migration, now + later)
  const at = now + 2 * later
  assert.deepEqual(
    describeEni(sim, from, at)?.ips.filter(({ primary }) => !primary),
    [{ address, primary: false, state: 'AVAILABLE' }],
  )
  assert.equal(describeEni(sim, to, at)?.ips.length, 1)
  sim.close()
})

test('an instance may be made with a reserved address as its own', () => {
  const sim = openWorld()
  const { address } = reserve(sim)
  const made = sim.admin.createInstance({ instanceType: 'SA2.SMALL1', subnetId: subnetA, address }, now)
  assert.deepEqual([made.address, find(sim, {})[0]?.resourceId], [address, made.eniId])
  assert.ok(sim.admin.audit(now).enis.some(({ instanceId }) => instanceId === medium))
  sim.close()
})
