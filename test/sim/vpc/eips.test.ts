// EIPs of the simulated cloud: made, bound, released, and what the account may have.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NoAnswer } from '../../../internal/sim/vpc/api-error.ts'
import type { VpcSim } from '../../../internal/sim/vpc/sim.ts'
import type { Answer } from '../../contract/vpc.contract.ts'
import { eips, list, text } from '../../contract/vpc-view.ts'
import { codeOf, describeEni, later } from './calls.ts'
import { allocateEip, bindEip, boundEip, describeEip, eipState, now, privateSide } from './eip-calls.ts'
import { medium, openWorld } from './world.ts'

test('AllocateAddresses makes what it is asked for, with the defaults of its page', () => {
  const sim = openWorld()
  const id = allocateEip(sim)
  const show = (at: number) =>
    list(sim.handle('DescribeAddresses', { AddressIds: [id] }, at), 'AddressSet')[0] ?? {}
  const creating = show(now)
  assert.deepEqual([creating['AddressStatus'], creating['AddressIp']], ['CREATING', ''])
  const made = show(now + later)
  assert.match(id, /^eip-[0-9a-z]{8}$/)
  assert.match(text(made, 'AddressIp'), /^(203\.0\.113|198\.51\.100)\.\d+$/)
  for (const [name, value] of Object.entries({
    AddressName: '未命名',
    AddressStatus: 'UNBIND',
    InstanceId: '',
    NetworkInterfaceId: null,
    PrivateAddressIp: null,
    IsArrears: false,
    IsBlocked: false,
    AddressType: 'EIP',
    InternetServiceProvider: 'BGP',
    Bandwidth: 1,
    InternetChargeType: 'TRAFFIC_POSTPAID_BY_HOUR',
    InstanceType: null,
    TagSet: [],
  }))
    assert.deepEqual(made[name], value, name)
  const wanted = {
    AddressCount: 2,
    AddressName: 'two',
    InternetServiceProvider: 'CTCC',
    InternetMaxBandwidthOut: 100,
    Tags: [{ Key: 'k', Value: 'v' }],
  }
  sim.handle('AllocateAddresses', wanted, now)
  const two = list(
    sim.handle('DescribeAddresses', { Filters: [{ Name: 'address-isp', Values: ['CTCC'] }] }, now + later),
    'AddressSet',
  )
  assert.deepEqual(
    two.map((one) => [one['AddressName'], one['Bandwidth'], one['TagSet']]),
    Array(2).fill(['two', 100, wanted.Tags]),
  )
  assert.equal(new Set([made, ...two].map((one) => one['AddressIp'])).size, 3)
  sim.close()
})

test('a task is named by text, and asked about by number', () => {
  const sim = openWorld()
  const { TaskId } = sim.handle('AllocateAddresses', {}, now)
  assert.equal(typeof TaskId, 'string')
  const ask = (params: Answer, at: number) => sim.handle('DescribeTaskResult', params, at)
  const params = { TaskId: Number(TaskId) }
  const { RequestId: _, ...running } = ask(params, now)
  assert.deepEqual(running, { ...params, Result: 'RUNNING' })
  assert.equal(ask(params, now + later)['Result'], 'SUCCESS')
  for (const [odd, code] of [
    [{ TaskId }, 'InvalidParameter'],
    [{ TaskId: 1 }, 'InvalidParameter'],
    [{ DealName: '20260131' }, 'InvalidParameter'],
    [{}, 'MissingParameter'],
  ] as const)
    assert.equal(
      codeOf(() => ask(odd, now)),
      code,
    )
  assert.deepEqual(
    ask(sim.fromText('DescribeTaskResult', { TaskId: String(TaskId) }) as Answer, now + later)['Result'],
    'SUCCESS',
    'a query has text only',
  )
  sim.close()
})

