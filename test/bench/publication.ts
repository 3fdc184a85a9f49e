// A node full of warm addresses, as its leader would publish it.
import type { NecPublication } from '../../internal/ipam/types.ts'
import type { Cidr } from '../../internal/value/cidr.ts'
import type { Ipv4 } from '../../internal/value/ipv4.ts'
import type { Mac } from '../../internal/value/mac.ts'
import { nodeBounds } from '../given.ts'

const enis = 9
const ipsPerEni = 29

/** 261 addresses on 9 ENIs. The targets are above that, so that nothing is ever surplus. */
export function benchPublication(): NecPublication {
  return {
    epoch: 1,
    instanceId: 'ins-bench',
    zone: 'bench-1',
    staticIps: false,
    eips: 1,
    ...nodeBounds({ minWarm: 1000, maxWarm: 1000, maxEnis: enis, ipsPerEni }),
    enis: numbers(enis).map((eni) => ({
      id: `eni-${eni}`,
      mac: `20:90:6f:00:00:${eni.toString(16).padStart(2, '0')}` as Mac,
      primaryIp: `10.0.${eni}.5` as Ipv4,
      subnetId: `subnet-${eni}`,
      subnetCidr: `10.0.${eni}.0/24` as Cidr,
      gateway: `10.0.${eni}.1` as Ipv4,
      slot: eni,
      mode: 'shared',
      ips: numbers(ipsPerEni).map((ip) => ({ address: `10.0.${eni}.${10 + ip}` as Ipv4, grant: 1 })),
    })),
    conditions: [],
  }
}

/** 1 to `count`. */
export function numbers(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index + 1)
}
