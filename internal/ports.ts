// Every contract with the outside, in domain words; types only. Production adapters and their
// twins in the simulation implement these, and one contract suite per port holds both to them.
import type { LocalIp } from './ipam/choose-address.ts'
import type { Claim, ClaimChange, ClaimPhase } from './ipam/claim.ts'
import type { EipClaim, EipClaimChange } from './ipam/eip-claim.ts'
import type { EniInPod } from './ipam/link-identity.ts'
import type { NodeQuota } from './ipam/node-bounds.ts'
import type { Action } from './ipam/plan-node.ts'
import type { Quarantined } from './ipam/plan-quarantine.ts'
import type { SyncChange } from './ipam/plan-sync.ts'
import type { NodePool } from './ipam/pool.ts'
import type { Suspect } from './ipam/quarantine.ts'
import type { Intent } from './ipam/settle-intent.ts'
import type { SurveyClaim, SurveyEni } from './ipam/survey.ts'
import type {
  CloudEip,
  CloudEipQuota,
  CloudEni,
  CloudEniQuota,
  CloudInstance,
  CloudSubnet,
  EipId,
  EniId,
  EniMode,
  ExclusiveWiring,
  InstanceId,
  Isp,
  KernelChange,
  KernelSurvey,
  LedgerNodeView,
  Link,
  Nec,
  NecPublication,
  NodeFact,
  NodeName,
  NodeReport,
  NodeTerms,
  Notice,
  OwnerRef,
  PodFact,
  PodLink,
  PodName,
  PodUid,
  PodWiring,
  PublishedEni,
  SubnetId,
} from './ipam/types.ts'
import type { Cidr } from './value/cidr.ts'
import type { Ipv4 } from './value/ipv4.ts'
import type { Millis } from './value/millis.ts'

// ---- Tencent Cloud --------------------------------------------------------------------------

/** Who waits for a call; a lower one is sent first when calls queue for their rate limit. */
export type Priority = 'waiting-pod' | 'warm-refill' | 'release' | 'collect'

export interface CreateEni {
  readonly name: string
  readonly description: string
  readonly subnetId: SubnetId
  readonly securityGroups: readonly string[]
  readonly secondaryIps: number
  readonly tags: Readonly<Record<string, string>>
  /** At most 64 ASCII characters; the same token gives the same ENI. */
  readonly clientToken: string
}

export type EniQuery =
  | { readonly ids: readonly EniId[] }
  | { readonly tags: Readonly<Record<string, string>> }

/**
 * The VPC and CVM APIs. Mutations are asynchronous: they return once accepted, and describing shows when they are done.
 * Every method throws IpamError; `unknown_outcome` when it may have happened.
 */
