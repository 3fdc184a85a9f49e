// The words of the product. Pure data: what the leader and the node agent know and decide on.
import type { Cidr } from '../value/cidr.ts'
import type { Ipv4 } from '../value/ipv4.ts'
import type { Mac } from '../value/mac.ts'
import type { Millis } from '../value/millis.ts'
import type { EipFault, EipWish } from './eip-wish.ts'

export type NodeName = string
export type EniId = string
export type SubnetId = string
export type InstanceId = string
export type EipId = string
export type PodUid = string

export interface PodName {
  readonly namespace: string
  readonly name: string
}

/** Warm pool bounds: pods + minWarm <= bound <= pods + maxWarm (P1). */
export interface WarmTargets {
  readonly minWarm: number
  readonly maxWarm: number
}

/** What an instance can carry: ENIs for pods (the primary ENI not counted) and pod addresses per ENI (its primary not counted). */
export interface EniLimits {
  readonly maxEnis: number
  readonly ipsPerEni: number
  /** The kubelet runs no more pods; undefined when that is not known. */
  readonly maxPods?: number
}

/** Whether an ENI's secondary addresses go to many pods (tke-route-eni), or the ENI itself to one pod (tke-direct-eni). */
export type EniMode = 'shared' | 'exclusive'

export const eniModes: readonly EniMode[] = ['shared', 'exclusive']

/** What one pool of a node may hold: addresses on shared ENIs, or whole ENIs, of which each carries one address (X2). */
export interface PoolBounds extends WarmTargets, EniLimits {}

/** Both pools of a node; their maxima are counted apart (X3). */
export interface NodeBounds {
  readonly shared: PoolBounds
  readonly exclusive: PoolBounds
  /** ENIs that the instance takes beside its own, of both kinds together. */
  readonly instanceEnis: number
}

/** Settings that are fixed for a node when it is first seen (P9). */
export interface NodeDefaults {
  readonly shared: WarmTargets
  readonly exclusive: WarmTargets
}

/** What annotations of the NEC set (P6, P8). */
export interface NodeOverrides {
  readonly sharedWarm?: WarmTargets
  readonly exclusiveWarm?: WarmTargets
  readonly maxSharedEnis?: number
  readonly maxIpsPerEni?: number
  readonly maxExclusiveEnis?: number
}

/** What is in force on a node, and what it comes from. */
export interface NodeTerms extends NodeBounds {
  readonly defaults: NodeDefaults
  /** As last found to be right (P7). */
  readonly overrides: NodeOverrides
}

/** A node as the ledger has it, for what is decided and published about it. */
export interface LedgerNodeView extends NodeTerms {
  readonly name: NodeName
  readonly instanceId: InstanceId
  readonly zone: string
}

// ---- what Kubernetes says -------------------------------------------------------------------

export interface NodeFact {
  readonly name: NodeName
  readonly uid: string
  /** The CVM behind the node; undefined until the cloud controller has set it. */
  readonly instanceId: InstanceId | undefined
  /** Pods that its kubelet runs at most; undefined when it does not say. */
  readonly maxPods: number | undefined
  /** Carries the taint that keeps pods away until it has addresses for them (K5). */
  readonly unavailable: boolean
  /** By which the scheduler knows its zone, in words of the cluster's own. */
  readonly zoneLabel?: string | undefined
}

/** A pod reduced to what we use. */
export interface PodFact extends PodName {
  readonly uid: PodUid
  readonly node: NodeName | undefined
  readonly hostNetwork: boolean
  /** Phase Succeeded or Failed: its containers will not run again. */
  readonly terminal: boolean
  /** Has a deletion timestamp. */
  readonly deleting: boolean
  /** What it asks for by resource, annotation, or as the cluster's default network (P18); undefined: nothing of ours. */
  readonly wants: EniMode | undefined
  readonly ip: Ipv4 | undefined
  /** Its address outlives it, for the next pod of its name (S4); what its annotations say wrong does not count. */
  readonly keepsIp: boolean
  /** Only of pods that say something of their address. */
  readonly claim?: PodClaim
  /** Only of pods that ask for a public address. */
  readonly eip?: PodEip
  /** Which its annotation says that it has; only of pods where there is one. */
  readonly publicIp?: string
}

