// What the simulated cloud refuses of EIPs, and with which code; a refusal changes nothing.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { VpcSim } from '../../../internal/sim/vpc/sim.ts'
import { codeOf, createEni, later, readyEni } from './calls.ts'
import { allocateEip, bindEip, boundEip, now, privateSide } from './eip-calls.ts'
import { medium, openWorld, small } from './world.ts'

const at = now + later

type Params = Readonly<Record<string, unknown>>
type Case = readonly [action: string, does: string, params: Params | ((sim: VpcSim) => Params), code: string]

const free = (sim: VpcSim) => sim.admin.createEip({}, now).id
const onto = (id: string, { eni, address }: { eni: string; address: string }) => ({
  AddressId: id,
  NetworkInterfaceId: eni,
  PrivateIpAddress: address,
})

const cases: readonly Case[] = [
  ['AllocateAddresses', 'knows its parameters', { Bandwidth: 1 }, 'UnknownParameter'],
  ['AllocateAddresses', 'guesses a parameter', { Tag: [] }, 'UnknownParameter.WithGuess'],
  ['AllocateAddresses', 'checks types', { InternetMaxBandwidthOut: '1' }, 'InvalidParameter'],
  ['AllocateAddresses', 'makes one at least', { AddressCount: 0 }, 'InvalidParameterValue.Range'],
  ['AllocateAddresses', 'knows the lines', { InternetServiceProvider: 'CTC' }, 'InvalidParameterValue'],
  ['AllocateAddresses', 'knows the charges', { InternetChargeType: 'FREE' }, 'InvalidParameterValue'],
  [
    'AllocateAddresses',
    'wants some bandwidth',
    { InternetMaxBandwidthOut: 0 },
    'InvalidParameterValue.BandwidthTooSmall',
  ],
  [
    'AllocateAddresses',
    'has a most of bandwidth by charge',
    { InternetMaxBandwidthOut: 101 },
    'InvalidParameterValue.BandwidthOutOfRange',
  ],
  [
    'AllocateAddresses',
    'wants the package that it is to charge',
    { InternetChargeType: 'BANDWIDTH_PACKAGE' },
    'InvalidParameterValue.Combination',
  ],
  [
    'AllocateAddresses',
    'wants a package only to charge it',
    { BandwidthPackageId: 'bwp-00000001' },
    'InvalidParameterValue.Combination',
  ],
  [
    'AllocateAddresses',
    'checks ids of packages',
    { InternetChargeType: 'BANDWIDTH_PACKAGE', BandwidthPackageId: 'bwp' },
    'InvalidParameterValue.BandwidthPackageIdMalformed',
  ],
  [
    'AllocateAddresses',
    'knows the packages',
    { InternetChargeType: 'BANDWIDTH_PACKAGE', BandwidthPackageId: 'bwp-00000009' },
    'InvalidParameterValue.BandwidthPackageNotFound',
  ],
  [
    'AllocateAddresses',
    'wants months to be told',
    { InternetChargeType: 'BANDWIDTH_PREPAID_BY_MONTH' },
    'InvalidParameterValue.Combination',
  ],
  [
    'AllocateAddresses',
    'sells no Anycast',
    { AddressType: 'AnycastEIP' },
    'UnauthorizedOperation.AnycastEip',
  ],
  [
    'AllocateAddresses',
    'has one type',
    { AddressType: 'AntiDDoSEIP' },
    'InvalidParameterValue.ResourceNotSupport',
  ],
  [
    'AllocateAddresses',
    'wants money',
    (sim) => {
      sim.setFaults({ noBalance: true })
      return {}
    },
    'FailedOperation.BalanceInsufficient',
  ],

  ['AssociateAddress', 'wants an EIP', {}, 'MissingParameter'],
  ['AssociateAddress', 'checks ids', { AddressId: 'eip-1' }, 'InvalidParameterValue.AddressIdMalformed'],
  [
    'AssociateAddress',
    'knows the EIP',
    (sim) => onto('eip-00000000', privateSide(sim)),
    'InvalidAddressId.NotFound',
  ],
  [
    'AssociateAddress',
    'wants to be told where',
    (sim) => ({ AddressId: free(sim) }),
    'InvalidParameterValue.MissingAssociateEntity',
  ],
  [
    'AssociateAddress',
    'wants an ENI with an address of it',
    (sim) => ({ AddressId: free(sim), NetworkInterfaceId: readyEni(sim) }),
    'InvalidParameterValue.MissingAssociateEntity',
  ],
  [
    'AssociateAddress',
    'goes to one place',
    (sim) => ({ ...onto(free(sim), privateSide(sim)), InstanceId: medium }),
    'InvalidParameterConflict',
  ],
  [
    'AssociateAddress',
    'knows instances',
    (sim) => ({ AddressId: free(sim), InstanceId: 'ins-00000000' }),
    'InvalidInstanceId.NotFound',
  ],
  [
    'AssociateAddress',
    'knows ENIs',
    (sim) => onto(free(sim), { eni: 'eni-00000000', address: '10.0.1.9' }),
    'InvalidNetworkInterfaceId.NotFound',
  ],
  [
    'AssociateAddress',
    'wants an address that the ENI has',
    (sim) => onto(free(sim), { ...privateSide(sim), address: '10.0.1.251' }),
    'InvalidNetworkInterfaceId.NotFound',
  ],
  [
    'AssociateAddress',
    'wants an address',
    (sim) => onto(free(sim), { ...privateSide(sim), address: 'x' }),
    'InvalidNetworkInterfaceId.NotFound',
  ],
  [
    'AssociateAddress',
    'wants a free EIP',
    (sim) => onto(boundEip(sim).id, privateSide(sim)),
    'UnsupportedOperation.AddressStatusNotPermit',
  ],
  [
    'AssociateAddress',
    'wants an EIP that is made',
    (sim) => onto(allocateEip(sim, {}, at), privateSide(sim)),
    'OperationDenied.MutexTaskRunning',
  ],
  [
    'AssociateAddress',
    'wants an address without an EIP',
    (sim) => onto(free(sim), boundEip(sim)),
    'InvalidPrivateIpAddress.AlreadyBindEip',
  ],
  [
    'AssociateAddress',
    'wants an address without an EIP that is on its way',
    (sim) => {
      const side = privateSide(sim)
      bindEip(sim, free(sim), side, at)
      return onto(free(sim), side)
    },
    'InvalidPrivateIpAddress.AlreadyBindEip',
  ],
  [
    'AssociateAddress',
    'wants an EIP that is paid for',
    (sim) => {
      const id = free(sim)
      sim.admin.troubleEip(id, { arrears: true }, now)
      return onto(id, privateSide(sim))
    },
    'OperationDenied.AddressInArrears',
  ],
  [
    'AssociateAddress',
    'wants an EIP that is not blocked',
    (sim) => {
      const id = free(sim)
      sim.admin.troubleEip(id, { blocked: true }, now)
      return onto(id, privateSide(sim))
    },
    'InvalidAddressId.Blocked',
  ],
  [
    'AssociateAddress',
    'wants an ENI that is made',
    (sim) => {
      const eni = createEni(sim, at)
      const ip = sim.admin.audit(at).ips.find(({ eniId }) => eniId === eni)
      return onto(free(sim), { eni, address: ip?.address ?? '' })
    },
    'FailedOperation.AddressEniInfoNotFound',
  ],
  [
    'AssociateAddress',
    'wants an ENI that stays',
    (sim) => {
      const side = privateSide(sim)
      sim.handle('AttachNetworkInterface', { NetworkInterfaceId: side.eni, InstanceId: medium }, at)
      return onto(free(sim), side)
    },
    'FailedOperation.AddressEniInfoNotFound',
  ],
  [
    'AssociateAddress',
    'wants an address that is there',
    (sim) => {
      const { eni } = privateSide(sim)
      sim.handle(
        'AssignPrivateIpAddresses',
        { NetworkInterfaceId: eni, PrivateIpAddresses: [{ PrivateIpAddress: '10.0.1.222' }] },
        at,
      )
      return onto(free(sim), { eni, address: '10.0.1.222' })
    },
    'FailedOperation.AddressEniInfoNotFound',
  ],
  [
    'AssociateAddress',
    'wants an instance that runs or stands still',
    (sim) => {
      const side = privateSide(sim, medium)
      sim.admin.setInstanceState(medium, 'REBOOTING', at)
      return onto(free(sim), side)
    },
    'UnsupportedOperation.InstanceStateNotSupported',
  ],
  [
    'AssociateAddress',
    'holds the quota of the instance',
    (sim) => {
      const side = privateSide(sim, small)
      bindEip(sim, free(sim), side)
      const own = sim.admin.audit(now).ips.find(({ eniId, primary }) => eniId === side.eni && primary)
      bindEip(sim, free(sim), { ...side, address: own?.address ?? '' })
      return { AddressId: free(sim), InstanceId: small }
    },
    'LimitExceeded.InstanceAddressQuota',
  ],

  ['DisassociateAddress', 'checks ids', { AddressId: 'x' }, 'InvalidParameterValue.AddressIdMalformed'],
  ['DisassociateAddress', 'knows the EIP', { AddressId: 'eip-00000000' }, 'InvalidAddressId.NotFound'],
  [
    'DisassociateAddress',
    'wants a bound EIP',
    (sim) => ({ AddressId: free(sim) }),
    'UnsupportedOperation.AddressStatusNotPermit',
  ],
  [
    'DisassociateAddress',
    'does it once',
    (sim) => {
      const { id: AddressId } = boundEip(sim)
      sim.handle('DisassociateAddress', { AddressId }, at)
      return { AddressId }
    },
    'OperationDenied.MutexTaskRunning',
  ],
  [
    'DisassociateAddress',
    'gives no ordinary address for it',
    (sim) => ({ AddressId: boundEip(sim).id, ReallocateNormalPublicIp: true }),
    'InvalidParameterValue.OnlySupportedForMasterNetworkCard',
  ],

  ['ReleaseAddresses', 'wants EIPs', {}, 'MissingParameter'],
  ['ReleaseAddresses', 'wants some', { AddressIds: [] }, 'MissingParameter'],
  ['ReleaseAddresses', 'checks ids', { AddressIds: ['x'] }, 'InvalidParameterValue.AddressIdMalformed'],
  [
    'ReleaseAddresses',
    'releases all or none',
    (sim) => ({ AddressIds: [free(sim), 'eip-00000000'] }),
    'InvalidAddressId.NotFound',
  ],
  [
    'ReleaseAddresses',
    'wants free EIPs',
    (sim) => ({ AddressIds: [free(sim), boundEip(sim).id] }),
    'UnsupportedOperation.AddressStatusNotPermit',
  ],
  [
    'ReleaseAddresses',
    'does it once',
    (sim) => {
      const AddressIds = [free(sim)]
      sim.handle('ReleaseAddresses', { AddressIds }, at)
      return { AddressIds }
    },
    'OperationDenied.MutexTaskRunning',
  ],

  ['DescribeAddresses', 'checks ids', { AddressIds: ['x'] }, 'InvalidParameterValue.AddressIdMalformed'],
  ['DescribeAddresses', 'has pages of 100', { Limit: 101 }, 'InvalidParameterValue.Range'],
  [
    'DescribeAddresses',
    'knows its filters',
    { Filters: [{ Name: 'color', Values: ['red'] }] },
    'InvalidParameter.InvalidFilter',
  ],
  [
    'DescribeAddresses',
    'takes ids in one way',
    { AddressIds: ['eip-00000000'], Filters: [{ Name: 'address-id', Values: ['eip-00000000'] }] },
    'InvalidParameterConflict',
  ],
  ['DescribeAddressQuota', 'takes nothing', { QuotaId: 'x' }, 'UnknownParameter'],
]

