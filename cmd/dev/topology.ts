// What the dev cluster is made of: two zones, three container subnets (one of them small), nodes of an ordinary size.

export const region = 'ap-guangzhou'
export const clusterId = 'cls-dev00001'
export const vpc = { id: 'vpc-dev00001', name: 'dev', cidr: '10.0.0.0/16' }

export const nodeSubnets = [
  { id: 'subnet-node0003', cidr: '10.0.100.0/24', zone: 'ap-guangzhou-3' },
  { id: 'subnet-node0004', cidr: '10.0.101.0/24', zone: 'ap-guangzhou-4' },
] as const

export const podSubnets = [
  { id: 'subnet-pods003a', cidr: '10.0.1.0/24', zone: 'ap-guangzhou-3' },
  { id: 'subnet-pods003b', cidr: '10.0.2.0/26', zone: 'ap-guangzhou-3' },
  { id: 'subnet-pods004a', cidr: '10.0.3.0/24', zone: 'ap-guangzhou-4' },
] as const

/** EIPs of the user's own, for `eip-id-list`. */
export const userEips = ['eip-xxx1', 'eip-xxx2'] as const

/** As TKE installs it: what ip-masq-agent leaves as it is. */
export const masqConfig = {
  NonMasqueradeCIDRs: [vpc.cidr, '172.16.0.0/16'],
  MasqLinkLocal: true,
  ResyncInterval: '1m0s',
  MasqLinkLocalIPv6: false,
} as const

/** 3 ENIs for pods, 9 addresses each. */
export const instanceType = 'S5.MEDIUM4'

/** Subnet of the n-th node, from 0: the first two share a zone, the third is in the other, and so on. */
export function subnetOfNode(n: number): (typeof nodeSubnets)[number] {
  return n % 3 === 2 ? nodeSubnets[1] : nodeSubnets[0]
}

/** As TKE labels nodes: "100003" of ap-guangzhou-3. */
export function zoneNumber(zone: string): string {
  return String(100_000 + Number(zone.split('-').at(-1)))
}
