// Learns what a new node is in the cloud (zone, quotas) and opens its page in the ledger. Nodes that join at once share a describe call.
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { IpamError } from '../ipam/errors.ts'
import { boundsOf, type NodeQuota } from '../ipam/node-bounds.ts'
import type { NodeFact, NodeName } from '../ipam/types.ts'
import type { Cloud, LeaderLedger, LedgerNode } from '../ports.ts'
import type { Millis } from '../value/millis.ts'
import { gatherInstances } from './gather-instances.ts'
import { createQuotaBook } from './quota-book.ts'
import type { LeaderSettings } from './settings.ts'

export interface Registrar {
  /** What the node's instance takes, as last heard. Nobody waits: it is asked again now and then, and the node is woken when it is another. */
  quota(node: LedgerNode): NodeQuota
  /** Registers the node; throws `not_found` when the cloud has no such instance, `conflict` when it is another node's. */
  register(node: NodeFact & { readonly instanceId: string }): Promise<void>
  forget(name: NodeName): void
}

export interface RegistrarOptions {
  readonly cloud: Cloud
  readonly ledger: LeaderLedger
  readonly settings: LeaderSettings
  readonly clock: Clock
  readonly log: Log
  readonly wake: (node: NodeName) => void
}

/** The type of an instance changes only while it is shut down. */
const askAgainAfter: Millis = 10 * 60_000
/** What was not to be had. */
const retryAfter: Millis = 2 * 60_000
/** All nodes ask after a leader's start. */
const gatherFor: Millis = 1000

interface Heard {
  readonly instanceId: string
  askAt: Millis
  quota: NodeQuota | undefined
}

export function createRegistrar(options: RegistrarOptions): Registrar {
  const { cloud, ledger, settings, clock, log, wake } = options
  const quotas = createQuotaBook(cloud, clock, log)
  const newInstance = gatherInstances(cloud, clock, { within: 0, priority: 'warm-refill' })
  const knownInstance = gatherInstances(cloud, clock, { within: gatherFor, priority: 'collect' })
  const heard = new Map<NodeName, Heard>()

  /** Two nodes on one instance would both hand out its addresses. */
  function refuseTaken({ name, instanceId }: NodeFact): void {
    const holder = ledger.nodes().find((node) => node.phase === 'active' && node.instanceId === instanceId)
    if (holder === undefined) return
    throw new IpamError(
      'conflict',
      `Cannot register node "${name}": instance "${instanceId}" is that of node "${holder.name}"`,
      { hint: 'check the node label cloud.tencent.com/node-instance-id of both' },
    )
  }

  async function ask(node: NodeName, of: Heard, known: NodeQuota): Promise<void> {
    try {
      const instance = await knownInstance(of.instanceId)
      if (instance === undefined) return
      // A ledger of before has not asked how many EIPs it takes.
      if (instance.instanceType === known.instanceType && known.eips > 0) return
      of.quota = await quotas.of(instance)
      if (heard.get(node) !== of || isSame(of.quota, known)) return
      log.info('quotas of an instance changed', {
        node,
        instance: of.instanceId,
        from: known,
        to: of.quota,
      })
      wake(node)
    } catch (error) {
      of.askAt = clock.now() + retryAfter
      log.warn('quotas of an instance not read', { node, error: (error as Error).message })
    }
  }

  return {
    async register(node) {
      refuseTaken(node)
      const instance = await newInstance(node.instanceId)
      if (instance === undefined) {
        throw new IpamError(
          'not_found',
          `Cannot register node "${node.name}": there is no instance "${node.instanceId}"`,
          {
            hint: 'check the node label cloud.tencent.com/node-instance-id and the region setting',
          },
        )
      }
      const quota = await quotas.of(instance)
      const { maxPods } = node
      const { defaults } = settings
      const bounds = boundsOf({ quota, defaults, overrides: {}, maxPods }, settings)
      await ledger.write((tx) =>
        tx.addNode({
          name: node.name,
          uid: node.uid,
          instanceId: instance.id,
          zone: instance.zone,
          phase: 'active',
          ...bounds,
          quota,
          defaults,
          overrides: {},
        }),
      )
      heard.set(node.name, {
        instanceId: instance.id,
        askAt: clock.now() + askAgainAfter,
        quota: undefined,
      })
      const { id, zone } = instance
      log.info('node registered', { node: node.name, instance: id, zone, ...quota })
    },

    quota({ name, instanceId, quota }) {
      const last = heard.get(name)
      const known = last?.instanceId === instanceId ? last : undefined
      const now = known?.quota ?? quota
      if (known === undefined || clock.now() >= known.askAt) {
        const next = { instanceId, askAt: clock.now() + askAgainAfter, quota: known?.quota }
        heard.set(name, next)
        void ask(name, next, now)
      }
      return now
    },

    forget: (name) => heard.delete(name),
  }
}

function isSame(a: NodeQuota, b: NodeQuota): boolean {
  return (
    a.instanceType === b.instanceType && a.enis === b.enis && a.ipsPerEni === b.ipsPerEni && a.eips === b.eips
  )
}
