// Static claims that wait for their pods, as a ledger and a cloud have them after their pods have ended.
import { clusterTag } from '../../../internal/ipam/eni-tags.ts'
import { type ReservationPurpose, reservationTags } from '../../../internal/ipam/reservation-tags.ts'
import { type Ipv4, ipv4FromNumber } from '../../../internal/value/ipv4.ts'

export const zone = 'ap-guangzhou-3'
export const clusterId = 'cls-bench'
export const vpc = { id: 'vpc-bench001', name: 'bench', cidr: '10.0.0.0/8' } as const
export const podSubnet = { id: 'subnet-bench001', cidr: '10.1.0.0/16', zone, vpcId: vpc.id } as const
export const nodeSubnet = { id: 'subnet-bench002', cidr: '10.2.0.0/16', zone, vpcId: vpc.id } as const

export interface KeptClaim extends ReservationPurpose {
  readonly address: Ipv4
  readonly reservation: string
  readonly tags: Readonly<Record<string, string>>
}

const firstAddress = 0x0a_01_00_0a
const perNamespace = 500
const month = 30 * 86_400_000

/** 500 in a namespace, in replicas of ten; every other one expires in a month. */
export function keptClaims(count: number): readonly KeptClaim[] {
  return Array.from({ length: count }, (_, index) => {
    const purpose: ReservationPurpose = {
      clusterId,
      namespace: `team-${padded(Math.floor(index / perNamespace), 3)}`,
      name: `web-${padded(Math.floor((index % perNamespace) / 10), 3)}-${index % 10}`,
      token: `claim-${padded(index, 6)}-0123456789abcdef`,
      expireAfter: index % 2 === 0 ? month : undefined,
      owner: undefined,
    }
    return {
      ...purpose,
      address: ipv4FromNumber(firstAddress + index),
      reservation: `rsvip-${padded(index, 8)}`,
      tags: { ...reservationTags(purpose), [clusterTag]: clusterId },
    }
  })
}

function padded(number: number, digits: number): string {
  return String(number).padStart(digits, '0')
}
