// What a survey compares, and what may come of it.
import type { Cidr } from '../value/cidr.ts'
import type { Ipv4 } from '../value/ipv4.ts'
import type { Mac } from '../value/mac.ts'
import type { Millis } from '../value/millis.ts'
import type { Claim } from './claim.ts'
import type { EniState } from './pool.ts'
import type { Finding, Suspect } from './quarantine.ts'
import type { SeenReservation } from './rebuild-claims.ts'
import type {
  CloudEni,
  EniId,
  EniMode,
  InstanceId,
  NodeBounds,
  NodeName,
  PodFact,
  PodName,
  PodUid,
  SubnetId,
} from './types.ts'

export interface SurveyIp {
  readonly address: Ipv4
  readonly state: 'bound' | 'unassigning'
  readonly changedAt: Millis
  readonly pod: (PodName & { readonly uid: PodUid }) | undefined
}

/** An ENI as the ledger has it. */
export interface SurveyEni {
  readonly key: number
  readonly id: EniId | undefined
  readonly node: NodeName
  readonly slot: number
  readonly mode: EniMode
  readonly mac: Mac | undefined
  readonly primaryIp: Ipv4 | undefined
  readonly state: EniState
  readonly goal: 'serve' | 'delete'
  readonly busy: boolean
  /** When something was last done to it: views from before, and the lag of the cloud after, say nothing. */
  readonly touchedAt: Millis
  readonly ips: readonly SurveyIp[]
}

export interface SurveyNode {
  readonly name: NodeName
  readonly instanceId: InstanceId
  readonly phase: 'active' | 'leaving'
  readonly bounds: NodeBounds
  /** Addresses, and exclusive ENIs, that it could take in and keep within its bounds. */
  readonly room: Readonly<Record<EniMode, number>>
}

/** A static claim as far as it is compared: there may be very many. */
export type SurveyClaim = Pick<
  Claim,
  | 'key'
  | 'namespace'
  | 'name'
  | 'uid'
  | 'phase'
  | 'podUid'
  | 'node'
  | 'address'
  | 'reservation'
  | 'reserveToken'
  | 'changedAt'
  | 'version'
>

export type SurveyReservation = SeenReservation & { readonly vpcId: string }

export interface SurveySnapshot {
  readonly clusterId: string
  /** When the cloud was asked. */
  readonly readAt: Millis
  readonly nodes: readonly SurveyNode[]
  readonly enis: readonly SurveyEni[]
  /** Ids of ENIs and tokens of creations that intents were about since the answer may be from; not to be judged. */
  readonly touched: ReadonlySet<string>
  /** ENIs with our tag, and those of the ledger that have lost it. */
  readonly cloud: readonly CloudEni[]
  /** With our tag; undefined where they cannot be seen. */
  readonly reservations: readonly SurveyReservation[] | undefined
  /** Static ones. */
  readonly claims: readonly SurveyClaim[]
  /** Pods that Kubernetes shows. */
  readonly pods: readonly PodFact[]
  readonly kube: {
    readonly nodes: ReadonlySet<NodeName>
    readonly instances: ReadonlySet<InstanceId>
    /** Nodes that the API server, asked just now, does not have. */
    readonly absent: ReadonlySet<NodeName>
    /** Nodes whose NEC differs from the ledger, and how. */
    readonly necs: ReadonlyMap<NodeName, string>
  }
  /** Blocks of the container subnets and of those that ENIs of ours are in. */
  readonly cidrs: ReadonlyMap<SubnetId, Cidr>
}

export interface SurveyPolicy {
  /** How long an answer of the cloud may lag. */
  readonly staleFor: Millis
  /** When most ENIs are missing at once the view is hardly the truth (wrong region, account or endpoint): believed only after so long. */
  readonly massLossAfter: Millis
}

/** What is done once it is confirmed. */
export type SurveySettlement =
  | {
      readonly kind: 'adopt-eni'
      readonly eni: CloudEni
      readonly cidr: Cidr
      readonly slot: number
      readonly mode: EniMode
      readonly state: 'attached' | 'available'
      readonly goal: 'serve' | 'delete'
      readonly node: NodeName
      /** Set when the ledger does not have the node: it is entered as one that leaves. */
      readonly formerInstance: InstanceId | undefined
    }
  | {
      readonly kind: 'adopt-ip'
      readonly eni: number
      readonly address: Ipv4
      readonly node: NodeName
    }
  | {
      /** Reserved for a pod that has no claim, and on an ENI all the same: off it, its reservation can be released. */
      readonly kind: 'unassign-ip'
      readonly address: Ipv4
      readonly eni: number
      readonly eniId: EniId
      readonly node: NodeName
    }
  | {
      readonly kind: 'drop-ip'
      readonly address: Ipv4
      readonly eniId: EniId
      readonly node: NodeName
      readonly pod: SurveyIp['pod']
    }
  | {
      readonly kind: 'correct-eni'
      readonly eni: number
      readonly eniId: EniId
      readonly state: 'attached' | 'available'
      readonly node: NodeName
    }
  | {
      readonly kind: 'forget-eni'
      readonly eni: number
      readonly eniId: EniId
      readonly node: NodeName
      readonly ips: readonly SurveyIp[]
    }
  | {
      /** Of no claim. */
      readonly kind: 'release-reservation'
      readonly id: string
      readonly vpcId: string
      readonly address: Ipv4
      readonly node: undefined
    }
  | {
      readonly kind: 'lose-reservation'
      readonly claim: SurveyClaim
      readonly node: NodeName | undefined
    }
  | {
      readonly kind: 'find-reservation'
      readonly claim: SurveyClaim
      readonly id: string
      readonly token: string | undefined
      readonly node: NodeName | undefined
    }

/** A finding with what settles it once it is confirmed; undefined: a person, or time, must. */
export interface Judgement extends Finding {
  readonly settle: SurveySettlement | OrphanCase | undefined
}

/** An orphan whose place is chosen when it is settled: what was adopted just before takes places too. */
export interface OrphanCase {
  readonly kind: 'orphan'
  readonly eni: CloudEni
  readonly node: NodeName
  readonly formerInstance: InstanceId | undefined
}

export interface Judgements {
  readonly found: readonly Judgement[]
  /** Subjects that were not judged: what is suspected of them stays so. */
  readonly unjudged: ReadonlySet<string>
}

export interface SurveyPlan {
  /** All that is in quarantine from now on. */
  readonly suspects: readonly Suspect[]
  readonly settlements: readonly SurveySettlement[]
  /** Another view is wanted soon. */
  readonly again: boolean
}