export interface Cloud {
  /** Unknown ids are simply not in the answer. Not ordered. */
  describeEnis(query: EniQuery, priority: Priority): Promise<readonly CloudEni[]>
  describeSubnets(ids: readonly SubnetId[], priority: Priority): Promise<readonly CloudSubnet[]>
  describeInstances(ids: readonly InstanceId[], priority: Priority): Promise<readonly CloudInstance[]>
  describeEniQuota(instance: InstanceId, priority: Priority): Promise<CloudEniQuota>
  /** The ENI as accepted, still pending. */
  createEni(request: CreateEni, priority: Priority): Promise<CloudEni>
  attachEni(
    request: { eni: EniId; instance: InstanceId; clientToken: string },
    priority: Priority,
  ): Promise<void>
  /** EIPs on it stay: bound to a loose ENI. */
  detachEni(
    request: { eni: EniId; instance: InstanceId; clientToken: string },
    priority: Priority,
  ): Promise<void>
  deleteEni(eni: EniId, priority: Priority): Promise<void>
  /**
   * The addresses chosen by the VPC, known at once, usable when available. With `addresses` exactly these, at most 10, and `count` is
   * their number. Throws `conflict` when somebody else has one of them.
   */
  assignIps(
    request: { eni: EniId; count: number; addresses?: readonly Ipv4[]; clientToken: string },
    priority: Priority,
  ): Promise<readonly Ipv4[]>
  /** At most 10 addresses a call. EIPs on them are unbound with it. */
  unassignIps(request: { eni: EniId; addresses: readonly Ipv4[] }, priority: Priority): Promise<void>
  /**
   * One secondary address to another ENI of the same subnet; asynchronous as the others, and without a token. No page says whether an EIP
   * goes with it, or is unbound: unbind it before.
   */
  migrateIp(request: { from: EniId; to: EniId; address: Ipv4 }, priority: Priority): Promise<void>
  /**
   * Keeps an address of the subnet from everybody but who assigns exactly it; synchronous. Throws `denied` where the role may not,
   * `conflict` when the address is reserved or an ENI has it, `subnet_full`. A token brings its reservation again, even a released one.
   */
  reserveIp(request: ReserveIp, priority: Priority): Promise<Reservation>
  /** By ids, addresses or tags. Unknown ones are simply not in the answer. Not ordered. */
  describeReservations(query: ReservationQuery, priority: Priority): Promise<readonly Reservation[]>
  /** Throws `invalid_state` while an ENI has the address, `not_found` when it is released already. */
  releaseReservation(request: { id: string; vpcId: string }, priority: Priority): Promise<void>
  /**
   * One public address, being made: `describeEips` shows when it is there, or gone again. A token brings its EIP again, even a released
   * one, and after a failure `cloud_fault`: then it takes another token. Throws `eip_quota` (of the account, or of the day),
   * `no_address` where the line has none left, `arrears`, `bad_input` and `denied`.
   */
  allocateEip(request: AllocateEip, priority: Priority): Promise<EipId>
  /** Unknown ones are simply not in the answer. Not ordered. Throws `denied`. */
  describeEips(query: EipQuery, priority: Priority): Promise<readonly CloudEip[]>
  /**
   * To an address that the ENI has. There is no token: after `unknown_outcome` `describeEips` says what became of it. Throws `not_found`
   * without such an EIP; `invalid_state` when it is not unbound or is blocked, or the ENI is not there, not with that address, or on its
   * way; `conflict` when the address has another EIP; `eip_quota` when the instance may have no more; `arrears`; `denied`.
   */
  associateEip(
    request: { readonly eip: EipId; readonly eni: EniId; readonly privateIp: Ipv4 },
    priority: Priority,
  ): Promise<void>
  /** As `associateEip` without a token. Throws `not_found`; `invalid_state` when it is not bound; `denied`. */
  disassociateEip(eip: EipId, priority: Priority): Promise<void>
  /** For ever: the public address is lost. Throws `not_found`; `invalid_state` when it is bound, or protected; `eip_quota`, `denied`. */
  releaseEip(eip: EipId, priority: Priority): Promise<void>
  /** What an instance may have no call tells: see ipam/eip-quota.ts. */
  describeEipQuota(priority: Priority): Promise<CloudEipQuota>
}

export interface AllocateEip {
  /** In Mbps. */
  readonly bandwidth: number
  readonly chargeType: string
  readonly isp: Isp
  readonly name: string
  readonly tags: Readonly<Record<string, string>>
  /** More parameters of AllocateAddresses in the API's own words; those above win over them. */
  readonly raw: Readonly<Record<string, unknown>>
  readonly clientToken: string
}

/** `eni`: all that are on it, or on their way there or from there. */
export type EipQuery =
  | { readonly ids: readonly EipId[] }
  | { readonly tags: Readonly<Record<string, string>> }
  | { readonly eni: EniId }

export interface ReserveIp {
  readonly subnetId: SubnetId
  /** undefined: the VPC chooses. */
  readonly address: Ipv4 | undefined
  readonly name: string
  readonly description: string
  readonly tags: Readonly<Record<string, string>>
  readonly clientToken: string
}

export type ReservationQuery =
  | { readonly ids: readonly string[] }
  | { readonly addresses: readonly Ipv4[]; readonly subnetId: SubnetId }
  | { readonly tags: Readonly<Record<string, string>> }

/** An address of the VPC that only who names it may assign. */
export interface Reservation {
  readonly id: string
  readonly vpcId: string
  readonly subnetId: SubnetId
  readonly address: Ipv4
  /** Has an ENI the address now, or is it on its way there or from there? */
  readonly bound: boolean
  readonly tags: Readonly<Record<string, string>>
}

// ---- Kubernetes -----------------------------------------------------------------------------

/** Receives a list and then its changes, for ever; after a gap `replaced` comes again. */
export interface Feed<T> {
  /** The whole truth as of one list. */
  replaced(items: readonly T[]): void
  changed(item: T): void
  removed(item: T): void
}

