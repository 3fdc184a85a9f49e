// Pods that the kernel shows and the node's database does not have (it was lost, or a backup took its place): which are
// adopted, because it is clear whose they are, and which are held until somebody says. Nothing is ever taken away here.
import { compareIpv4, type Ipv4 } from '../value/ipv4.ts'
import { type LocalIp, samePod } from './choose-address.ts'
import { type LinkIdentity, readLinkAlias } from './link-identity.ts'
import { type DesiredPod, mainTable, routeTableOf } from './plan-repair.ts'
import { podText } from './pod-need.ts'
import type { KernelSurvey, PodName, PublishedEni } from './types.ts'

export interface FoundPod extends LinkIdentity {
  readonly hostLink: string
}

/** A link of ours without an owner in the database. */
export interface Stranger {
  readonly hostLink: string
  /** undefined: nothing tells which one it has. */
  readonly address: Ipv4 | undefined
  /** Of the sandbox, as its alias says. */
  readonly identity: LinkIdentity | undefined
  /** Nobody else seems to have its address: who takes the link down may take the address's rules down, too. */
  readonly alone: boolean
  /** All that is missing is whose it is: who says that it is his may have it. */
  readonly claimable: boolean
  /** Why it cannot be adopted. */
  readonly reason: string
}

export interface StrangerState {
  readonly survey: KernelSurvey
  readonly attachments: readonly Pick<DesiredPod, 'address' | 'hostLink'>[]
  readonly ips: readonly LocalIp[]
  readonly enis: readonly Pick<PublishedEni, 'id' | 'mac' | 'mode'>[]
  readonly routeTableBase: number
  /** Links that were made or unmade while the survey was taken. */
  readonly moving: ReadonlySet<string>
  /** Links of sandboxes that the database had once and let go: what is left of them is for the repair. */
  readonly letGo: (hostLink: string) => boolean
  /** The database is older than the kernel: where they contradict, the kernel is right. */
  readonly restored: boolean
  /** The pod that shows the address in Kubernetes. */
  readonly podAt: (address: Ipv4) => PodName | undefined
}

export interface StrangerPlan {
  readonly adopt: readonly FoundPod[]
  readonly strangers: readonly Stranger[]
  /** Addresses that may be in use though no attachment says so. */
  readonly withheld: ReadonlySet<Ipv4>
  /** Host links of attachments that a restored database has too many: their address serves another sandbox by now. */
  readonly outdated: readonly string[]
}

export function planStrangers(state: StrangerState): StrangerPlan {
  const { attachments, survey } = state
  const owned = new Set(attachments.map(({ hostLink }) => hostLink))
  const evidence = survey.podLinks
    .filter(({ name }) => !owned.has(name) && !state.moving.has(name) && !state.letGo(name))
    .map(({ alias, name }) => evidenceOf(survey, name, alias))
  const outdated = state.restored ? outdatedBy(evidence, attachments, survey) : []
  const free = {
    reasons: freeAddresses(state.ips, attachments, new Set(outdated)),
    claims: new Map(state.ips.map(({ address, claim }) => [address, claim])),
    elsewhere: elsewhereBy(state),
  }
  const claims = Map.groupBy(
    evidence.flatMap(({ addresses }) => [...addresses]),
    (address) => address,
  )
  const holders = new Set(attachments.map(({ address }) => address))
  const adopt: FoundPod[] = []
  const strangers: Stranger[] = []
  for (const { addresses, hostLink, identity } of evidence) {
    const [address, another] = [...addresses].toSorted(compareIpv4)
    const claimed = address !== undefined && claims.get(address)?.length !== 1
    const alone = another === undefined && !claimed && address !== undefined && !holders.has(address)
    const why =
      address === undefined
        ? 'nothing tells which address it has'
        : another !== undefined
          ? `it seems to have both ${address} and ${another}`
          : claimed
            ? `another link seems to have ${address}, too`
            : obstacle(address, identity, free)
    const claimable = why === isFree
    if (identity !== undefined && claimable) {
      adopt.push({ ...identity, hostLink })
      continue
    }
    const reason = withPod(claimable ? 'nothing tells which sandbox it belongs to' : why, address, state)
    strangers.push({ hostLink, address, identity, alone, claimable, reason })
  }
  return { adopt, strangers, withheld: withheldBy(evidence, survey, attachments), outdated }
}

interface Evidence {
  readonly hostLink: string
  readonly identity: LinkIdentity | undefined
  /** By its alias and by its route: one, when all is well. */
  readonly addresses: ReadonlySet<Ipv4>
}

