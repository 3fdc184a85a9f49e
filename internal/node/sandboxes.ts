// CNI's verbs in domain words: connect a sandbox to the pool, check it, disconnect it. Everything is keyed by container
// and interface, so that a late DEL of an old sandbox never frees what a newer one has (R9).
import type { KeyedLock } from '../base/keyed-lock.ts'
import type { Log } from '../base/log.ts'
import { IpamError, withHint } from '../ipam/errors.ts'
import type { PodNeed } from '../ipam/pod-need.ts'
import type { Attachment, Linux, NodeKube, NodeLedger, Sandbox, SandboxKey } from '../ports.ts'
import type { Ipv4 } from '../value/ipv4.ts'
import type { GivenEnis } from './given-enis.ts'
import type { LocalPool } from './local-pool.ts'
import { createPodNetworks, type PodNetwork } from './pod-network.ts'
import type { NodeSettings } from './settings.ts'
import type { Strangers } from './strangers.ts'

export interface Sandboxes {
  /** The same answer for a repeated call; `signal` ends the wait for an address. Throws `no_address`, `kernel`, `storage`. */
  add(sandbox: Sandbox, need: () => Promise<PodNeed>, signal?: AbortSignal): Promise<PodNetwork>
  /** Nothing when the sandbox is not known (any more). */
  remove(key: SandboxKey, reason: string): Promise<void>
  /** What is not as `add` left it in the namespace that is asked about. Throws `not_found` for an unknown sandbox. */
  check(key: SandboxInPlace): Promise<readonly string[]>
  /** Removes every sandbox that is not among `valid`; then throws for the first that could not be removed. */
  collect(valid: readonly SandboxKey[]): Promise<void>
  /** Makes the kernel side of a known sandbox anew. */
  reconnect(attachment: Attachment): Promise<void>
  /** Being added or removed right now: their kernel state is in motion. */
  busy(): { readonly addresses: ReadonlySet<Ipv4>; readonly links: ReadonlySet<string> }
}

export type SandboxInPlace = SandboxKey & Pick<Sandbox, 'netns'>

export interface SandboxesOptions {
  readonly ledger: NodeLedger
  readonly linux: Linux
  readonly pool: LocalPool
  readonly strangers: Strangers
  readonly givenEnis: GivenEnis
  readonly locks: KeyedLock
  readonly log: Log
  readonly settings: NodeSettings
  readonly notify: NodeKube['notify']
}