test('an EIP is bound to an address of an ENI, unbound and released', () => {
  const sim = openWorld()
  const id = allocateEip(sim)
  const side = privateSide(sim, medium)
  sim.advance(now + later)
  const free = describeEip(sim, id, now + later)
  bindEip(sim, id, side, now + later)
  const there = { ...free, eniId: side.eni, privateIp: side.address, instanceId: medium }
  assert.deepEqual(describeEip(sim, id, now + later), { ...there, state: 'BINDING' })
  const at = now + 2 * later
  assert.deepEqual(describeEip(sim, id, at), { ...there, state: 'BIND' })
  const [shown] = list(
    sim.handle('DescribeNetworkInterfaces', { NetworkInterfaceIds: [side.eni] }, at),
    'NetworkInterfaceSet',
  )
  const ips = list(shown ?? {}, 'PrivateIpAddressSet')
  assert.deepEqual(
    ips.map((ip) => [ip['PublicIpAddress'], ip['AddressId']]),
    [
      ['', ''],
      [free?.address, id],
    ],
  )
  const by = { Filters: [{ Name: 'public-address-ip', Values: [free?.address] }] }
  assert.equal(sim.handle('DescribeNetworkInterfaces', by, at)['TotalCount'], 1)
  sim.handle('DisassociateAddress', { AddressId: id }, at)
  assert.deepEqual(describeEip(sim, id, at), { ...there, state: 'UNBINDING' })
  assert.deepEqual(describeEip(sim, id, at + later), free)
  sim.handle('ReleaseAddresses', { AddressIds: [id] }, at + later)
  assert.equal(eipState(sim, id, at + later), 'OFFLINING')
  assert.equal(describeEip(sim, id, at + 2 * later), undefined)
  const { eips: left, faults } = sim.admin.audit(at + 2 * later)
  assert.deepEqual([left, faults], [[], []])
  sim.close()
})

test('an instance stands for the own address of its own ENI', () => {
  const sim = openWorld()
  const { id, address } = sim.admin.createEip({ address: '203.0.113.7' }, now)
  sim.handle('AssociateAddress', { AddressId: id, InstanceId: medium }, now)
  const own = sim.admin.audit(now).enis.find((eni) => eni.primary && eni.instanceId === medium)
  const shown = describeEip(sim, id, now + later)
  assert.deepEqual([shown?.state, shown?.eniId, shown?.instanceId], ['BIND', own?.id, medium])
  const [instance] = list(
    sim.handle('DescribeInstances', { InstanceIds: [medium] }, now + later),
    'InstanceSet',
  )
  assert.deepEqual(instance?.['PublicIpAddresses'], [address])
  const second = sim.admin.createEip({}, now).id
  assert.equal(
    codeOf(() => sim.handle('AssociateAddress', { AddressId: second, InstanceId: medium }, now + later)),
    'InvalidInstanceId.AlreadyBindEip',
  )
  sim.close()
})

test('an EIP on an ENI of no instance is BIND_ENI, and follows it to one and away', () => {
  const sim = openWorld()
  const { id, eni } = boundEip(sim)
  let at = now + later
  const states: unknown[] = []
  const look = () => states.push([eipState(sim, id, at), describeEip(sim, id, at)?.instanceId])
  const on = { NetworkInterfaceId: eni, InstanceId: medium }
  look()
  for (const action of ['AttachNetworkInterface', 'DetachNetworkInterface']) {
    sim.handle(action, on, at)
    look()
    at += later
    look()
  }
  assert.deepEqual(states, [
    ['BIND_ENI', ''],
    ['BIND_ENI', medium],
    ['BIND', medium],
    ['BIND', medium],
    ['BIND_ENI', ''],
  ])
  sim.handle('DisassociateAddress', { AddressId: id }, at)
  assert.equal(eipState(sim, id, at + later), 'UNBIND')
  sim.close()
})

