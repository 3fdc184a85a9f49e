// Pods that the kernel has and the ledger does not (its file was lost, or a backup took its place): adopts those whose links say
// whose they are, keeps its hands and their addresses off the others until a DEL, a GC or two looks settle them.
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { IpamError } from '../ipam/errors.ts'
import { hostLinkName } from '../ipam/host-link.ts'
import { planQuarantine, type Quarantined, type Suspect } from '../ipam/plan-quarantine.ts'
import type { DesiredKernel } from '../ipam/plan-repair.ts'
import { planStrangers, type Stranger, type StrangerPlan } from '../ipam/plan-strangers.ts'
import type { Dispute } from '../ipam/plan-sync.ts'
import { podText } from '../ipam/pod-need.ts'
import type { KernelSurvey } from '../ipam/types.ts'
import type { Attachment, Linux, NodeKube, NodeLedger, Sandbox, SandboxKey } from '../ports.ts'
import type { Ipv4 } from '../value/ipv4.ts'
import { attachmentOfEni } from './given-enis.ts'
import type { LocalPool } from './local-pool.ts'
import type { PodFacts } from './pod-facts.ts'
import type { NodeSettings } from './settings.ts'

export interface Strangers {
  /** Judges a survey; `moving` are links that were made or unmade meanwhile. Gives what nobody may touch or hand out. */
  judge(survey: KernelSurvey, moving: ReadonlySet<string>): Promise<DesiredKernel['busy']>
  /** Once this has resolved, the ledger has what can be adopted. Looks at the kernel when nobody has yet. Throws `kernel`, `storage`. */
  known(): Promise<void>
  /** The ledger is a backup that nobody has compared with the kernel yet. */
  outdated(): boolean
  /** The ADD of a sandbox whose link was found is repeated: it keeps its address. Throws `no_address` while that is not in the pool. */
  adopt(sandbox: Sandbox): Promise<Attachment | undefined>
  /** Takes down the link of a sandbox that the ledger does not have; nothing when there is none. Throws `kernel`, `storage`. */
  remove(key: SandboxKey, reason: string): Promise<void>
  /** Links of sandboxes that the runtime does not have any more. */
  unlike(valid: readonly SandboxKey[]): readonly string[]
  removeLink(hostLink: string, reason: string): Promise<void>
}

export interface StrangersOptions {
  readonly ledger: NodeLedger
  readonly linux: Linux
  readonly pool: Pick<LocalPool, 'bounds' | 'disputed'>
  readonly pods: Pick<PodFacts, 'showing'>
  readonly clock: Clock
  readonly log: Log
  readonly settings: NodeSettings
  readonly notify: NodeKube['notify']
  /** The kernel must be looked at again. */
  readonly changed: () => void
}

const linkRemedy =
  'it ends with the DEL of its sandbox, a CNI GC, or once the link is gone; if no container has it any more: ip link del'
const addressRemedy =
  'it stays with its pod until that ends, and nobody else gets it; delete the pod when it has no network'

