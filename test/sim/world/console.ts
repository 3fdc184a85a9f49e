// What a person does in the cloud's console, past the leader.
import { ApiError, NoAnswer } from '../../../internal/sim/vpc/api-error.ts'
import type { VpcSim } from '../../../internal/sim/vpc/sim.ts'
import type { Millis } from '../../../internal/value/millis.ts'

export interface Console {
  /** Each returns false when the cloud refuses it; true when nobody knows. */
  detach(eni: string, instance: string): boolean
  attach(eni: string, instance: string): boolean
  remove(eni: string): boolean
  unassign(eni: string, ...addresses: readonly string[]): boolean
  assign(eni: string, count: number): boolean
  assignNamed(eni: string, address: string): boolean
  release(vpc: string, reservation: string): boolean
  bindEip(eip: string, instance: string): boolean
  bindEipTo(eip: string, eni: string, address: string): boolean
  unbindEip(eip: string): boolean
  releaseEip(eip: string): boolean
  create(eni: {
    readonly vpc: string
    readonly subnet: string
    readonly tags: Readonly<Record<string, string>>
    readonly ips: number
  }): boolean
}

/** `asked`: what the cloud has been asked for comes about in time, in a cloud that has no clock of its own. */
export function cloudConsole(sim: VpcSim, now: () => Millis, asked: () => void = () => {}): Console {
  const call = (action: string, params: Readonly<Record<string, unknown>>) => {
    try {
      sim.handle(action, params, now(), 'vpc')
      return true
    } catch (error) {
      if (error instanceof NoAnswer) return true
      if (error instanceof ApiError) return false // a person shrugs
      throw error
    } finally {
      asked()
    }
  }
  return {
    detach: (eni, instance) =>
      call('DetachNetworkInterface', { NetworkInterfaceId: eni, InstanceId: instance }),
    attach: (eni, instance) =>
      call('AttachNetworkInterface', { NetworkInterfaceId: eni, InstanceId: instance }),
    remove: (eni) => call('DeleteNetworkInterface', { NetworkInterfaceId: eni }),
    unassign: (eni, ...addresses) =>
      call('UnassignPrivateIpAddresses', {
        NetworkInterfaceId: eni,
        PrivateIpAddresses: addresses.map((PrivateIpAddress) => ({ PrivateIpAddress })),
      }),
    assign: (eni, count) =>
      call('AssignPrivateIpAddresses', { NetworkInterfaceId: eni, SecondaryPrivateIpAddressCount: count }),
    assignNamed: (eni, address) =>
      call('AssignPrivateIpAddresses', {
        NetworkInterfaceId: eni,
        PrivateIpAddresses: [{ PrivateIpAddress: address }],
      }),
    release: (vpc, reservation) =>
      call('DeleteReserveIpAddresses', { VpcId: vpc, ReserveIpIds: [reservation] }),
    bindEip: (eip, instance) => call('AssociateAddress', { AddressId: eip, InstanceId: instance }),
    bindEipTo: (eip, eni, address) =>
      call('AssociateAddress', { AddressId: eip, NetworkInterfaceId: eni, PrivateIpAddress: address }),
    unbindEip: (eip) => call('DisassociateAddress', { AddressId: eip }),
    releaseEip: (eip) => call('ReleaseAddresses', { AddressIds: [eip] }),
    create: ({ vpc, subnet, tags, ips }) =>
      call('CreateNetworkInterface', {
        VpcId: vpc,
        SubnetId: subnet,
        NetworkInterfaceName: 'by hand',
        SecondaryPrivateIpAddressCount: ips,
        Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
      }),
  }
}