for (const [action, before, after] of [
  ['AllocateAddresses', 'CREATING', undefined],
  ['AssociateAddress', 'BINDING', 'UNBIND'],
  ['DisassociateAddress', 'UNBINDING', 'BIND'],
  ['ReleaseAddresses', 'OFFLINING', 'UNBIND'],
] as const)
  test(`a failed task of ${action} leaves the EIP as it was`, () => {
    const sim = openWorld()
    const bound = boundEip(sim, medium)
    const side = { eni: bound.eni, address: describeEni(sim, bound.eni, now)?.ips[0]?.address ?? '' }
    const { id: free } = sim.admin.createEip({}, now)
    sim.setFaults({ failTasks: { [action]: 1 } })
    const at = now + later
    const about = action === 'DisassociateAddress' ? bound.id : free
    const params: Readonly<Record<string, Answer>> = {
      AllocateAddresses: {},
      AssociateAddress: { AddressId: free, NetworkInterfaceId: side.eni, PrivateIpAddress: side.address },
      DisassociateAddress: { AddressId: bound.id },
      ReleaseAddresses: { AddressIds: [free] },
    }
    const answer = sim.handle(action, params[action], at)
    const id = action === 'AllocateAddresses' ? (answer['AddressSet'] as string[])[0] : about
    assert.equal(eipState(sim, id ?? '', at), before)
    assert.equal(eipState(sim, id ?? '', at + later), after)
    const task = sim.handle('DescribeTaskResult', { TaskId: Number(answer['TaskId']) }, at + later)
    assert.equal(task['Result'], 'FAILED')
    assert.deepEqual(sim.admin.audit(at + later).faults, [])
    sim.close()
  })

test('a ClientToken brings its EIP again, and no other one once its task has failed', () => {
  const sim = openWorld()
  const token = { ClientToken: 't' }
  sim.setFaults({ loseNextAnswers: { AllocateAddresses: 1 } })
  assert.throws(() => allocateEip(sim, token), new NoAnswer('the answer was lost', true))
  const id = allocateEip(sim, token)
  assert.deepEqual(
    sim.admin.audit(now).eips.map((eip) => eip.id),
    [id],
  )
  sim.setLimits({ refuseTokenWhileRunning: true })
  const again = (at: number, more: Answer = {}) => codeOf(() => allocateEip(sim, { ...token, ...more }, at))
  assert.equal(again(now), 'UnsupportedOperation.IdempotentProcessing')
  assert.equal(again(now + later), 'ok')
  assert.equal(again(now + later, { AddressName: 'x' }), 'UnsupportedOperation.IdempotentParameterMismatch')
  sim.setFaults({ failTasks: { AllocateAddresses: 1 } })
  allocateEip(sim, { ClientToken: 'u' }, now + later)
  assert.equal(again(now + 2 * later, { ClientToken: 'u' }), 'UnsupportedOperation.DeliveryFailed')
  sim.close()
})

test('quotas: of the account, of the day, and those of one operator’s line', () => {
  const sim = openWorld({
    limits: { rateLimits: false, eips: 3, eipsPerDay: 4, singleLineEips: 1, singleLineEipsPerDay: 2 },
  })
  const day = 86_400_000
  const allocate = (at: number, more: Answer = {}) => codeOf(() => allocateEip(sim, more, at))
  const releaseAll = (at: number) => {
    const ids = sim.admin.audit(at).eips.map(({ id }) => id)
    sim.handle('ReleaseAddresses', { AddressIds: ids }, at)
    sim.advance(at + later)
  }
  assert.equal(allocate(now, { AddressCount: 4 }), 'AddressQuotaLimitExceeded')
  assert.equal(allocate(now, { AddressCount: 2 }), 'ok')
  const telecom = { InternetServiceProvider: 'CTCC' }
  assert.equal(allocate(now, telecom), 'ok')
  assert.equal(allocate(now, telecom), 'AddressQuotaLimitExceeded')
  assert.equal(allocate(now), 'AddressQuotaLimitExceeded')
  releaseAll(now + later)
  const at = now + 2 * later
  assert.equal(allocate(at, { AddressCount: 3 }), 'AddressQuotaLimitExceeded.DailyAllocate')
  assert.equal(allocate(at, { AddressCount: 2 }), 'ok')
  assert.equal(allocate(at), 'AddressQuotaLimitExceeded.DailyAllocate', 'releasing gives none back')
  const quotas = list(sim.handle('DescribeAddressQuota', {}, at), 'QuotaSet').map((one) => [
    one['QuotaId'],
    one['QuotaCurrent'],
    one['QuotaLimit'],
    one['QuotaGroup'],
  ])
  assert.deepEqual(quotas.slice(0, 4), [
    ['TOTAL_EIP_QUOTA', 2, 3, 'ap-guangzhou'],
    ['DAILY_EIP_APPLY', 4, 4, 'ap-guangzhou'],
    ['SINGLEISP_EIP_QUOTA', 0, 1, 'ap-guangzhou'],
    ['DAILY_SINGLEISP_APPLY', 1, 2, 'ap-guangzhou'],
  ])
  // T0 is 8 o'clock in UTC+8: the next day begins 16 hours later.
  assert.equal(allocate(now + day * (15 / 24)), 'AddressQuotaLimitExceeded.DailyAllocate')
  assert.equal(allocate(now + day * (16 / 24)), 'ok')
  sim.close()
})