export type Stop = () => void

export type WorkloadKind = Pick<OwnerRef, 'apiVersion' | 'kind'>

/** Any object that makes pods, or others that do, by its metadata alone. */
export interface Workload extends OwnerRef {
  /** undefined: it is the cluster's. */
  readonly namespace: string | undefined
  /** What made it and answers for it, in turn. */
  readonly controller: OwnerRef | undefined
}

/** What the leader needs of Kubernetes. Writers never overlap: it writes NEC spec, status.eniInfos and status.conditions. */
export interface LeaderKube {
  watchNodes(feed: Feed<NodeFact>): Stop
  watchPods(feed: Feed<PodFact>): Stop
  watchNecs(feed: Feed<Nec>): Stop
  /** A fresh answer of the API server, past every cache: undefined when there is no such node. */
  getNode(name: NodeName): Promise<NodeFact | undefined>
  /** As `getNode`. Throws `denied` where the role may only list. */
  getPod(pod: PodName): Promise<PodFact | undefined>
  /** As `getNode`. */
  getNec(name: NodeName): Promise<Nec | undefined>
  /** Creates the NEC when it is missing, then merges the leader's fields into it. Throws `deposed` when a leader of a later epoch has written it. */
  publishNec(name: NodeName, publication: NecPublication): Promise<void>
  /** Nothing when there is none. Throws as `publishNec`. */
  deleteNec(name: NodeName, epoch: number): Promise<void>
  /** Puts the taint of `NodeFact.unavailable` on the node, or takes it off; other taints stay as they are. Nothing when there is no such node. */
  setUnavailable(name: NodeName, unavailable: boolean): Promise<void>
  /** Writes the public address of a pod into its annotation, or takes it out. Nothing when that pod is gone. */
  setPublicIp(pod: PodName & { readonly uid: PodUid }, address: Ipv4 | undefined): Promise<void>
  /**
   * As `getNode`; `namespace` counts where its kind has one, and the version of `ref` only as long as it is served. Throws `denied`, and
   * `not_found` when the API server does not serve the kind.
   */
  getWorkload(ref: Omit<OwnerRef, 'uid'>, namespace: string): Promise<Workload | undefined>
  /** All of one kind, in every namespace; `trouble` hears whenever that fails. */
  watchWorkloads(kind: WorkloadKind, feed: Feed<Workload>, trouble: (error: Error) => void): Stop
  /**
   * Has the cluster's ip-masq-agent leave packets from exactly these addresses as they are, beside those that others have told it of: what
   * was said here before of other addresses is taken back, and all else in its ConfigMap stays. `create`: one is made where there is none.
   * Throws `bad_input` when what is there cannot be edited, `denied`.
   */
  keepSources(addresses: readonly Ipv4[], options: { readonly create: boolean }): Promise<SourceKeeping>
  /** What the API server's clock says, to a second: another machine's, as a rule. */
  serverTime(): Promise<Millis>
  /** Fire and forget: repeated ones are counted, failures are logged, nothing waits. */
  notify(notice: Notice): void
}

/** `absent`: nobody has told an ip-masq-agent anything. */
export type SourceKeeping = 'kept' | 'absent'

/** Who leads, as the API server keeps it for all candidates. */
export interface LeaseRecord {
  /** undefined: nobody leads, and whoever comes first may. */
  readonly holder: string | undefined
  /** The holder must be left alone for so long since its last write. */
  readonly duration: Millis
  /** The epoch: rises whenever somebody begins to lead. */
  readonly epoch: number
  /** Which ledger the holder works with; undefined when no one has said yet. */
  readonly ledgerId: string | undefined
}

export interface StoredLease extends LeaseRecord {
  /** Another one after each write, whoever wrote. */
  readonly version: string
}

/** One record that candidates read and write; nobody compares the times in it with a clock. */
export interface LeaseStore {
  /** Past every cache. undefined: there is none. Throws `unavailable`, `denied`. */
  read(): Promise<StoredLease | undefined>
  /** Replaces the record that has `version`, or makes it when `version` is undefined. Throws `conflict` when it has changed (or is there) already, `not_found` when it is gone. */
  write(next: LeaseRecord, version: string | undefined): Promise<StoredLease>
}

