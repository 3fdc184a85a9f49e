// The node's pool: what the leader published, kept in step with the NEC, and those who wait for an address.
import type { Cancel, Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import {
  chooseAddress,
  chooseClaimed,
  isIdle,
  isSpare,
  type LocalIp,
  samePod,
} from '../ipam/choose-address.ts'
import { isLater } from '../ipam/epoch.ts'
import { IpamError } from '../ipam/errors.ts'
import { hostLinkName } from '../ipam/host-link.ts'
import { isReturnedIn } from '../ipam/node-report.ts'
import { type Dispute, planSync } from '../ipam/plan-sync.ts'
import { type PodNeed, sourceOf } from '../ipam/pod-need.ts'
import type { EniId, Nec, NecPublication, NodeBounds, NodeName, PodName } from '../ipam/types.ts'
import type { Attachment, NodeKube, NodeLedger, Sandbox } from '../ports.ts'
import type { Ipv4 } from '../value/ipv4.ts'
import type { Mac } from '../value/mac.ts'
import type { Millis } from '../value/millis.ts'
import { claimShortage } from './claim-shortage.ts'
import { createUnusable } from './unusable.ts'

export interface LocalPool {
  /** Follows the NEC; what it does not say clearly changes nothing. */
  follow(nec: Nec): Promise<void>
  /** Forgets what is no longer published, and was in use or cooled when that was said; looks at disputes again. Throws `storage`. */
  tidy(): Promise<void>
  /** The bounds as last published; undefined before the first NEC of this process. */
  bounds(): NodeBounds | undefined
  /** ENIs that are to have so many addresses of the pool at most, as last published. */
  mostOn(): ReadonlyMap<EniId, number>
  /** The leader serves pods that keep their addresses, as the last NEC that was followed says; undefined before the first. */
  staticIps(): boolean | undefined
  /** Hands an idle address, its claimed one, or an exclusive ENI, to the sandbox, waiting for one up to `timeout`, or until `signal`; `waits` hears when that takes long. Throws `no_address` with what is missing. */
  allocate(
    sandbox: Sandbox,
    need: PodNeed,
    timeout: Millis,
    signal: AbortSignal | undefined,
    waits: (shortage: IpamError) => void,
  ): Promise<Attachment>
  /** The ENIs whose addresses can carry packets, and addresses that must not be handed out; waiting ADDs look again. */
  setReady(macs: ReadonlySet<Mac>, withheld: ReadonlySet<Ipv4>): void
  /** Addresses that pods unknown to the ledger may have, and disputed ones; undefined before the first look at the kernel. */
  withheld(): ReadonlySet<Ipv4> | undefined
  /** Idle addresses that no pod has been able to get for a while, for want of a link or by doubt. */
  unusable(): ReadonlySet<Ipv4>
  /** ENIs with such addresses, for want of their link. */
  unlinked(): readonly EniId[]
  /** In use here, and published on another ENI or for another pod. */
  disputed(): ReadonlyMap<Ipv4, Dispute>
  /** Why the NEC as it is now is not followed; undefined when it is. */
  doubt(): string | undefined
  /** Something may be idle now. */
  wake(): void
}

export interface LocalPoolOptions {
  readonly ledger: NodeLedger
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly nodeName: NodeName
  readonly notify: NodeKube['notify']
}

/**
 * A leader that lives corrects a late word of the one before it, or what was edited by hand, within seconds. What nobody corrects
 * for so long is the last word there is: the API server's data came back from a backup.
 */
const correctedWithin = 600_000

/** A NEC is of another leader than can be: most likely a late write, but it may be the truth. What it lacks is not handed out. */
interface Doubt {
  readonly why: string
  /** With the pods that it claims them for. */
  readonly addresses: ReadonlyMap<Ipv4, PodName | undefined>
  readonly end: Cancel
}

const growthHint = 'the leader binds more when it can; see the events of the Node and `kubectl get nec`'

/** As long as the leader needs to bring a kept address, as a rule; whether one is kept for a pod whose policy cannot be read the agent cannot tell. */
const claimedWithin = 5000

/** A pod that waits longer than the pool usually takes to grow is worth an event. */
const tellAfter = 3000

export function createLocalPool(options: LocalPoolOptions): LocalPool {
  const { ledger, clock, random, log, nodeName, notify } = options
  let bounds: NodeBounds | undefined
  let mostOn: ReadonlyMap<EniId, number> = new Map()
  let ready: ReadonlySet<Mac> = new Set()
  let withheld: ReadonlySet<Ipv4> | undefined
  let staticIps = ledger.staticIps()
  let disputes: ReadonlyMap<Ipv4, Dispute> = new Map()
  const unusable = createUnusable(clock)
  let latest: Nec | undefined
  let doubted: Doubt | undefined
  let fault: string | undefined
  let isBehind = ledger.isBehindNec()
  const waiting = new Set<() => void>()

  function wake(): void {
    for (const look of [...waiting]) look()
  }

  /** Nobody knows better that it is to be handed out now. */
  function isSure({ address, claim }: LocalIp): boolean {
    if (isBehind || withheld?.has(address) || disputes.has(address)) return false
    const shown = doubted?.addresses
    return shown === undefined || (shown.has(address) && samePod(shown.get(address), claim))
  }

  function tryAllocate(
    sandbox: Sandbox,
    need: PodNeed,
    claimedUntil: Millis,
  ): Promise<Attachment | undefined> {
    return ledger.write((tx) => {
      const source = sourceOf(need, staticIps)
      const from = source === 'either' && clock.now() < claimedUntil ? 'claimed' : source
      const enis = ledger.enis().filter((eni) => eni.mode === need.mode && ready.has(eni.mac))
      const ips = tx.ips().filter(isSure)
      const claimed = from === 'pool' ? undefined : chooseClaimed(ips, enis, sandbox.pod)
      const ofPool = () => chooseAddress(ips, enis, tx.now, random.next(), sandbox.pod.uid)
      const address = claimed ?? (from === 'claimed' ? undefined : ofPool())
      if (address === undefined) return undefined
      const hostLink = hostLinkName(sandbox.containerId, sandbox.ifname)
      const attachment: Attachment = { ...sandbox, address, hostLink }
      tx.attach(attachment)
      return attachment
    })
  }

  function nextChange(deadline: Millis, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        cancel()
        waiting.delete(look)
        signal?.removeEventListener('abort', look)
        resolve()
      }
      const cancel = clock.after(Math.max(0, deadline - clock.now()), look)
      waiting.add(look)
      signal?.addEventListener('abort', look)
    })
  }

  function shortage({ pod }: Sandbox, need: PodNeed): IpamError {
    const { mode } = need
    if (isBehind)
      return new IpamError(
        'no_address',
        'Cannot give the pod an address: the database of this node is a backup, and its NEC has not been read since',
        { hint: 'the API server must answer, and a leader have published the NEC' },
      )
    if (sourceOf(need, staticIps) === 'claimed') return staticShortage(pod)
    const enis = ledger.enis().filter((eni) => eni.mode === mode)
    const ids = new Set(enis.map(({ id }) => id))
    const ips = ledger.ips().filter(({ eniId, claim }) => ids.has(eniId) && claim === undefined)
    const inUse = ips.filter((ip) => ip.inUse).length
    const exposed = ips.filter((ip) => isSpare(ip) && !isIdle(ip)).length
    if (mode === 'exclusive') return exclusiveShortage(inUse, ips.length)
    const unready = enis.filter(({ mac }) => !ready.has(mac)).length
    const so = `${inUse} of ${ips.length} addresses of the pool are in use${exposed > 0 ? `, ${exposed} wait for EIPs of pods before to leave them` : ''}${unready > 0 ? `, ${unready} ENIs are not set up yet` : ''}`
    return new IpamError('no_address', `Cannot give the pod an address: ${so}`, { hint: growthHint })
  }

  function staticShortage(pod: PodName): IpamError {
    const holders = new Map(ledger.attachments().map((one) => [one.address, one.containerId]))
    const readyEnis = ledger.enis().filter(({ mac }) => ready.has(mac))
    return claimShortage(pod, {
      ips: ledger.ips(),
      readyEnis: new Set(readyEnis.map(({ id }) => id)),
      withheld: new Set([...(withheld ?? []), ...disputes.keys()]),
      holderOf: (address) => holders.get(address),
    })
  }

  function exclusiveShortage(inUse: number, there: number): IpamError {
    const most = bounds?.exclusive.maxEnis
    const isOff = most === 0
    const so = isOff
      ? 'this node may have none'
      : `${inUse} of ${there} are in use${most === undefined ? '' : `, and the node may have ${most}`}`
    return new IpamError('no_address', `Cannot give the pod an ENI of its own: ${so}`, {
      hint: isOff
        ? 'start the leader with --enable-direct-eni, and see the annotation direct-eni-max-attach of the NEC'
        : growthHint,
    })
  }

  /**
   * The database was lost or restored, and the earlier one gave these back: the leader takes them away at any moment, so
   * that nobody may get them any more.
   */
  function returnedBefore({ report }: Nec, ips: readonly LocalIp[]): readonly Ipv4[] {
    if (report === undefined || report.databaseId === ledger.databaseId) return []
    const isReturned = isReturnedIn(report)
    return ips
      .filter((ip) => isReturned(ip) && ip.state === 'usable' && !ip.inUse)
      .map(({ address }) => address)
  }

  /** The time runs from the first doubt on: the NEC changes all the time, by this node's own reports if nothing else. */
  function doubt({ epoch, enis }: NecPublication, followed: number): void {
    const addresses = new Map(
      enis.flatMap(({ ips }) => ips.map(({ address, claim }) => [address, claim] as const)),
    )
    const why = `its NEC is of epoch ${epoch}, and one of ${followed} was followed before`
    if (doubted !== undefined) {
      doubted = { ...doubted, addresses, why }
      return wake()
    }
    log.warn('NEC doubted', { epoch, followed, correctedWithin })
    notify({
      about: { kind: 'Node', name: nodeName },
      type: 'Warning',
      reason: 'NECDoubted',
      message: `the node does not follow its NEC: ${why}; a leader corrects that, else it is followed in ${correctedWithin / 60_000} minutes`,
    })
    doubted = { addresses, why, end: clock.after(correctedWithin, believe) }
  }

  function believe(): void {
    const nec = latest
    if (nec === undefined || doubted === undefined) return
    if (nec.publication === undefined) {
      doubted = { ...doubted, end: clock.after(correctedWithin, believe) }
      return
    }
    log.error('doubted NEC followed: nobody has corrected it', { epoch: nec.publication?.epoch })
    heed(nec, true).catch((error: unknown) => {
      log.error('NEC not stored', { error: (error as Error).message })
      if (doubted !== undefined) doubted = { ...doubted, end: clock.after(correctedWithin, believe) }
    })
  }

  async function heed(nec: Nec, uncorrected: boolean): Promise<void> {
    fault = nec.publication === undefined ? nec.fault : undefined
    if (nec.publication === undefined) {
      if (nec.fault !== undefined) log.warn('NEC not followed', { fault: nec.fault })
      return
    }
    const { enis, epoch, staticIps: serves, eips, ...rest } = nec.publication
    const followed = await ledger.write((tx) => {
      const known = tx.leaderEpoch()
      if (epoch !== known && !isLater(epoch, known) && !uncorrected) return known
      if (epoch !== known) tx.setLeaderEpoch(epoch)
      if (serves !== staticIps) tx.setStaticIps(serves)
      if (eips !== ledger.eips()) tx.setEips(eips)
      const holders = new Map(ledger.attachments().map(({ address, pod }) => [address, pod]))
      const sync = planSync(tx.ips(), ledger.enis(), enis, (address) => holders.get(address), tx.now)
      tx.sync(sync.changes)
      if (isBehind) tx.necFollowed()
      const returned = returnedBefore(nec, tx.ips())
      if (returned.length > 0) tx.giveBack(returned, 'given back under another database of this node')
      return sync
    })
    if (typeof followed === 'number') return doubt(nec.publication, followed)
    if (doubted !== undefined) {
      log.info('NEC followed again', { epoch })
      doubted.end()
      doubted = undefined
      wake()
    }
    const wasBehind = isBehind
    isBehind = false
    const { changes, disputed } = followed
    bounds = rest
    mostOn = new Map(
      enis.flatMap(({ id, mostOfPool }) => (mostOfPool === undefined ? [] : [[id, mostOfPool]])),
    )
    staticIps = serves
    const settled = [...disputes.keys()].some((address) => !disputed.some((one) => one.address === address))
    for (const { address, claim } of disputed) {
      if (disputes.has(address)) continue
      log.error('address in use is published otherwise', { address, claim: claim ?? 'on another ENI' })
    }
    disputes = new Map(disputed.map((dispute) => [dispute.address, dispute]))
    if (changes.length === 0 && !settled && !wasBehind) return
    log.info('pool follows NEC', { changes: changes.length, addresses: ledger.ips().length })
    wake()
  }

  return {
    follow(nec) {
      latest = nec
      return heed(nec, false)
    },
    async tidy() {
      const left = ledger.ips().some(({ published, inUse }) => !published && !inUse)
      if ((left || disputes.size > 0) && latest !== undefined) await heed(latest, false)
    },
    bounds: () => bounds,
    mostOn: () => mostOn,
    staticIps: () => staticIps,
    async allocate(sandbox, need, timeout, signal, waits) {
      const deadline = clock.now() + timeout
      const tellAt = clock.now() + tellAfter
      const claimedUntil = need.unclear === true ? Math.min(clock.now() + claimedWithin, deadline) : 0
      let told = false
      for (;;) {
        if (signal?.aborted) throw shortage(sandbox, need) // nobody is left to take one
        const attachment = await tryAllocate(sandbox, need, claimedUntil)
        if (attachment !== undefined) return attachment
        if (clock.now() >= deadline) throw shortage(sandbox, need)
        if (!told && clock.now() >= tellAt) {
          waits(shortage(sandbox, need))
          told = true
        }
        const next = [told ? deadline : tellAt, claimedUntil > clock.now() ? claimedUntil : deadline]
        await nextChange(Math.min(...next, deadline), signal)
      }
    },
    setReady(macs, addresses) {
      const more =
        withheld === undefined ||
        [...macs].some((mac) => !ready.has(mac)) ||
        [...withheld].some((address) => !addresses.has(address))
      ready = macs
      withheld = addresses
      const linked = new Set(ledger.enis().flatMap(({ id, mac }) => (ready.has(mac) ? [id] : [])))
      const lame = ledger
        .ips()
        .filter((ip) => isSpare(ip) && !(isIdle(ip) && linked.has(ip.eniId) && !addresses.has(ip.address)))
      unusable.saw(lame.map(({ address }) => address))
      if (more) wake() // a look that found nothing new serves nobody that waits
    },
    withheld: () =>
      withheld === undefined || disputes.size === 0 ? withheld : new Set([...withheld, ...disputes.keys()]),
    unusable: unusable.lasting,
    unlinked() {
      const lame = unusable.lasting()
      const holding = new Set(
        ledger.ips().flatMap(({ address, eniId }) => (lame.has(address) ? [eniId] : [])),
      )
      return ledger.enis().flatMap(({ id, mac }) => (holding.has(id) && !ready.has(mac) ? [id] : []))
    },
    disputed: () => disputes,
    doubt: () => doubted?.why ?? (fault && `its NEC cannot be read: ${fault}`),
    wake,
  }
}
