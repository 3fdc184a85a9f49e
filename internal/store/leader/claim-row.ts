// A row of table `claim`, as it is in the table and as it is kept in table `change`.
import type { Claim, ClaimOwner, ClaimPhase, ClaimPolicy } from '../../ipam/claim.ts'
import type { EniMode } from '../../ipam/types.ts'
import type { Ipv4 } from '../../value/ipv4.ts'

export interface ClaimRow {
  readonly key: number
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly ip_uid: string
  readonly policy: ClaimPolicy
  readonly mode: EniMode
  readonly phase: ClaimPhase
  readonly generation: number
  readonly pod_uid: string | null
  readonly node: string | null
  readonly address: Ipv4 | null
  readonly eni_id: string | null
  readonly subnet_id: string | null
  readonly zone: string | null
  readonly reservation: string | null
  readonly nominated_address: Ipv4 | null
  readonly nominated_subnets: string
  readonly expire_after: number | null
  readonly retained_at: number | null
  readonly expires_at: number | null
  readonly owner: string | null
  readonly reason: string
  readonly message: string
  readonly created_at: number
  readonly changed_at: number
  readonly version: number
}

export function claimOfRow(row: ClaimRow, version: number = row.version): Claim {
  return {
    key: row.key,
    namespace: row.namespace,
    name: row.name,
    uid: row.uid,
    ipUid: row.ip_uid,
    policy: row.policy,
    mode: row.mode,
    phase: row.phase,
    generation: row.generation,
    podUid: row.pod_uid ?? undefined,
    node: row.node ?? undefined,
    address: row.address ?? undefined,
    eniId: row.eni_id ?? undefined,
    subnetId: row.subnet_id ?? undefined,
    zone: row.zone ?? undefined,
    reservation: row.reservation ?? undefined,
    nominatedAddress: row.nominated_address ?? undefined,
    nominatedSubnets: row.nominated_subnets === '[]' ? [] : (JSON.parse(row.nominated_subnets) as string[]),
    expireAfter: row.expire_after ?? undefined,
    retainedAt: row.retained_at ?? undefined,
    expiresAt: row.expires_at ?? undefined,
    owner: row.owner === null ? undefined : (JSON.parse(row.owner) as ClaimOwner),
    reason: row.reason,
    message: row.message,
    createdAt: row.created_at,
    changedAt: row.changed_at,
    version,
  }
}