/** What a node agent needs of Kubernetes: its own NEC, and the pods of its own node. */
export interface NodeKube {
  watchNec(feed: Feed<Nec>): Stop
  watchPods(feed: Feed<PodFact>): Stop
  /** Merges status.node of this node's NEC. */
  report(report: NodeReport): Promise<void>
  notify(notice: Notice): void
}

/** How much of something a node has, for the scheduler. */
export interface ResourceCounts {
  /** As much as there may ever be. */
  readonly capacity: number
  /** As much as pods can have now, in use or not. */
  readonly allocatable: number
}

/** The kubelet of this node, which shows in the Node what pods may ask for by name. It may come, go and come back as it likes. */
export interface Kubelet {
  /** The node has so much of the resource, from now on. */
  offer(resource: string, counts: ResourceCounts): void
  /** The node has nothing of it any more. Nothing when it was not offered. */
  withdraw(resource: string): Promise<void>
  /** Withdraws everything. */
  close(): Promise<void>
}

// ---- Linux ----------------------------------------------------------------------------------

/** Links, routes, rules, sysctls and namespaces of one node. All throw IpamError 'kernel'. */
export interface Linux {
  links(): Promise<readonly Link[]>
  survey(): Promise<KernelSurvey>
  /** In order; idempotent one by one (what is already so is no fault). */
  apply(changes: readonly KernelChange[]): Promise<void>
  /** Idempotent: an existing link of the same name and namespace is kept. Throws when the namespace is gone. */
  connectPod(wiring: PodWiring): Promise<PodLink>
  /** Idempotent, also when namespace or link are gone already. */
  disconnectPod(wiring: Pick<PodWiring, 'address' | 'hostLink'>): Promise<void>
  /** What is not as connectPod left it; empty when all is well. */
  inspectPod(wiring: PodWiring): Promise<readonly string[]>
  /** Moves the ENI's link into the pod's namespace. Idempotent: an ENI that is there already is kept. Throws when link or namespace is gone. */
  giveEni(wiring: ExclusiveWiring): Promise<void>
  /** Brings the ENI's link back into the node's namespace, clean. Idempotent, also when the namespace is gone: then the kernel has brought it back. */
  takeEni(wiring: Pick<ExclusiveWiring, 'mac' | 'netns' | 'ifname'>): Promise<void>
  /** What is not as giveEni left it; empty when all is well. */
  inspectEni(wiring: ExclusiveWiring): Promise<readonly string[]>
  /** ENIs that are in namespaces of the runtime and say whose they are. */
  findEnis(): Promise<readonly EniInPod[]>
  namespaceExists(netns: string): Promise<boolean>
}

// ---- the leader's ledger --------------------------------------------------------------------

export interface LedgerNode extends LedgerNodeView {
  readonly uid: string
  readonly phase: 'active' | 'leaving'
  readonly quota: NodeQuota
}

/** What of a node may change while it is there. */
export type NodeChange = Omit<NodeTerms, 'defaults'> & Pick<LedgerNode, 'quota'>