export function createStrangers(options: StrangersOptions): Strangers {
  const { ledger, linux, pool, pods, clock, log, settings, notify, changed } = options
  let strangers: ReadonlyMap<string, Stranger> = new Map()
  let told: ReadonlySet<Ipv4> = new Set()
  const nodeItself = { kind: 'Node', name: settings.nodeName } as const
  let looked = false
  /** Being taken down: not to be adopted meanwhile. */
  const leaving = new Set<string>()

  async function judge(survey: KernelSurvey, moving: ReadonlySet<string>): Promise<DesiredKernel['busy']> {
    const plan = planStrangers({
      survey,
      attachments: ledger.attachments(),
      ips: ledger.ips(),
      enis: ledger.enis(),
      routeTableBase: settings.routeTableBase,
      moving: new Set([...moving, ...leaving]),
      letGo: (hostLink) => ledger.letGo(hostLink),
      restored: ledger.restored(),
      podAt: (address) => pods.showing(address),
    })
    const given = ledger.restored() ? await givenSince() : []
    await settle({
      adopt: [...plan.adopt, ...given.map(({ found }) => found)],
      outdated: [...plan.outdated, ...given.map(({ outdated }) => outdated)],
    })
    strangers = new Map(plan.strangers.map((stranger) => [stranger.hostLink, stranger]))
    const going = await quarantine(plan.strangers)
    looked = true
    return {
      links: new Set(strangers.keys()),
      addresses: new Set([...unadopted(plan), ...going]),
    }
  }

  /** Exclusive ENIs that other sandboxes have than the backup says: no survey shows them. */
  async function givenSince(): Promise<readonly { found: Attachment; outdated: string }[]> {
    const exclusive = ledger
      .enis()
      .flatMap(({ mode, primaryIp }) => (mode === 'exclusive' ? [primaryIp] : []))
    const its = ledger.attachments().filter(({ address }) => exclusive.includes(address))
    if (its.length === 0) return []
    const enis = await linux.findEnis()
    return its.flatMap(({ address, hostLink }) => {
      const eni = enis.find((one) => one.address === address)
      const found = eni && attachmentOfEni(eni)
      return found === undefined || found.hostLink === hostLink ? [] : [{ found, outdated: hostLink }]
    })
  }

  /** What was adopted is in use; all else that a link or rule speaks of is kept from everybody. */
  function unadopted({ withheld }: StrangerPlan): readonly Ipv4[] {
    const owned = new Set(ledger.attachments().map(({ address }) => address))
    return [...withheld].filter((address) => !owned.has(address))
  }

  async function settle({ adopt, outdated }: Pick<StrangerPlan, 'adopt' | 'outdated'>): Promise<void> {
    if (adopt.length === 0 && outdated.length === 0 && !ledger.restored()) return
    const { adopted, dropped } = await ledger.write((tx) => {
      const dropped = ledger.attachments().filter(({ hostLink }) => outdated.includes(hostLink))
      for (const attachment of dropped) tx.detach(attachment, tx.now, 'the kernel is newer than the backup')
      tx.confirm()
      return { dropped, adopted: adopt.filter((found) => tx.adopt(found)) }
    })
    for (const { address, containerId, pod } of adopted) {
      log.info('pod adopted', { address, ...pod, container: containerId })
    }
    if (adopted.length > 0) {
      const pods = adopted.length === 1 ? '1 pod' : `${adopted.length} pods`
      const message = `found ${pods} running that the database of this node did not have: adopted, and left as they are`
      notify({ about: nodeItself, type: 'Normal', reason: 'Adopted', message })
    }
    for (const { address, containerId, pod } of dropped) {
      log.warn('sandbox of a backup forgotten', { address, ...pod, container: containerId })
    }
  }

  /** Addresses of links that are gone since less than two looks agree on. */
  async function quarantine(found: readonly Stranger[]): Promise<readonly Ipv4[]> {
    const before = ledger.quarantine()
    const seen = [...found.filter(isWorthTelling(before)).map(suspectLink), ...disputes()]
    if (seen.length === 0 && before.length === 0) return []
    const { fresh, keep, settled } = await ledger.write((tx) => {
      const plan = planQuarantine(ledger.quarantine(), seen, tx.now, settings.linkGoneAfter)
      for (const { address, kind, subject } of plan.settled) {
        if (kind === 'pod-link')
          tx.letGo({ hostLink: subject, address }, tx.now + settings.cooldown, 'its link is gone')
      }
      tx.setQuarantine(plan.keep)
      return plan
    })
    tell(fresh)
    for (const { address, kind, subject } of settled) log.info('quarantine ended', { kind, subject, address })
    const going = keep.filter(({ kind, missingSince }) => kind === 'pod-link' && missingSince !== undefined)
    if (going.length > 0) clock.after(settings.linkGoneAfter, changed)
    return going.flatMap(({ address }) => address ?? [])
  }

  /** Before the leader has said what the pool is, nobody can be adopted: who says whose he is will be soon. */
  function isWorthTelling(before: readonly Quarantined[]): (stranger: Stranger) => boolean {
    if (pool.bounds() !== undefined) return () => true
    const known = new Set(before.map(({ subject }) => subject))
    return ({ hostLink, identity }) => identity === undefined || known.has(hostLink)
  }

  function tell(fresh: readonly Suspect[]): void {
    for (const { address, kind, reason, subject } of fresh) {
      log.error('in quarantine', { kind, subject, address, reason })
    }
    const [first, ...others] = fresh
    if (first === undefined) return
    const more = others.length === 0 ? '' : `; and ${others.length} more, see "tke-eni get quarantine" there`
    const subject = first.kind === 'pod-link' ? `pod link "${first.subject}"` : first.subject
    const message = `${subject} is in quarantine: ${first.reason}${more}`
    notify({ about: nodeItself, type: 'Warning', reason: 'Quarantined', message })
  }

  /** Packets for these go, or will go, to another ENI: nobody can give their pods the network back. Each is told once, and again by the next process. */
  function tellHolders(
    disputed: ReadonlyMap<Ipv4, Dispute>,
    holders: ReadonlyMap<Ipv4, Sandbox['pod']>,
  ): void {
    for (const [address, { claim }] of disputed) {
      const pod = holders.get(address)
      if (pod === undefined || pod.name === '' || told.has(address)) continue
      const message = `address ${address} ${claim === undefined ? 'is on another ENI now' : `is promised to pod ${podText(claim)}`}; delete this pod, so that a new one gets another address`
      notify({ about: { kind: 'Pod', ...pod }, type: 'Warning', reason: 'AddressLost', message })
    }
    told = new Set(disputed.keys())
  }

  function disputes(): readonly Suspect[] {
    const disputed = pool.disputed()
    const holders = new Map(ledger.attachments().map(({ address, pod }) => [address, pod]))
    tellHolders(disputed, holders)
    return ledger.ips().flatMap((ip): readonly Suspect[] => {
      const { address, inUse, published } = ip
      const pod = holders.get(address)
      if (!inUse || pod === undefined || (published && !disputed.has(address))) return []
      const of = pod.name === '' ? pod.uid : `${pod.namespace}/${pod.name}`
      const claim = disputed.get(address)?.claim
      const otherwise = claim === undefined ? 'on another ENI' : `for pod ${podText(claim)}`
      const so = published ? `publishes it ${otherwise}` : 'does not publish it any more'
      const reason = `pod ${of} has it, and the leader ${so}`
      return [{ kind: 'address', subject: address, address, reason, remedy: addressRemedy }]
    })
  }

  async function known(): Promise<void> {
    if (looked) return
    await judge(await linux.survey(), new Set())
    changed()
  }

  async function removeLink(hostLink: string, reason: string): Promise<void> {
    const stranger = strangers.get(hostLink)
    if (stranger === undefined) return
    // Rules of an address that another link seems to have are not this one's to take down.
    const address = stranger.alone ? stranger.address : undefined
    leaving.add(hostLink)
    try {
      if (address === undefined) await linux.apply([{ kind: 'remove-link', link: hostLink }])
      else await linux.disconnectPod({ address, hostLink })
      await ledger.write((tx) => tx.letGo({ hostLink, address }, tx.now + settings.cooldown, reason))
    } finally {
      leaving.delete(hostLink)
    }
    forget(hostLink)
    log.info('unknown pod link removed', { link: hostLink, address, reason })
    changed()
  }

  function forget(hostLink: string): void {
    strangers = new Map([...strangers].filter(([link]) => link !== hostLink))
  }

  return {
    judge,
    known,
    outdated: () => !looked && ledger.restored(),
    async adopt(sandbox) {
      const hostLink = hostLinkName(sandbox.containerId, sandbox.ifname)
      const stranger = strangers.get(hostLink)
      if (stranger === undefined) return undefined
      const { address, claimable } = stranger
      const attachment = address === undefined || !claimable ? undefined : { ...sandbox, address, hostLink }
      if (attachment === undefined || !(await ledger.write((tx) => tx.adopt(attachment)))) {
        throw new IpamError('no_address', `Cannot connect the pod again: ${stranger.reason}`, {
          hint: 'see "tke-eni get quarantine" on this node',
        })
      }
      forget(hostLink)
      changed()
      return attachment
    },
    remove: (key, reason) => removeLink(hostLinkName(key.containerId, key.ifname), reason),
    unlike(valid) {
      const keep = new Set(valid.map(({ containerId, ifname }) => hostLinkName(containerId, ifname)))
      return [...strangers.keys()].filter((link) => !keep.has(link))
    },
    removeLink,
  }
}

function suspectLink({ address, hostLink, reason }: Stranger): Suspect {
  return { kind: 'pod-link', subject: hostLink, address, reason, remedy: linkRemedy }
}
