// What an operator can set for the leader.
import type { BackoffPolicy } from '../base/backoff.ts'
import type { ClusterLimits } from '../ipam/node-bounds.ts'
import type { ClaimRules } from '../ipam/plan-claim.ts'
import type { SettlePolicy } from '../ipam/settle-intent.ts'
import type { EniMode, NodeDefaults, SubnetId } from '../ipam/types.ts'
import type { Millis } from '../value/millis.ts'

export interface LeaderSettings extends ClusterLimits, ClaimRules {
  /** Of the term that it leads in; written with every NEC. */
  readonly epoch: number
  /** Marks every ENI of ours in the cloud. */
  readonly clusterId: string
  readonly subnetIds: readonly SubnetId[]
  readonly securityGroups: readonly string[]
  /** For nodes seen for the first time from now on (P9). */
  readonly defaults: NodeDefaults
  /** A static address goes with the topmost workload of its pod (S7). */
  readonly cascadeOwners: boolean
  /** New nodes are kept free of pods until their pool is ready (K5). */
  readonly manageTaint: boolean
  /** ip-masq-agent is told whose packets keep their source (E9). */
  readonly manageMasqConfig: boolean
  /** Also where it has no ConfigMap yet. */
  readonly createMasqConfig: boolean
  /** What pods get that do not ask for one or the other. */
  readonly ordinaryPods: EniMode
  /** Every node is looked at so often even when nothing seems to happen. */
  readonly reconcileEvery: Millis
  readonly subnetMaxAge: Millis
  /** A burst of pods within it makes one plan. */
  readonly gatherFor: Millis
  /** A node must be absent for so long, twice, before its ENIs are taken back. */
  readonly leaveAfter: Millis
  /** How often ledger, cloud and Kubernetes are compared when nothing is suspected. */
  readonly surveyEvery: Millis
  /** A static address without a pod stays on its ENI for so long, in case the pod comes back soon. */
  readonly claimRest: Millis
  /** Refused to reserve addresses, the leader asks again after so long. */
  readonly reserveAgainAfter: Millis
  /** When most ENIs seem to be gone at once, that is believed only after so long. */
  readonly massLossAfter: Millis
  readonly historyFor: Millis
  /** As `historyFor`, of failed intents: a refusal that lasts makes one after the other. */
  readonly failuresFor: Millis
  readonly settle: SettlePolicy
  readonly retry: BackoffPolicy
}

export const leaderDefaults = {
  epoch: 0,
  securityGroups: [],
  defaults: { shared: { minWarm: 5, maxWarm: 5 }, exclusive: { minWarm: 1, maxWarm: 1 } },
  maxEnisPerNode: undefined,
  exclusiveEnis: false,
  staticIps: false,
  claimExpiry: undefined,
  cascadeOwners: false,
  claimRest: 120_000,
  reserveAgainAfter: 300_000,
  manageTaint: false,
  manageMasqConfig: true,
  createMasqConfig: false,
  ordinaryPods: 'shared',
  reconcileEvery: 30_000,
  subnetMaxAge: 30_000,
  gatherFor: 50,
  leaveAfter: 30_000,
  surveyEvery: 300_000,
  massLossAfter: 600_000,
  historyFor: 30 * 86_400_000,
  failuresFor: 86_400_000,
  settle: { staleFor: 5000, giveUpAfter: 60_000 },
  retry: { firstMs: 1000, maxMs: 60_000 },
} satisfies Omit<LeaderSettings, 'clusterId' | 'subnetIds'>

/** A second view must be further away than the cloud's answers may lag; a little more, for timers. */
export function secondViewAfter({ settle }: LeaderSettings): Millis {
  return settle.staleFor + 1000
}
