// Short ways for tests to make and bind EIPs of the simulated cloud.
import assert from 'node:assert/strict'
import type { VpcSim } from '../../../internal/sim/vpc/sim.ts'
import type { Answer } from '../../contract/vpc.contract.ts'
import { type EipView, eips } from '../../contract/vpc-view.ts'
import { attachedEni, describeEni, later, readyEni } from './calls.ts'
import { T0 } from './world.ts'

/** When the ENIs of these calls are there. */
export const now = T0 + 3 * later

export function allocateEip(sim: VpcSim, more: Answer = {}, at = now): string {
  const [id] = sim.handle('AllocateAddresses', more, at)['AddressSet'] as string[]
  assert.ok(id)
  return id
}

export function describeEip(sim: VpcSim, id: string, at = now): EipView | undefined {
  return eips(sim.handle('DescribeAddresses', { AddressIds: [id] }, at))[0]
}

export function eipState(sim: VpcSim, id: string, at = now): string | undefined {
  return describeEip(sim, id, at)?.state
}

export interface PrivateSide {
  readonly eni: string
  readonly address: string
}

/** An ENI with a secondary address that is there at `now`: on the instance, or on none. */
export function privateSide(sim: VpcSim, instanceId?: string): PrivateSide {
  const more = { SecondaryPrivateIpAddressCount: 1 }
  const eni = instanceId === undefined ? readyEni(sim, more) : attachedEni(sim, instanceId, more)
  const ip = describeEni(sim, eni, now)?.ips.find(({ primary }) => !primary)
  assert.ok(ip)
  return { eni, address: ip.address }
}

export function bindEip(sim: VpcSim, id: string, { eni, address }: PrivateSide, at = now): void {
  const params = { AddressId: id, NetworkInterfaceId: eni, PrivateIpAddress: address }
  sim.handle('AssociateAddress', params, at)
}

export interface BoundEip extends PrivateSide {
  readonly id: string
}

/** One of the console, which is on a secondary address at `now` + later. */
export function boundEip(sim: VpcSim, instanceId?: string): BoundEip {
  const side = privateSide(sim, instanceId)
  const { id } = sim.admin.createEip({}, now)
  bindEip(sim, id, side)
  sim.advance(now + later)
  return { id, ...side }
}