test('AllocateAddresses tells when no public address is left', () => {
  const sim = openWorld({ limits: { rateLimits: false, eips: 1000, eipsPerDay: 1000 } })
  for (let i = 0; i < 5; i++) allocateEip(sim, { AddressCount: 100 })
  assert.equal(
    codeOf(() => allocateEip(sim, { AddressCount: 9 })),
    'ResourceInsufficient',
  )
  allocateEip(sim, { AddressCount: 8 })
  assert.equal(new Set(sim.admin.audit(now).eips.map(({ address }) => address)).size, 508)
  sim.close()
})

test('DescribeAddresses pages ids as well, and filters by all that its page names', () => {
  const sim = openWorld()
  const made = ['a', 'b', 'c', 'd', 'e'].map((name) => sim.admin.createEip({ name }, now))
  const [first, second] = made
  assert.ok(first && second)
  const side = privateSide(sim, medium)
  bindEip(sim, first.id, side)
  sim.admin.troubleEip(second.id, { arrears: true }, now)
  const at = now + later
  const ids = made.map(({ id }) => id)
  const by = (Name: string, ...Values: string[]) =>
    eips(sim.handle('DescribeAddresses', { Filters: [{ Name, Values }] }, at)).map(({ id }) => id)
  for (const [found, want] of [
    [by('address-id', first.id, second.id), [first.id, second.id]],
    [by('address-name', 'a', 'b'), [first.id]],
    [by('address-ip', first.address, second.address), [first.id, second.id]],
    [by('address-status', 'BIND'), [first.id]],
    [by('instance-id', medium), [first.id]],
    [by('private-ip-address', side.address), [first.id]],
    [by('network-interface-id', side.eni), [first.id]],
    [by('is-arrears', 'TRUE'), [second.id]],
    [by('instance-type', 'CVM'), [first.id]],
    [by('instance-type', 'ENI'), []],
    [by('address-type', 'EIP'), ids],
    [by('address-isp', 'BGP'), ids],
    [by('tag-value', 'x'), []],
  ])
    assert.deepEqual(found, want)
  const page = sim.handle('DescribeAddresses', { AddressIds: ids, Offset: 3, Limit: 3 }, at)
  assert.deepEqual([eips(page).map(({ id }) => id), page['TotalCount']], [ids.slice(3), 5])
  const unknown = { AddressIds: ['eip-00000000', first.id] }
  assert.equal(eips(sim.handle('DescribeAddresses', unknown, at)).length, 1)
  sim.setLimits({ refuseUnknownEnis: true })
  assert.equal(
    codeOf(() => sim.handle('DescribeAddresses', unknown, at)),
    'InvalidParameterValue.AddressNotFound',
  )
  sim.close()
})

test('deny names the permission and the resource, as the real refusal does', () => {
  const sim = openWorld()
  sim.setFaults({ deny: { AllocateAddresses: 1 } })
  assert.throws(
    () => allocateEip(sim),
    (error: { code?: string; message?: string; requestId?: string }) => {
      assert.equal(error.code, 'UnauthorizedOperation')
      assert.equal(
        error.message,
        `[request id:${error.requestId}]you are not authorized to perform operation (cvm:AllocateAddresses)\nresource (qcs::cvm:ap-guangzhou:uin/100000000001:eip/*) has no permission\n`,
      )
      return true
    },
  )
  assert.deepEqual(sim.admin.audit(now).eips, [])
  assert.equal(
    codeOf(() => sim.handle('DescribeAddresses', {}, now)),
    'ok',
  )
  sim.close()
})