function evidenceOf(survey: KernelSurvey, hostLink: string, alias: string | undefined): Evidence {
  const identity = readLinkAlias(hostLink, alias)
  const routed = survey.routes
    .filter(({ dev, table }) => dev === hostLink && table === mainTable)
    .map(({ to }) => to as Ipv4)
  return {
    hostLink,
    identity,
    addresses: new Set([...routed, ...(identity === undefined ? [] : [identity.address])]),
  }
}

/** An attachment without a link whose address is under a link that the database does not know. */
function outdatedBy(
  evidence: readonly Evidence[],
  attachments: StrangerState['attachments'],
  survey: KernelSurvey,
): readonly string[] {
  const claimed = new Set(evidence.flatMap(({ addresses }) => [...addresses]))
  const links = new Set(survey.podLinks.map(({ name }) => name))
  return attachments
    .filter(({ address, hostLink }) => claimed.has(address) && !links.has(hostLink))
    .map(({ hostLink }) => hostLink)
}

const isFree = ''

/** Of each address of the pool: `isFree`, or why nobody can be adopted with it. */
function freeAddresses(
  ips: readonly LocalIp[],
  attachments: StrangerState['attachments'],
  outdated: ReadonlySet<string>,
): ReadonlyMap<Ipv4, string> {
  const holders = new Map(attachments.map(({ address, hostLink }) => [address, hostLink]))
  return new Map(
    ips.map(({ address, state }) => {
      const holder = holders.get(address)
      const held = holder !== undefined && !outdated.has(holder)
      if (held) return [address, `its address ${address} belongs to "${holder}"`]
      return [address, state === 'usable' ? isFree : `its address ${address} was given back`]
    }),
  )
}

/** Why the link's sandbox cannot be adopted with the address; `isFree` when it can. Who tells no name may be whom it is claimed for. */
function obstacle(
  address: Ipv4,
  identity: LinkIdentity | undefined,
  free: {
    readonly reasons: ReadonlyMap<Ipv4, string>
    readonly claims: ReadonlyMap<Ipv4, PodName | undefined>
    readonly elsewhere: ReadonlySet<Ipv4>
  },
): string {
  const claim = free.claims.get(address)
  const pod = identity?.pod
  if (claim !== undefined && pod !== undefined && pod.name !== '' && !samePod(pod, claim))
    return `its address ${address} is claimed for pod ${podText(claim)}`
  const reason = free.reasons.get(address) ?? `its address ${address} is not in the pool of this node`
  if (reason !== isFree || !free.elsewhere.has(address)) return reason
  return `the pool of this node has its address ${address} on another ENI`
}

/**
 * Addresses that the pool has on another ENI than their pods: whoever adopted these there would cut them off. A pool that is older than
 * its pods says so until the NEC is followed. Behind a link of ours is never an exclusive ENI; a table without its link says nothing.
 */
function elsewhereBy({ enis, ips, routeTableBase, survey }: StrangerState): ReadonlySet<Ipv4> {
  const eniOf = new Map(enis.map((eni) => [eni.id, eni]))
  const macOf = new Map(survey.links.map((link) => [routeTableOf(link, routeTableBase), link.mac]))
  const rulesOf = Map.groupBy(survey.rules, ({ from }) => from)
  const elsewhere = ips.filter(({ address, eniId }) => {
    const eni = eniOf.get(eniId)
    const leavesBy = (rulesOf.get(address) ?? []).flatMap(({ table }) => macOf.get(table) ?? [])
    return eni?.mode === 'exclusive' || (leavesBy.length > 0 && !leavesBy.some((mac) => mac === eni?.mac))
  })
  return new Set(elsewhere.map(({ address }) => address))
}

/** Where a link does not tell its address, each that only rules speak of may be the one. */
function withheldBy(
  evidence: readonly Evidence[],
  survey: KernelSurvey,
  attachments: StrangerState['attachments'],
): ReadonlySet<Ipv4> {
  const withheld = new Set(evidence.flatMap(({ addresses }) => [...addresses]))
  if (evidence.every(({ addresses }) => addresses.size > 0)) return withheld
  const known = new Set(attachments.map(({ address }) => address))
  for (const { from, to } of survey.rules) {
    const address = from ?? to
    if (address !== undefined && !known.has(address)) withheld.add(address)
  }
  return withheld
}

function withPod(reason: string, address: Ipv4 | undefined, { podAt }: StrangerState): string {
  const pod = address === undefined ? undefined : podAt(address)
  return pod === undefined ? reason : `${reason}; pod ${pod.namespace}/${pod.name} shows ${address}`
}