/** SQLite as the state: each read answers from the file, each change is one transaction on disk before it is answered. */
export interface LeaderLedger {
  /** All changes of `change` or none; shares a commit with what else arrives in this turn. Throws `conflict`, `storage`. */
  write<T>(change: (tx: LeaderTx) => T): Promise<T>
  nodes(): readonly LedgerNode[]
  node(name: NodeName): LedgerNode | undefined
  pool(name: NodeName): NodePool | undefined
  /** ENIs that serve, with their bound addresses, and parked ones that leave: what a NEC shows. */
  publishedEnis(name: NodeName): readonly PublishedEni[]
  /** Not yet resolved, oldest first. */
  openIntents(): readonly Intent[]
  /** Every address in the ledger on this ENI. */
  addressesOf(eni: number): ReadonlySet<Ipv4>
  /** Addresses that were taken off this ENI since then. */
  leftSince(eni: number, since: Millis): ReadonlySet<Ipv4>
  /** The node that has the address by the ledger, in whatever state. */
  nodeOf(address: Ipv4): NodeName | undefined
  /** Of which pool of its node the address is. */
  modeOf(address: Ipv4): EniMode | undefined
  /** The pod seen on each bound address of the ledger that has one. */
  podAddresses(): ReadonlyMap<Ipv4, PodUid>
  /** Does it hold what there is? A new one does not: it is rebuilt before it serves. */
  complete(): boolean
  /** Of every ENI that has one. */
  eniIds(): readonly EniId[]
  /** Every ENI with its addresses, for a survey. */
  allEnis(): readonly SurveyEni[]
  /** Ids of ENIs and tokens of creations that intents are about: open ones, and those that changed since `from`. */
  touchedSince(from: Millis): ReadonlySet<string>
  suspects(): readonly Suspect[]
  claim(pod: PodName): Claim | undefined
  /** The one that has the address. */
  claimOf(address: Ipv4): Claim | undefined
  /** Static ones whose pod is on the node, or whose address is on one of its ENIs. */
  placedClaims(node: NodeName): readonly PlacedClaim[]
  claimsWhere(phase: ClaimPhase): readonly Claim[]
  /** As `claimsWhere`, their names alone: there may be very many. */
  claimNames(phase: ClaimPhase): readonly PodName[]
  /** Retained ones whose time does not run: of all of them, or of those only that say how long they are kept. */
  untimedClaims(of: 'all' | 'own'): readonly PodName[]
  /** For a survey. */
  staticClaims(): readonly SurveyClaim[]
  /** Claims to public addresses. */
  readonly eips: LedgerEips
  /** Workloads that claims go with, of addresses and of EIPs, each once. */
  owners(): readonly OwnerRef[]
  claimsOfOwner(uid: string): readonly Claim[]
  /** Static ones of pods on the node that have no address, and none on its way. */
  waitingClaims(node: NodeName): readonly Claim[]
  hasStaticClaims(): boolean
  /** Static ones with an address that no reservation keeps; those that are being released apart. */
  unreservedClaims(): readonly Claim[]
  /** Whose time is over, by the ledger's own clock: of those the first `limit`. */
  expiredClaims(limit: number): readonly Claim[]
  /** Is there one, of addresses or of EIPs, whose time will be over? */
  claimsExpire(): boolean
  expiryClock(): ExpiryClock
  /** Why nothing can be stored now (a full disk); undefined when it can. */
  obstacle(): string | undefined
}

/** By which claims expire: it goes on while leaders run, and by what is certain to have passed between two. */
export interface ExpiryClock {
  /** Milliseconds that leaders have seen pass. */
  readonly now: Millis
  /** When both clocks were last read, and what this one said then; undefined while nothing is waiting to expire. */
  readonly mark: { readonly server: Millis; readonly local: Millis; readonly now: Millis } | undefined
}

/** A static claim, and the node on one of whose ENIs its address is by the ledger, or is being put. */
export interface PlacedClaim extends Claim {
  readonly placedOn: NodeName | undefined
  /** Its key; undefined while it is being put there. */
  readonly placedEni: number | undefined
}

/** A claim of a pod that has none; it is `Pending`. */
export type NewClaim = PodName &
  Pick<
    Claim,
    | 'uid'
    | 'ipUid'
    | 'policy'
    | 'mode'
    | 'nominatedAddress'
    | 'nominatedSubnets'
    | 'expireAfter'
    | 'reserveToken'
    | 'owner'
  > & { readonly podUid: PodUid; readonly node: NodeName }

/** A static claim that is made anew, from what is left of it; it is `Retained`. */
export type FoundClaim = PodName &
  Pick<
    Claim,
    | 'uid'
    | 'ipUid'
    | 'subnetId'
    | 'zone'
    | 'eniId'
    | 'reservation'
    | 'reserveToken'
    | 'expireAfter'
    | 'expiresAt'
    | 'owner'
  > & { readonly address: Ipv4 }

export interface LedgerEips {
  claim(pod: PodName): EipClaim | undefined
  /** The one whose EIP it is. */
  ofEip(eip: EipId): EipClaim | undefined
  /** The one that holds the address of a pod: it may not be taken off its ENI. */
  onAddress(privateIp: Ipv4): EipClaim | undefined
  where(phase: ClaimPhase): readonly EipClaim[]
  /** As `where`, their names alone. */
  names(phase: ClaimPhase): readonly PodName[]
  /** For a survey, and to choose of a list: whose each EIP is. */
  byEip(): ReadonlyMap<EipId, PodName>
  /** Of their allocations, with what each has brought. What has the token of one that has brought none that is known is nobody's orphan. */
  tokens(): ReadonlyMap<string, EipId | undefined>
  ofOwner(uid: string): readonly EipClaim[]
  /** Whose time is over, by the ledger's own clock: of those the first `limit`. */
  expired(limit: number): readonly EipClaim[]
  /** Is there any? */
  any(): boolean
}

