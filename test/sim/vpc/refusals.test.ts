import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { VpcSim } from '../../../internal/sim/vpc/sim.ts'
import { attachedEni, codeOf, createEni, later, readyEni } from './calls.ts'
import { far, medium, openWorld, small, subnetA, subnetB, T0, vpcId } from './world.ts'

const now = T0 + 3 * later

type Params = Readonly<Record<string, unknown>>
type Case = {
  readonly does: string
  readonly action: string
  readonly params: Params | ((sim: VpcSim) => Params)
  readonly code: string
}

const create = { VpcId: vpcId, SubnetId: subnetA, NetworkInterfaceName: 'x' }
const ips = (...addresses: string[]) => addresses.map((PrivateIpAddress) => ({ PrivateIpAddress }))

const cases: readonly Case[] = [
  { does: 'needs a VPC', action: 'CreateNetworkInterface', params: {}, code: 'MissingParameter' },
  {
    does: 'knows its parameters',
    action: 'CreateNetworkInterface',
    params: { ...create, Color: 'red' },
    code: 'UnknownParameter',
  },
  {
    does: 'guesses a parameter',
    action: 'CreateNetworkInterface',
    params: { ...create, vpcid: vpcId },
    code: 'UnknownParameter.WithGuess',
  },
  {
    does: 'checks types',
    action: 'CreateNetworkInterface',
    params: { ...create, SecondaryPrivateIpAddressCount: '3' },
    code: 'InvalidParameter',
  },
  {
    does: 'checks lengths',
    action: 'CreateNetworkInterface',
    params: { ...create, NetworkInterfaceName: 'x'.repeat(61) },
    code: 'InvalidParameterValue.TooLong',
  },
  {
    does: 'checks ids',
    action: 'CreateNetworkInterface',
    params: { ...create, SubnetId: 'subnet-1' },
    code: 'InvalidParameterValue.Malformed',
  },
  {
    does: 'needs the subnet',
    action: 'CreateNetworkInterface',
    params: { ...create, SubnetId: 'subnet-00000000' },
    code: 'ResourceNotFound',
  },
  {
    does: 'keeps addresses in the subnet',
    action: 'CreateNetworkInterface',
    params: { ...create, PrivateIpAddresses: ips('10.0.2.5') },
    code: 'InvalidParameterValue.Range',
  },
  {
    does: 'keeps the gateway',
    action: 'CreateNetworkInterface',
    params: { ...create, PrivateIpAddresses: ips('10.0.1.1') },
    code: 'InvalidParameterValue.Reserved',
  },
  {
    does: 'keeps the broadcast address',
    action: 'CreateNetworkInterface',
    params: { ...create, PrivateIpAddresses: ips('10.0.1.255') },
    code: 'InvalidParameterValue.Reserved',
  },
  {
    does: 'wants an address once',
    action: 'CreateNetworkInterface',
    params: { ...create, PrivateIpAddresses: ips('10.0.1.9', '10.0.1.9') },
    code: 'InvalidParameterValue.DuplicatePara',
  },
  {
    does: 'takes at most ten addresses',
    action: 'CreateNetworkInterface',
    params: {
      ...create,
      PrivateIpAddresses: ips(...Array.from({ length: 11 }, (_, i) => `10.0.1.${i + 9}`)),
    },
    code: 'InvalidParameterValue.LimitExceeded',
  },
  {
    does: 'gives an address to one',
    action: 'CreateNetworkInterface',
    params: (sim) => {
      createEni(sim, now, { PrivateIpAddresses: ips('10.0.1.77') })
      return { ...create, PrivateIpAddresses: ips('10.0.1.77') }
    },
    code: 'ResourceInUse',
  },
  {
    does: 'keeps the subnet inside its size',
    action: 'CreateNetworkInterface',
    params: { ...create, SubnetId: subnetB, SecondaryPrivateIpAddressCount: 12 },
    code: 'ResourceInsufficient.Subnet',
  },
  {
    does: 'holds the quota of a free ENI',
    action: 'CreateNetworkInterface',
    params: { ...create, SecondaryPrivateIpAddressCount: 40 },
    code: 'LimitExceeded',
  },
  {
    does: 'holds the quota of the VPC',
    action: 'CreateNetworkInterface',
    params: (sim) => {
      sim.setLimits({ enisPerVpc: 1 })
      createEni(sim, now)
      return create
    },
    code: 'LimitExceeded.NetworkInterfaceLimitExceeded',
  },
  {
    does: 'refuses reserved tags',
    action: 'CreateNetworkInterface',
    params: { ...create, Tags: [{ Key: 'qcs:x', Value: '' }] },
    code: 'UnsupportedOperation.TagSystemReservedTagKey',
  },
  {
    does: 'waits for the ENI',
    action: 'AttachNetworkInterface',
    params: (sim) => ({ NetworkInterfaceId: createEni(sim, now), InstanceId: medium }),
    code: 'UnsupportedOperation.InvalidState',
  },
  {
    does: 'attaches once',
    action: 'AttachNetworkInterface',
    params: (sim) => ({ NetworkInterfaceId: attachedEni(sim, medium), InstanceId: small }),
    code: 'UnsupportedOperation.AttachmentAlreadyExists',
  },
  {
    does: 'stays in the zone',
    action: 'AttachNetworkInterface',
    params: (sim) => ({ NetworkInterfaceId: readyEni(sim), InstanceId: far }),
    code: 'UnsupportedOperation.ZoneMismatch',
  },
  {
    does: 'needs the instance',
    action: 'AttachNetworkInterface',
    params: (sim) => ({ NetworkInterfaceId: readyEni(sim), InstanceId: 'ins-00000000' }),
    code: 'ResourceNotFound',
  },
  {
    does: 'needs an instance that is up or stopped',
    action: 'AttachNetworkInterface',
    params: (sim) => {
      sim.admin.setInstanceState(medium, 'SHUTDOWN', now)
      return { NetworkInterfaceId: readyEni(sim), InstanceId: medium }
    },
    code: 'UnsupportedOperation.ResourceIsInvalidState',
  },
  {
    does: 'holds the ENI quota of the instance',
    action: 'AttachNetworkInterface',
    params: (sim) => {
      attachedEni(sim, small)
      return { NetworkInterfaceId: readyEni(sim), InstanceId: small }
    },
    code: 'LimitExceeded',
  },
  {
    does: 'holds the address quota of the instance',
    action: 'AttachNetworkInterface',
    params: (sim) => ({
      NetworkInterfaceId: readyEni(sim, { SecondaryPrivateIpAddressCount: 6 }),
      InstanceId: small,
    }),
    code: 'LimitExceeded',
  },
  {
    does: 'detaches from where it is',
    action: 'DetachNetworkInterface',
    params: (sim) => ({ NetworkInterfaceId: attachedEni(sim, medium), InstanceId: small }),
    code: 'UnsupportedOperation.InvalidState',
  },
  {
    does: 'keeps primary ENIs',
    action: 'DetachNetworkInterface',
    params: (sim) => ({
      NetworkInterfaceId: sim.admin.fabric().find(({ instanceId }) => instanceId === medium)?.id,
      InstanceId: medium,
    }),
    code: 'UnsupportedOperation',
  },
  {
    does: 'keeps an attached ENI',
    action: 'DeleteNetworkInterface',
    params: (sim) => ({ NetworkInterfaceId: attachedEni(sim, medium) }),
    code: 'ResourceInUse',
  },
  {
    does: 'needs a list or a count',
    action: 'AssignPrivateIpAddresses',
    params: (sim) => ({ NetworkInterfaceId: readyEni(sim) }),
    code: 'MissingParameter',
  },
  {
    does: 'holds the quota of the ENI',
    action: 'AssignPrivateIpAddresses',
    params: (sim) => ({ NetworkInterfaceId: attachedEni(sim, small), SecondaryPrivateIpAddressCount: 6 }),
    code: 'LimitExceeded',
  },
  {
    does: 'runs one task per ENI',
    action: 'AssignPrivateIpAddresses',
    params: (sim) => {
      const eni = readyEni(sim)
      const params = { NetworkInterfaceId: eni, SecondaryPrivateIpAddressCount: 1 }
      sim.handle('AssignPrivateIpAddresses', params, now)
      return params
    },
    code: 'UnsupportedOperation.MutexOperationTaskRunning',
  },
  {
    does: 'knows what is on the ENI',
    action: 'UnassignPrivateIpAddresses',
    params: (sim) => ({ NetworkInterfaceId: readyEni(sim), PrivateIpAddresses: ips('10.0.1.9') }),
    code: 'ResourceNotFound',
  },
  {
    does: 'keeps the primary address',
    action: 'UnassignPrivateIpAddresses',
    params: (sim) => {
      const address = '10.0.1.9'
      const eni = readyEni(sim, { PrivateIpAddresses: [{ PrivateIpAddress: address, Primary: true }] })
      return { NetworkInterfaceId: eni, PrivateIpAddresses: ips(address) }
    },
    code: 'UnsupportedOperation',
  },
  {
    does: 'stays in the subnet',
    action: 'MigratePrivateIpAddress',
    params: (sim) => ({
      SourceNetworkInterfaceId: readyEni(sim, { PrivateIpAddresses: ips('10.0.1.9') }),
      DestinationNetworkInterfaceId: readyEni(sim, { SubnetId: subnetB }),
      PrivateIpAddress: '10.0.1.9',
    }),
    code: 'UnsupportedOperation',
  },
  {
    does: 'waits for the ENI',
    action: 'MigratePrivateIpAddress',
    params: (sim) => ({
      SourceNetworkInterfaceId: readyEni(sim, { PrivateIpAddresses: ips('10.0.1.9') }),
      DestinationNetworkInterfaceId: createEni(sim, now),
      PrivateIpAddress: '10.0.1.9',
    }),
    code: 'UnsupportedOperation',
  },
  {
    does: 'holds the quota of the ENI that gets it',
    action: 'MigratePrivateIpAddress',
    params: (sim) => ({
      SourceNetworkInterfaceId: readyEni(sim, { PrivateIpAddresses: ips('10.0.1.9') }),
      DestinationNetworkInterfaceId: attachedEni(sim, small, { SecondaryPrivateIpAddressCount: 5 }),
      PrivateIpAddress: '10.0.1.9',
    }),
    code: 'LimitExceeded',
  },
  { does: 'needs a VPC', action: 'CreateReserveIpAddresses', params: {}, code: 'MissingParameter' },
  {
    does: 'needs a list or a count',
    action: 'CreateReserveIpAddresses',
    params: { VpcId: vpcId, SubnetId: subnetA },
    code: 'MissingParameter',
  },
  {
    does: 'takes a list or a count',
    action: 'CreateReserveIpAddresses',
    params: { VpcId: vpcId, SubnetId: subnetA, IpAddresses: ['10.0.1.9'], IpAddressCount: 1 },
    code: 'InvalidParameterValue',
  },
  {
    does: 'keeps addresses in the subnet',
    action: 'CreateReserveIpAddresses',
    params: { VpcId: vpcId, SubnetId: subnetA, IpAddresses: ['10.0.2.9'] },
    code: 'InvalidParameterValue.Range',
  },
  {
    does: 'keeps the gateway',
    action: 'CreateReserveIpAddresses',
    params: { VpcId: vpcId, IpAddresses: ['10.0.1.1'] },
    code: 'InvalidParameterValue.Reserved',
  },
  {
    does: 'needs the subnet',
    action: 'CreateReserveIpAddresses',
    params: { VpcId: vpcId, SubnetId: 'subnet-00000000', IpAddressCount: 1 },
    code: 'ResourceNotFound',
  },
  {
    does: 'leaves an address to the ENI that has it',
    action: 'CreateReserveIpAddresses',
    params: (sim) => {
      createEni(sim, now, { PrivateIpAddresses: ips('10.0.1.77') })
      return { VpcId: vpcId, IpAddresses: ['10.0.1.77'] }
    },
    code: 'ResourceInUse',
  },
  {
    does: 'reserves an address once, and all or none',
    action: 'CreateReserveIpAddresses',
    params: (sim) => {
      sim.handle('CreateReserveIpAddresses', { VpcId: vpcId, IpAddresses: ['10.0.1.77'] }, now)
      return { VpcId: vpcId, IpAddresses: ['10.0.1.76', '10.0.1.77'] }
    },
    code: 'ResourceInUse',
  },
  {
    does: 'refuses ids with filters',
    action: 'DescribeReserveIpAddresses',
    params: { ReserveIpIds: ['rsvip-00000000'], Filters: [{ Name: 'vpc-id', Values: [vpcId] }] },
    code: 'InvalidParameter.Coexist',
  },
  {
    does: 'needs the reservation',
    action: 'DeleteReserveIpAddresses',
    params: { VpcId: vpcId, ReserveIpIds: ['rsvip-00000000'] },
    code: 'ResourceNotFound',
  },
  {
    does: 'needs one',
    action: 'DeleteReserveIpAddresses',
    params: { VpcId: vpcId, ReserveIpIds: [] },
    code: 'MissingParameter',
  },
  {
    does: 'needs the reservation',
    action: 'ModifyReserveIpAddress',
    params: { VpcId: vpcId, ReserveIpId: 'rsvip-00000000' },
    code: 'ResourceNotFound',
  },
  {
    does: 'takes Offset as text only',
    action: 'DescribeSubnets',
    params: { Offset: 0 },
    code: 'InvalidParameter',
  },
  {
    does: 'needs the subnets',
    action: 'DescribeSubnets',
    params: { SubnetIds: ['subnet-00000000'] },
    code: 'ResourceNotFound',
  },
  {
    does: 'knows instances',
    action: 'DescribeNetworkInterfaceLimit',
    params: { InstanceId: 'ins-00000000' },
    code: 'InvalidInstanceId.NotFound',
  },
  { does: 'knows tasks', action: 'DescribeVpcTaskResult', params: { TaskId: 'x' }, code: 'ResourceNotFound' },
]

for (const { does, action, params, code } of cases)
  test(`${action} ${does}: ${code}`, () => {
    const sim = openWorld()
    const given = typeof params === 'function' ? params(sim) : params
    const before = sim.admin.audit(now)
    assert.equal(
      codeOf(() => sim.handle(action, given, now)),
      code,
    )
    assert.deepEqual(sim.admin.audit(now), before, 'a refusal changes nothing')
    sim.close()
  })

test('an action of another product is InvalidAction', () => {
  const sim = openWorld()
  assert.equal(
    codeOf(() => sim.handle('DescribeInstances', {}, now, 'vpc')),
    'InvalidAction',
  )
  assert.equal(
    codeOf(() => sim.handle('DescribeInstances', {}, now, 'cvm')),
    'ok',
  )
})
