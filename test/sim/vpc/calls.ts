// Short ways for tests to call the simulated cloud and to look at its answers.
import assert from 'node:assert/strict'
import { ApiError } from '../../../internal/sim/vpc/api-error.ts'
import type { VpcSim } from '../../../internal/sim/vpc/sim.ts'
import type { Answer } from '../../contract/vpc.contract.ts'
import { type EniView, enis, text } from '../../contract/vpc-view.ts'
import { subnetA, T0, vpcId } from './world.ts'

/** Longer than any transition of the test world. */
export const later = 10_000

export function createEni(sim: VpcSim, at = T0, more: Answer = {}): string {
  const answer = sim.handle(
    'CreateNetworkInterface',
    { VpcId: vpcId, SubnetId: subnetA, NetworkInterfaceName: 'test', ...more },
    at,
  )
  return text(answer['NetworkInterface'] as Answer, 'NetworkInterfaceId')
}

/** An ENI that is AVAILABLE at T0 + later. */
export function readyEni(sim: VpcSim, more: Answer = {}): string {
  const eni = createEni(sim, T0, more)
  sim.advance(T0 + later)
  return eni
}

/** An ENI that is attached to `instanceId` at T0 + 2 later. */
export function attachedEni(sim: VpcSim, instanceId: string, more: Answer = {}): string {
  const eni = readyEni(sim, more)
  sim.handle('AttachNetworkInterface', { NetworkInterfaceId: eni, InstanceId: instanceId }, T0 + later)
  sim.advance(T0 + 2 * later)
  return eni
}

export function describeEni(sim: VpcSim, eni: string, at: number): EniView | undefined {
  return enis(sim.handle('DescribeNetworkInterfaces', { NetworkInterfaceIds: [eni] }, at))[0]
}

/** The code that the call is refused with; "ok" when it is not. */
export function codeOf(call: () => unknown): string {
  try {
    call()
    return 'ok'
  } catch (error) {
    assert.ok(error instanceof ApiError, String(error))
    return error.code
  }
}