/** What a pod's annotations say of a public address; `fault`: why it gets none. */
export type PodEip =
  | {
      readonly wish: EipWish
      /** The workload that made it, of one that keeps its EIP. */
      readonly owner?: OwnerRef
    }
  | EipFault

/** What a pod's annotations say of its address, beyond `keepsIp`. What is not said, or said wrong, is not there. */
export interface PodClaim {
  /** What is wrong: which annotation, its value, what is wanted. Continues "Cannot apply ". */
  readonly fault?: string
  /** What of it is said wrong, and is for a kept address as it was before. */
  readonly unclear?: readonly ('policy' | 'expireAfter')[]
  /** Its address is kept so long after it (S12). */
  readonly expireAfter?: Millis
  /** The address that it asks for. */
  readonly nominatedIp?: Ipv4
  /** The subnets that its address is to be of. */
  readonly nominatedSubnets?: readonly SubnetId[]
  /** The workload that made it, of one that keeps its address. */
  readonly owner?: OwnerRef
}

/** A workload, as an owner reference names it. */
export interface OwnerRef {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly uid: string
}

// ---- NEC: the only channel between leader and node agent ------------------------------------

/** One binding of an address. `grant` rises with each, so that an old return never touches a new binding. */
export interface GrantedIp {
  readonly address: Ipv4
  readonly grant: number
}

/** One address of the pool. */
export interface PublishedIp extends GrantedIp {
  /** It is for the pod of that name, and for no other. Of shared ENIs only. */
  readonly claim?: PublishedClaim
  /** An EIP is on it, or comes to it, for the pod of this uid: no other of the pool gets it. Empty: for a pod that has gone. */
  readonly eipFor?: PodUid
}

/** With what no reservation's tags say of it: a leader without a ledger would not know it otherwise. */
export interface PublishedClaim extends PodName {
  /** Kept so long after its pod. */
  readonly expireAfter?: Millis
  /** It goes with this workload (S7). */
  readonly owner?: OwnerRef
}

export interface PublishedEni {
  readonly id: EniId
  readonly mac: Mac
  readonly primaryIp: Ipv4
  readonly subnetId: SubnetId
  readonly subnetCidr: Cidr
  readonly gateway: Ipv4
  /** Position on the node, from 1. */
  readonly slot: number
  readonly mode: EniMode
  /** What pods may get: of an exclusive ENI its primary address, and no other. Claimed ones come last. */
  readonly ips: readonly PublishedIp[]
  /** Claims wait for places: idle addresses of the pool beyond so many are to be given back. Absent: none are. */
  readonly mostOfPool?: number
}

export interface Condition {
  readonly type: string
  readonly status: 'True' | 'False' | 'Unknown'
  readonly reason: string
  readonly message: string
  readonly lastTransitionTime: string
}

/** The leader's half of a NEC: spec, status.eniInfos and status.conditions. */
export interface NecPublication extends NodeTerms {
  /** Of the leader's term: what an earlier leader says is void. */
  readonly epoch: number
  readonly instanceId: InstanceId
  readonly zone: string
  /** The leader serves pods that keep their addresses (S1). */
  readonly staticIps: boolean
  /** EIPs that pods of the node can have (E5); 0 when that is not known. */
  readonly eips: number
  readonly enis: readonly PublishedEni[]
  readonly conditions: readonly Condition[]
}

/** How much of a node's pools pods use: maxima are never set below it (P8). */
export interface NodeUse {
  /** Addresses of shared ENIs that pods have. */
  readonly inUse: number
  /** Shared ENIs with such addresses. */
  readonly enisInUse: number
  /** Most such addresses on one ENI. */
  readonly mostInUse: number
  /** Exclusive ENIs that pods have. */
  readonly exclusiveInUse: number
}