/** A claim of a pod to an EIP, which it has none of; it is `Pending`. */
export type NewEipClaim = PodName &
  Pick<EipClaim, 'uid' | 'wish' | 'owner'> & { readonly podUid: PodUid; readonly node: NodeName }

/** One that is made anew, from what is left of it: `Attaching` with a pod, `Retained` or `Releasing` without. */
export type FoundEipClaim = PodName &
  Pick<
    EipClaim,
    'uid' | 'wish' | 'owner' | 'address' | 'privateIp' | 'eniId' | 'allocateToken' | 'expiresAt'
  > & {
    readonly phase: 'Attaching' | 'Retained' | 'Releasing'
    readonly eipId: EipId
    readonly podUid: PodUid | undefined
    readonly node: NodeName | undefined
  }

/** A claim as it was when it was read. */
export type SeenClaim = Pick<Claim, 'key' | 'namespace' | 'name' | 'version'>

/** An ENI that exists in the cloud and is entered as it is. */
export interface FoundEni extends Omit<PublishedEni, 'ips' | 'gateway'> {
  readonly node: NodeName
  readonly state: 'attached' | 'available'
  readonly goal: 'serve' | 'delete'
  /** Without a grant: a new binding. */
  readonly ips: readonly { readonly address: Ipv4; readonly grant: number | undefined }[]
}

/** What an outcome is read from. */
export type SeenEni = Pick<CloudEni, 'ips' | 'instanceId'>

export interface LeaderTx {
  /** A leader of this epoch writes. Throws `deposed` when one of a later epoch has written already. */
  enterEpoch(epoch: number): void
  addNode(node: LedgerNode): void
  setPhase(name: NodeName, phase: LedgerNode['phase']): void
  setBounds(name: NodeName, change: NodeChange): void
  /** Only once it has no ENI left. */
  removeNode(name: NodeName): void
  /** Stores what will be asked of the cloud, and its first effect on the ledger. Throws `conflict` when the ENI is busy. */
  record(node: LedgerNode, action: Action, cidr: Cidr | undefined, token: string): Intent
  /** About to be sent again, under `token`; an unassignment for `addresses` only: the others are gone. */
  resend(intent: Intent, token: string, addresses: readonly Ipv4[]): Intent
  acceptCreation(intent: Intent, eniId: EniId): void
  acceptAssignment(intent: Intent, addresses: readonly Ipv4[]): void
  accept(intent: Intent): void
  /** Its answer is lost: from now on only what the cloud shows counts. */
  noteUnanswered(intent: Intent, error: string): void
  /** What the cloud shows speaks (no longer) against it. */
  noteMissing(intent: Intent, missing: boolean): void
  /** The clock was set back: what intents, ENIs and addresses say of times to come, they say of now, so that waiting for them ends. */
  rewind(): void
  /**
   * Done, as `eni` shows; undefined when it no longer exists. Throws `conflict` while the ledger has an address of it on another
   * ENI; `partly` leaves such ones out.
   */
  finish(intent: Intent, eni: CloudEni | undefined, more?: { readonly partly?: boolean }): void
  /** It did not happen: the ledger is as before, or as `seen` shows. `forGood`: the like of it never will. */
  fail(
    intent: Intent,
    error: string,
    more?: { readonly seen?: SeenEni | undefined; readonly forGood?: boolean },
  ): void
  /** The pod that shows an address in its status, or none. */
  setPod(address: Ipv4, pod: (PodName & { readonly uid: PodUid }) | undefined): void
  /** Enters an ENI that is there already, with its addresses; `reason` goes into their history. Throws `conflict`. */
  adoptEni(eni: FoundEni, reason: string): void
  /** Binds an address that is there already. Throws `conflict`. */
  adoptIp(eni: number, address: Ipv4, reason: string): void
  dropIp(address: Ipv4, reason: string): void
  /** Notes where it is, whoever moved it. */
  correctEni(eni: number, state: 'attached' | 'available'): void
  /** With its addresses. Throws `conflict` while an intent on it is open. */
  forgetEni(eni: number, reason: string): void
  /** Exactly these are in quarantine. */
  setSuspects(suspects: readonly Suspect[]): void
  /** Every later grant is above `grant`. */
  raiseGrants(grant: number): void
  /** What it says of nodes, ENIs and addresses may be of another time: it says nothing any more, but what was. */
  clear(): void
  addClaim(claim: NewClaim): Claim
  /** Throws `conflict` when there is one of that name, or with that address. */
  restoreClaim(claim: FoundClaim): Claim
  /** Throws `conflict` when it has changed since it was read, when its phase may not follow, or when the address is another's. */
  changeClaim(claim: SeenClaim, change: ClaimChange): Claim
  /** Throws `conflict` when it has changed since it was read. */
  removeClaim(claim: Claim): void
  addEipClaim(claim: NewEipClaim): EipClaim
  /** Throws `conflict` when there is one of that name, or of that EIP. */
  restoreEipClaim(claim: FoundEipClaim): EipClaim
  /** Throws `conflict` when it has changed since it was read, when its phase may not follow, or when another has the EIP or the address. */
  changeEipClaim(claim: SeenClaim, change: EipClaimChange): EipClaim
  /** Throws `conflict` when it has changed since it was read, and unless it is let go. */
  removeEipClaim(claim: EipClaim): void
  /** A new binding as far as the node is concerned, of an address that was returned. Nothing when it is not bound. */
  renewIp(address: Ipv4, reason: string): void
  setExpiryClock(clock: ExpiryClock): void
  /** From now on it may be served from. */
  setComplete(): void
  /** Forgets resolved intents and address history older than `historyFor`, failed intents older than `failuresFor`. */
  prune(keep: { readonly historyFor: Millis; readonly failuresFor: Millis }): void
}