export function createSandboxes({
  ledger,
  linux,
  pool,
  strangers,
  givenEnis,
  locks,
  log,
  settings,
  notify,
}: SandboxesOptions): Sandboxes {
  const moving = new Set<Attachment>()
  const network = createPodNetworks(ledger, linux, settings)

  async function whileMoving<T>(attachment: Attachment, work: () => Promise<T>): Promise<T> {
    moving.add(attachment)
    try {
      return await work()
    } finally {
      moving.delete(attachment)
    }
  }

  function connect(attachment: Attachment): Promise<PodNetwork> {
    return whileMoving(attachment, () => network.connect(attachment))
  }

  /** Teardown before release: the address is free only when no rule or route of the pod is left. */
  function release(attachment: Attachment, reason: string): Promise<void> {
    return whileMoving(attachment, async () => {
      await network.disconnect(attachment)
      await ledger.write((tx) => tx.detach(attachment, tx.now + settings.cooldown, reason))
      log.info('address freed', { address: attachment.address, ...attachment.pod, reason })
      pool.wake()
    })
  }

  /** A pod has one sandbox: the runtime made a new one because the earlier one is gone; but an ADD that comes late may be of that one. */
  async function supersede(sandbox: Sandbox): Promise<void> {
    if (sandbox.pod.uid === '') return
    const { containerId, ifname, netns, pod } = sandbox
    const others = ledger.attachmentsOfPod(pod.uid, ifname).filter((old) => old.containerId !== containerId)
    if (others.length === 0) return
    if (!(await linux.namespaceExists(netns)))
      throw new IpamError('kernel', `Cannot connect the pod: its network namespace "${netns}" is gone`)
    for (const old of others) await remove(old, 'a newer sandbox of the pod took over')
  }

  /** Whoever looks at a pod that has no network yet finds out why (K3). */
  async function allocate(
    sandbox: Sandbox,
    need: PodNeed,
    signal: AbortSignal | undefined,
  ): Promise<Attachment> {
    await supersede(sandbox)
    try {
      return await pool.allocate(sandbox, need, settings.addTimeout, signal, (shortage) => {
        tell(sandbox, 'WaitingForAddress', shortage)
      })
    } catch (error) {
      tell(sandbox, 'FailedAllocateAddress', error)
      throw error
    }
  }

  function tell({ pod }: Sandbox, reason: string, error: unknown): void {
    if (pod.name === '' || !(error instanceof IpamError)) return
    const { namespace, name, uid } = pod
    const about = { kind: 'Pod', namespace, name, uid } as const
    notify({ about, type: 'Warning', reason, message: withHint(error) })
  }

  function remove(key: SandboxKey, reason: string): Promise<void> {
    return locks.run(sandboxId(key), async () => {
      const attachment = await find(key)
      if (attachment !== undefined) return await release(attachment, reason)
      await strangers.remove(key, reason)
      await givenEnis.remove(key, reason)
    })
  }

  /** A ledger that was lost or restored is compared with the kernel before it is believed. */
  async function find(key: SandboxKey): Promise<Attachment | undefined> {
    const known = ledger.attachment(key)
    if (known !== undefined && !strangers.outdated()) return known
    await strangers.known()
    return ledger.attachment(key)
  }

  return {
    add: (sandbox, need, signal) =>
      locks.run(sandboxId(sandbox), async () => {
        const known = (await find(sandbox)) ?? (await strangers.adopt(sandbox))
        if (known !== undefined) {
          if (known.netns === sandbox.netns) return connect(known)
          await release(known, 'the sandbox has another network namespace')
        }
        const attachment = await allocate(sandbox, await need(), signal)
        try {
          const connected = await connect(attachment)
          log.info('address given', {
            address: attachment.address,
            ...sandbox.pod,
            container: sandbox.containerId,
          })
          return connected
        } catch (error) {
          tell(sandbox, 'FailedConnectPod', error)
          await release(attachment, 'the pod could not be connected').catch((fault: Error) =>
            log.warn('address kept until DEL', { address: attachment.address, error: fault.message }),
          )
          throw error
        }
      }),
    remove,
    check: (key) =>
      locks.run(sandboxId(key), async () => {
        const attachment = await find(key)
        if (attachment === undefined) {
          throw new IpamError(
            'not_found',
            `Cannot check container "${key.containerId}": it has no address here`,
          )
        }
        const { netns } = key
        const faults = await network.inspect({ ...attachment, netns })
        // The same namespace may have several paths.
        if (netns === attachment.netns || faults.length === 0) return faults
        return [`it was connected in network namespace "${attachment.netns}", not "${netns}"`, ...faults]
      }),
    async collect(valid) {
      await strangers.known()
      const keep = new Set(valid.map(sandboxId))
      const stale = ledger.attachments().filter((attachment) => !keep.has(sandboxId(attachment)))
      const faults: unknown[] = []
      for (const attachment of stale) {
        await remove(attachment, 'the runtime no longer has the sandbox').catch((fault) => faults.push(fault))
      }
      for (const link of strangers.unlike(valid)) {
        const removed = strangers.removeLink(link, 'the runtime no longer has the sandbox')
        await removed.catch((fault) => faults.push(fault))
      }
      if (faults.length > 0) throw faults[0]
    },
    reconnect: (attachment) =>
      locks.run(sandboxId(attachment), async () => {
        if (ledger.attachment(attachment)?.address === attachment.address) await connect(attachment)
      }),
    busy: () => ({
      addresses: new Set([...moving].map(({ address }) => address)),
      links: new Set([...moving].map(({ hostLink }) => hostLink)),
    }),
  }
}

/** What CNI keys its calls by, as one text. */
export function sandboxId(key: SandboxKey): string {
  return `${key.containerId}/${key.ifname}`
}