/** The agent's half of a NEC: status.node. */
export interface NodeReport extends NodeUse {
  /** Drained and unallocatable on the node: the leader may unassign them. */
  readonly returned: readonly GrantedIp[]
  readonly idle: number
  readonly exclusiveIdle: number
  /** Idle addresses of shared ENIs that no pod can get: their link does not appear, or somebody unknown may have them. */
  readonly withheld: number
  /** Idle exclusive ENIs that no pod can get. */
  readonly exclusiveWithheld: number
  /** ENIs with idle addresses whose link does not appear. */
  readonly unlinked: readonly EniId[]
  /** Identity of the agent's database: a new one means that the old pool state is gone. */
  readonly databaseId: string
  readonly version: string
}

export interface Nec {
  readonly name: NodeName
  readonly uid: string
  readonly annotations: Readonly<Record<string, string>>
  /** undefined until the leader has published, or when the fields are not readable. */
  readonly publication: NecPublication | undefined
  readonly report: NodeReport | undefined
  /** Why a part could not be read; undefined when all is well. */
  readonly fault: string | undefined
}

// ---- what the cloud says --------------------------------------------------------------------

export interface CloudIp {
  readonly address: Ipv4
  readonly state: 'pending' | 'available' | 'migrating' | 'deleting'
}

export interface CloudEni {
  readonly id: EniId
  readonly name: string
  readonly subnetId: SubnetId
  readonly mac: Mac
  /** The API keeps AVAILABLE while attached: attached means available with an `instanceId`. */
  readonly state: 'pending' | 'available' | 'attaching' | 'detaching' | 'deleting'
  readonly primary: boolean
  readonly instanceId: InstanceId | undefined
  readonly primaryIp: Ipv4
  readonly ips: readonly CloudIp[]
  readonly tags: Readonly<Record<string, string>>
}

export interface CloudSubnet {
  readonly id: SubnetId
  readonly vpcId: string
  readonly cidr: Cidr
  readonly zone: string
  readonly available: number
}

export interface CloudInstance {
  readonly id: InstanceId
  readonly zone: string
  readonly vpcId: string
  readonly instanceType: string
  readonly cpus: number
  readonly state: string
  /** Addresses of the primary ENI. */
  readonly addresses: readonly Ipv4[]
}

/** Quotas of an instance as the API counts them: the primary ENI and each ENI's primary address included. */
export interface CloudEniQuota {
  readonly enis: number
  readonly ipsPerEni: number
}

/** Whose line a public address is on: the common one, or that of one operator. */
export type Isp = 'BGP' | 'CMCC' | 'CTCC' | 'CUCC'

export const isps: readonly Isp[] = ['BGP', 'CMCC', 'CTCC', 'CUCC']

/** `bound_to_loose_eni`: to an address whose ENI is on no instance. */
export type EipState =
  | 'creating'
  | 'unbound'
  | 'binding'
  | 'bound'
  | 'unbinding'
  | 'bound_to_loose_eni'
  | 'releasing'

/** A public address of the account. */
export interface CloudEip {
  readonly id: EipId
  /** undefined while it is being made. */
  readonly address: Ipv4 | undefined
  readonly state: EipState
  /** What it is bound to, or on its way to or from: an address of an ENI, as a rule; else something of another product. */
  readonly eniId: EniId | undefined
  readonly privateIp: Ipv4 | undefined
  /** Of the ENI; or whatever else it is bound to (a NAT gateway, a load balancer). */
  readonly instanceId: string | undefined
  /** In Mbps. Both are undefined in accounts of the old kind, where they belong to the instance. */
  readonly bandwidth: number | undefined
  readonly chargeType: string | undefined
  readonly isp: string
  /** Money is owed: it cannot be bound, and carries nothing. */
  readonly arrears: boolean
  /** Closed by the cloud, after an attack as a rule: as above. */
  readonly blocked: boolean
  readonly name: string
  readonly tags: Readonly<Record<string, string>>
}