// ---- the node agent's ledger ----------------------------------------------------------------

/** One interface of one sandbox: what CNI keys its calls by (R9). */
export interface SandboxKey {
  readonly containerId: string
  readonly ifname: string
}

export interface Sandbox extends SandboxKey {
  readonly pod: PodName & { readonly uid: PodUid }
  readonly netns: string
}

/** An address in use. */
export interface Attachment extends Sandbox {
  readonly address: Ipv4
  readonly hostLink: string
}

export type NodeEni = PublishedEni & { readonly published: boolean }

export interface NodeLedger {
  readonly databaseId: string
  /** All changes of `change` or none; shares a commit with what else arrives in this turn. Throws `conflict`, `storage`. */
  write<T>(change: (tx: NodeTx) => T): Promise<T>
  ips(): readonly LocalIp[]
  /** Without their addresses. */
  enis(): readonly Omit<NodeEni, 'ips'>[]
  /** The ENI that the address is on. */
  eniOf(address: Ipv4): Omit<NodeEni, 'ips'> | undefined
  attachments(): readonly Attachment[]
  attachment(key: SandboxKey): Attachment | undefined
  /** Of the same pod (uid) and interface, in whatever sandbox. */
  attachmentsOfPod(uid: PodUid, ifname: string): readonly Attachment[]
  /** Has this database had a sandbox on the host link, and let it go? */
  letGo(hostLink: string): boolean
  /** What kernel, leader and this database disagree about. */
  quarantine(): readonly Quarantined[]
  /** A backup took the place of the database, and nobody has compared it with the kernel yet. */
  restored(): boolean
  /** As `restored`, and no NEC has been followed since: what it says is idle may be another node's by now. */
  isBehindNec(): boolean
  releaseTimer(mode: EniMode): Millis | undefined
  /** What the last NEC that was followed says of pods that keep their addresses; undefined before the first. */
  staticIps(): boolean | undefined
  /** As `staticIps`: how many EIPs pods of this node can have. */
  eips(): number | undefined
  bootId(): string | undefined
  /** As `LeaderLedger.obstacle`. */
  obstacle(): string | undefined
}

