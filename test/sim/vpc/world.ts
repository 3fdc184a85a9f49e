// A small simulated cloud for tests: one VPC, two zones, an instance in each.
import { seededRandom } from '../../../internal/base/random.ts'
import { openVpcSim, type VpcSim, type VpcSimOptions } from '../../../internal/sim/vpc/sim.ts'

export const T0 = Date.UTC(2026, 0, 31)

export const vpcId = 'vpc-00000001'
export const subnetA = 'subnet-0000000a'
export const subnetB = 'subnet-0000000b'
/** Two ENIs of six addresses: the smallest type. */
export const small = 'ins-0000smal'
/** Four ENIs of ten addresses. */
export const medium = 'ins-00medium'
/** As `medium`, in the other zone. */
export const far = 'ins-00000far'

export function openWorld(options: Partial<VpcSimOptions> = {}): VpcSim {
  const sim = openVpcSim({
    path: ':memory:',
    random: seededRandom(1),
    latency: { minMs: 1000, maxMs: 1000 },
    ...options,
  })
  sim.admin.createVpc({ id: vpcId, cidr: '10.0.0.0/16' }, T0)
  sim.admin.createSubnet({ id: subnetA, vpcId, cidr: '10.0.1.0/24', zone: 'ap-guangzhou-3' }, T0)
  sim.admin.createSubnet({ id: subnetB, vpcId, cidr: '10.0.2.0/28', zone: 'ap-guangzhou-4' }, T0)
  sim.admin.createInstance({ id: small, instanceType: 'SA2.SMALL1', subnetId: subnetA }, T0)
  sim.admin.createInstance({ id: medium, instanceType: 'SA2.MEDIUM4', subnetId: subnetA }, T0)
  sim.admin.createInstance({ id: far, instanceType: 'SA2.MEDIUM4', subnetId: subnetB }, T0)
  return sim
}