/** So much of a quota is used, of so much. */
export interface Quota {
  readonly used: number
  readonly limit: number
}

/** Of the account in the region. `daily`: applications of today, releasing gives none back. Those of one operator's line apart, where there are any. */
export interface CloudEipQuota {
  readonly total: Quota
  readonly daily: Quota
  readonly singleLineTotal: Quota | undefined
  readonly singleLineDaily: Quota | undefined
}

// ---- the node's kernel ----------------------------------------------------------------------

export interface Link {
  readonly name: string
  readonly index: number
  readonly mac: Mac | undefined
  readonly up: boolean
  /** Only a survey tells them. */
  readonly addresses?: readonly Ipv4[]
}

/** What one shared ENI needs on the node. */
export interface EniWiring {
  readonly mac: Mac
  readonly primaryIp: Ipv4
  readonly subnetCidr: Cidr
  readonly gateway: Ipv4
}

/** What one pod needs: a veth born in its network namespace, a route to it, and rules for its packets. */
export interface PodWiring {
  readonly address: Ipv4
  /** The ENI that carries the address. */
  readonly eniMac: Mac
  /** Path of the pod's network namespace. */
  readonly netns: string
  /** Name inside the pod, as CNI_IFNAME says. */
  readonly ifname: string
  readonly hostLink: string
  readonly mtu: number
  /** What tells whose the host link is (link-identity.ts); given a while after the link is made. */
  readonly alias?: string | undefined
}

/** What a pod needs that has an ENI of its own: the ENI's link itself, in its network namespace, as a machine would have it. */
export interface ExclusiveWiring {
  readonly mac: Mac
  /** The ENI's primary address. */
  readonly address: Ipv4
  readonly subnetCidr: Cidr
  readonly gateway: Ipv4
  /** Path of the pod's network namespace. */
  readonly netns: string
  /** Name inside the pod, as CNI_IFNAME says. */
  readonly ifname: string
  readonly mtu: number
  /** What tells whose the ENI is (link-identity.ts). */
  readonly alias?: string | undefined
}

export interface PodLink {
  readonly podMac: Mac
  readonly hostMac: Mac
}

export interface Rule {
  readonly priority: number
  readonly from?: Ipv4
  readonly to?: Ipv4
  readonly table: number
}

export interface Route {
  readonly table: number
  /** "default", an address or a block. */
  readonly to: string
  readonly via?: Ipv4
  readonly dev: string
}

/** Everything of ours in the node's own network namespace, and the sysctls we keep. */
export interface KernelSurvey {
  readonly links: readonly Link[]
  readonly rules: readonly Rule[]
  readonly routes: readonly Route[]
  /** Host ends of pod links of ours. */
  readonly podLinks: readonly { readonly name: string; readonly up: boolean; readonly alias?: string }[]
  readonly sysctls: Readonly<Record<string, string>>
}

export type KernelChange =
  | { readonly kind: 'set-up-eni'; readonly eni: EniWiring; readonly link: string }
  /** An exclusive ENI that nobody has: down, without addresses and routes of whoever had it. */
  | { readonly kind: 'clean-eni'; readonly mac: Mac; readonly link: string }
  | { readonly kind: 'add-rule' | 'remove-rule'; readonly rule: Rule }
  | { readonly kind: 'add-route' | 'remove-route'; readonly route: Route }
  | { readonly kind: 'remove-link'; readonly link: string }
  | { readonly kind: 'raise-link'; readonly link: string }
  | { readonly kind: 'name-link'; readonly link: string; readonly alias: string }
  | { readonly kind: 'set-sysctl'; readonly key: string; readonly value: string }

// ---- events ---------------------------------------------------------------------------------

/** A Kubernetes Event: a stable reason an alert can match, and a sentence for a person (K3). */
export interface Notice {
  readonly about: {
    readonly kind: 'Pod' | 'Node' | 'NodeENIConfig'
    readonly name: string
    readonly namespace?: string
    readonly uid?: string
  }
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
}