export interface NodeTx {
  readonly now: Millis
  /** As `NodeLedger.ips`, with the changes of this transaction. */
  ips(): readonly LocalIp[]
  sync(changes: readonly SyncChange[]): void
  /** Hands the address out. Throws `conflict` when it is not free any more. */
  attach(attachment: Attachment): void
  /** As `attach`, of a sandbox that the kernel shows; false when that one was let go, or its address is not free. */
  adopt(attachment: Attachment): boolean
  /** Takes it back into the pool; not handed out again until `coolingUntil` while others are idle. Nothing when it is not attached. */
  detach(key: SandboxKey, coolingUntil: Millis, reason: string): void
  /** Never handed out again. Throws `conflict` when one is in use. */
  giveBack(addresses: readonly Ipv4[], reason: string): void
  /** A link that was in quarantine is gone, and its address rests. */
  letGo(link: { hostLink: string; address: Ipv4 | undefined }, coolingUntil: Millis, reason: string): void
  /** From now on these are in quarantine. */
  setQuarantine(entries: readonly Quarantined[]): void
  /** Tells the names of a pod that was adopted by its uid. */
  namePod(pod: PodName & { readonly uid: PodUid }): void
  /** The database was compared with the kernel. */
  confirm(): void
  /** It says what the NEC says. */
  necFollowed(): void
  setReleaseTimer(mode: EniMode, from: Millis | undefined): void
  setStaticIps(served: boolean): void
  setEips(most: number): void
  setBootId(id: string): void
  /** The highest epoch of a leader that was followed; 0 at first. */
  leaderEpoch(): number
  setLeaderEpoch(epoch: number): void
  /** Forgets address history older than `before`; nothing cools down beyond `coolingUntil`: the clock may have been set back. */
  prune(before: Millis, coolingUntil: Millis): void
}

// ---- claims, for those who look at them from outside ------------------------------------------

/** One change of one claim: of an address, or of an EIP, with one numbering for both. */
export interface ClaimEvent {
  /** Rises with every change of any claim. */
  readonly version: number
  /** Of one of an EIP: then `before` and `after` are undefined. */
  readonly eip?: { readonly before: EipClaim | undefined; readonly after: EipClaim | undefined }
  /** undefined: the claim came. */
  readonly before: Claim | undefined
  /** undefined: the claim went. */
  readonly after: Claim | undefined
}

export interface ClaimPage {
  /** The state as of this version, not older than `ClaimFeed.oldest`; the newest when missing. */
  readonly at?: number | undefined
  readonly limit?: number | undefined
}

/** In the order of namespace and name; of one namespace when it is given; those after `after`. */
export interface PodPage extends ClaimPage {
  readonly namespace?: string | undefined
  readonly after?: PodName | undefined
}

/** Of those that have an address, in the order of its text. */
export interface AddressPage extends ClaimPage {
  readonly after?: string | undefined
}

/** The claims of the leader's ledger, now and as they were, with every change in order. Throws `storage`. */
export interface ClaimFeed {
  /** Of the newest change. A ledger that is made anew begins beyond any before it. */
  version(): number
  /** Changes up to this version are not kept any more. */
  oldest(): number
  /** From the ledger's own clock, by which claims expire, to the one on the wall, as things are now. */
  wallClock(): (ledgerTime: Millis) => Millis
  claim(pod: PodName): Claim | undefined
  claimOf(address: Ipv4): Claim | undefined
  claims(page: PodPage): readonly Claim[]
  /** How many `claims` would give without a limit. */
  countClaims(page: PodPage): number
  claimsWithAddress(page: AddressPage): readonly Claim[]
  countClaimsWithAddress(page: AddressPage): number
  eipClaim(pod: PodName): EipClaim | undefined
  eipClaims(page: PodPage): readonly EipClaim[]
  countEipClaims(page: PodPage): number
  /** The first `limit` changes after version `since`. */
  changes(since: number, limit: number): readonly ClaimEvent[]
}

export interface ReleaseRequest {
  readonly pod: PodName
  readonly key: number
  /** Of the claim that is meant: what a later pod has taken is not released for an earlier one. */
  readonly generation: number
  /** Nothing about the claim may have changed since; undefined: whatever has. */
  readonly version?: number | undefined
  /** Nothing is changed; says what would be. */
  readonly dryRun?: boolean | undefined
  /** Also when its pod runs. */
  readonly force?: boolean | undefined
}

/** Gives the address of a claim back at somebody's wish (S6). */
export interface ClaimRelease {
  /** Throws `storage`, `deposed`. */
  release(request: ReleaseRequest): Promise<'releasing' | ReleaseRefusal>
}

export interface ReleaseRefusal {
  /** Why, as the end of a sentence that begins with what was tried. */
  readonly refused: string
  /** Would it be released by force? */
  readonly forceHelps: boolean
}
