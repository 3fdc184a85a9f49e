// A simulated cloud with something of everything, and every call of ours to it.

import { seededRandom } from '../../internal/base/random.ts'
import type { Cloud } from '../../internal/ports.ts'
import type { VpcSim } from '../../internal/sim/vpc/sim.ts'
import { openVpcSim } from '../../internal/sim/vpc/sim.ts'
import { ip } from '../given.ts'

const zone = 'ap-guangzhou-3'
const vpcId = 'vpc-00000001'
const subnetId = 'subnet-0000pods'
export const tags = { cluster: 'c' }
export const reservationId = 'rsvip-0000kept'
export const eipId = 'eip-0000user'
export const reservedAddress = ip('10.0.1.77')

export interface SmallCloud {
  readonly sim: VpcSim
  readonly eni: string
  readonly instance: string
}

/** With a reserved address, an EIP, one instance, and one ENI attached to it that has two addresses. */
export function smallCloud(): SmallCloud {
  const sim = openVpcSim({ path: ':memory:', random: seededRandom(1), latency: { minMs: 0, maxMs: 0 } })
  const { admin } = sim
  admin.createVpc({ id: vpcId, cidr: '10.0.0.0/16' }, 0)
  admin.createSubnet({ id: subnetId, vpcId, cidr: '10.0.1.0/24', zone }, 0)
  const { id: instance } = admin.createInstance({ instanceType: 'SA2.MEDIUM4', subnetId }, 0)
  admin.reserveIp({ id: reservationId, subnetId, address: reservedAddress, name: 'kept', tags }, 0)
  admin.createEip({ id: eipId, tags }, 0)
  // Its callers have to find out the subnet.
  sim.setLimits({ hideReservedSubnets: true })
  let at = 0
  const call = (action: string, params: object) => {
    at += 10_000
    return sim.handle(action, params, at, 'vpc') as { NetworkInterface: { NetworkInterfaceId: string } }
  }
  const { NetworkInterface } = call('CreateNetworkInterface', {
    VpcId: vpcId,
    SubnetId: subnetId,
    NetworkInterfaceName: 'n',
    SecondaryPrivateIpAddressCount: 2,
    Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
  })
  const eni = NetworkInterface.NetworkInterfaceId
  call('AttachNetworkInterface', { NetworkInterfaceId: eni, InstanceId: instance })
  return { sim, eni, instance }
}

/** Later than all that smallCloud() did. */
export const cloudTime = 100_000

export const callNames = [
  'describe ENIs by id',
  'list ENIs by tag',
  'describe subnets',
  'describe instances',
  'read a quota',
  'create an ENI',
  'attach an ENI',
  'detach an ENI',
  'delete an ENI',
  'assign addresses',
  'unassign an address',
  'assign a named address',
  'move an address',
  'reserve an address',
  'describe reservations by id',
  'describe reservations by address',
  'list reservations by tag',
  'release a reservation',
  'allocate an EIP',
  'describe EIPs by id',
  'list EIPs by tag',
  'list EIPs of an ENI',
  'bind an EIP',
  'unbind an EIP',
  'release an EIP',
  'read the EIP quota',
] as const

export type CallName = (typeof callNames)[number]

export const calls: Readonly<Record<CallName, (cloud: Cloud, world: SmallCloud) => Promise<unknown>>> = {
  'describe ENIs by id': (cloud, { eni }) => cloud.describeEnis({ ids: [eni, 'eni-00000000'] }, 'collect'),
  'list ENIs by tag': (cloud) => cloud.describeEnis({ tags }, 'collect'),
  'describe subnets': (cloud) => cloud.describeSubnets([subnetId], 'collect'),
  'describe instances': (cloud, { instance }) => cloud.describeInstances([instance], 'collect'),
  'read a quota': (cloud, { instance }) => cloud.describeEniQuota(instance, 'collect'),
  'create an ENI': (cloud) =>
    cloud.createEni(
      {
        name: 'n',
        description: 'd',
        subnetId,
        securityGroups: [],
        secondaryIps: 1,
        tags,
        clientToken: 't',
      },
      'waiting-pod',
    ),
  'attach an ENI': (cloud, { eni, instance }) =>
    cloud.attachEni({ eni, instance, clientToken: 't' }, 'waiting-pod'),
  'detach an ENI': (cloud, { eni, instance }) =>
    cloud.detachEni({ eni, instance, clientToken: 't' }, 'release'),
  'delete an ENI': (cloud, { eni }) => cloud.deleteEni(eni, 'release'),
  'assign addresses': (cloud, { eni }) => cloud.assignIps({ eni, count: 2, clientToken: 't' }, 'waiting-pod'),
  'unassign an address': (cloud, { eni }) =>
    cloud.unassignIps({ eni, addresses: [ip('10.0.1.99')] }, 'release'),
  'assign a named address': (cloud, { eni }) =>
    cloud.assignIps({ eni, count: 1, addresses: [reservedAddress], clientToken: 't' }, 'waiting-pod'),
  'move an address': (cloud, { eni }) =>
    cloud.migrateIp({ from: eni, to: 'eni-00000000', address: ip('10.0.1.99') }, 'waiting-pod'),
  'reserve an address': (cloud) =>
    cloud.reserveIp(
      { subnetId, address: undefined, name: 'n', description: 'd', tags, clientToken: 't' },
      'waiting-pod',
    ),
  'describe reservations by id': (cloud) =>
    cloud.describeReservations({ ids: [reservationId, 'rsvip-00000000'] }, 'collect'),
  'describe reservations by address': (cloud) =>
    cloud.describeReservations({ addresses: [reservedAddress], subnetId }, 'collect'),
  'list reservations by tag': (cloud) => cloud.describeReservations({ tags }, 'collect'),
  'release a reservation': (cloud) => cloud.releaseReservation({ id: reservationId, vpcId }, 'release'),
  'allocate an EIP': (cloud) =>
    cloud.allocateEip(
      { bandwidth: 1, chargeType: 'c', isp: 'BGP', name: 'n', tags, raw: {}, clientToken: 't' },
      'waiting-pod',
    ),
  'describe EIPs by id': (cloud) => cloud.describeEips({ ids: [eipId, 'eip-00000000'] }, 'collect'),
  'list EIPs by tag': (cloud) => cloud.describeEips({ tags }, 'collect'),
  'list EIPs of an ENI': (cloud, { eni }) => cloud.describeEips({ eni }, 'collect'),
  'bind an EIP': (cloud, { eni }) =>
    cloud.associateEip({ eip: eipId, eni, privateIp: ip('10.0.1.99') }, 'waiting-pod'),
  'unbind an EIP': (cloud) => cloud.disassociateEip(eipId, 'release'),
  'release an EIP': (cloud) => cloud.releaseEip(eipId, 'release'),
  'read the EIP quota': (cloud) => cloud.describeEipQuota('collect'),
}