for (const [action, does, params, code] of cases)
  test(`${action} ${does}: ${code}`, () => {
    const sim = openWorld()
    const given = typeof params === 'function' ? params(sim) : params
    sim.advance(at)
    const before = sim.admin.audit(at)
    assert.equal(
      codeOf(() => sim.handle(action, given, at)),
      code,
    )
    assert.deepEqual(sim.admin.audit(at), before, 'a refusal changes nothing')
    sim.close()
  })

test('AllocateAddresses takes all that its page names', () => {
  const sim = openWorld({ limits: { bandwidthPackages: ['bwp-00000001'] } })
  for (const params of [
    {
      InternetChargeType: 'BANDWIDTH_PACKAGE',
      BandwidthPackageId: 'bwp-00000001',
      InternetMaxBandwidthOut: 2000,
    },
    { InternetChargeType: 'BANDWIDTH_POSTPAID_BY_HOUR', InternetMaxBandwidthOut: 100 },
    {
      InternetChargeType: 'BANDWIDTH_PREPAID_BY_MONTH',
      InternetMaxBandwidthOut: 200,
      AddressChargePrepaid: { Period: 1, AutoRenewFlag: 0 },
    },
    { AddressType: 'EIP', Egress: 'center_egress1', IsDedicatedAddressPool: false, VipCluster: [] },
  ])
    assert.equal(
      codeOf(() => allocateEip(sim, params)),
      'ok',
    )
  sim.close()
})