test('rate limits and stale answers are for EIPs, too', () => {
  const sim = openWorld()
  sim.setFaults({ staleDescribeMs: 1000 })
  const ids = Array.from({ length: 10 }, () => allocateEip(sim))
  assert.match(
    codeOf(() => allocateEip(sim)),
    /LimitExceeded/,
  )
  const [id = ''] = ids
  assert.equal(describeEip(sim, id, now + 999), undefined)
  assert.equal(eipState(sim, id, now + 1000), 'CREATING')
  assert.equal(eipState(sim, id, now + 1999), 'CREATING')
  assert.equal(eipState(sim, id, now + 2000), 'UNBIND')
  sim.close()
})

test('the console makes, troubles and releases EIPs', () => {
  const sim = openWorld()
  const wanted = { id: 'eip-0000hand', address: '203.0.113.40', name: 'mine', tags: { by: 'hand' } }
  const made = sim.admin.createEip(wanted, now)
  assert.deepEqual(made, { id: 'eip-0000hand', address: '203.0.113.40' })
  assert.deepEqual(sim.admin.createEip(wanted, now), made)
  for (const address of ['203.0.113.40', '203.0.113.0', '8.8.8.8', 'x'])
    assert.equal(
      codeOf(() => sim.admin.createEip({ address }, now)),
      'InvalidParameterValue.AddressIpNotAvailable',
    )
  const side = privateSide(sim, medium)
  bindEip(sim, made.id, side)
  sim.advance(now + later)
  const at = now + later
  const [shown] = sim.admin.audit(at).eips
  assert.deepEqual(shown, {
    id: made.id,
    address: made.address,
    name: 'mine',
    state: 'BIND',
    isp: 'BGP',
    bandwidth: 1,
    chargeType: 'TRAFFIC_POSTPAID_BY_HOUR',
    eniId: side.eni,
    privateIp: side.address,
    instanceId: medium,
    arrears: false,
    blocked: false,
    tags: { by: 'hand' },
  })
  const carried = () => sim.admin.fabric().find(({ id }) => id === side.eni)?.eips
  const whole = [{ address: made.address, privateIp: side.address }]
  assert.deepEqual(carried(), whole)
  for (const trouble of [{ arrears: true }, { arrears: false, blocked: true }]) {
    sim.admin.troubleEip(made.id, trouble, at)
    assert.deepEqual(carried(), [])
  }
  sim.admin.troubleEip(made.id, { blocked: false }, at)
  assert.deepEqual(carried(), whole)
  assert.equal(
    codeOf(() => sim.admin.releaseEip(made.id, at)),
    'UnsupportedOperation.AddressStatusNotPermit',
  )
  sim.handle('DisassociateAddress', { AddressId: made.id }, at)
  assert.deepEqual(carried(), [], 'no packets from the moment it is accepted')
  sim.advance(at + later)
  sim.admin.releaseEip(made.id, at + later)
  const { eips: left, faults } = sim.admin.audit(at + later)
  assert.deepEqual([left, faults], [[], []])
  sim.close()
})

test('onChange names the ENI when an EIP comes, goes or is in trouble', () => {
  const sim = openWorld()
  const side = privateSide(sim, medium)
  const { id } = sim.admin.createEip({}, now)
  const heard = listen(sim)
  bindEip(sim, id, side)
  sim.advance(now + later)
  sim.admin.troubleEip(id, { blocked: true }, now + later)
  sim.handle('DisassociateAddress', { AddressId: id }, now + later)
  sim.advance(now + 2 * later)
  assert.deepEqual(heard, Array(5).fill([side.eni]))
  sim.close()
})

function listen(sim: VpcSim): string[][] {
  const heard: string[][] = []
  sim.onChange((enis) => heard.push([...enis]))
  return heard
}
