// Learns what a new node is in the cloud (zone, quotas) and opens its page in the ledger. Nodes that
// join at once share a describe call; quotas are asked once per instance type.
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { assumedQuota } from '../ipam/assumed-quota.ts'
import { errorCode, IpamError } from '../ipam/errors.ts'
import { boundsOf, type NodeQuota } from '../ipam/node-bounds.ts'
import type { CloudEniQuota, CloudInstance, NodeFact, NodeName } from '../ipam/types.ts'
import type { Cloud, LeaderLedger, LedgerNode } from '../ports.ts'
import type { Millis } from '../value/millis.ts'
import { gatherInstances } from './gather-instances.ts'
import type { LeaderSettings } from './settings.ts'

export interface Registrar {
  /** What the node's instance takes now; as it was known when the cloud has been asked lately, or cannot be. Never rejects. */
  quota(node: LedgerNode): Promise<NodeQuota>
  /** Registers the node; throws `not_found` when the cloud has no such instance, `conflict` when it is another node's. */
  register(node: NodeFact & { readonly instanceId: string }): Promise<void>
}

/** The type of an instance changes only while it is shut down. */
const askAgainAfter: Millis = 10 * 60_000

export function createRegistrar(
  cloud: Cloud,
  ledger: LeaderLedger,
  settings: LeaderSettings,
  clock: Clock,
  log: Log,
): Registrar {
  const quotas = new Map<string, Promise<CloudEniQuota>>()
  const instanceOf = gatherInstances(cloud, clock)
  const askedAt = new Map<NodeName, Millis>()

  function quotaOf(instance: CloudInstance): Promise<CloudEniQuota> {
    const known = quotas.get(instance.instanceType)
    if (known !== undefined) return known
    const asked = cloud
      .describeEniQuota(instance.id, 'warm-refill')
      .catch((error: unknown) => assume(instance, error))
    quotas.set(instance.instanceType, asked)
    asked.catch(() => quotas.delete(instance.instanceType)) // a failure is no answer to remember
    return asked
  }

  /** A role that may not ask must not keep nodes out: what is assumed too high the cloud refuses to attach. */
  function assume({ cpus, instanceType }: CloudInstance, error: unknown): CloudEniQuota {
    if (errorCode(error) !== 'denied') throw error
    const quota = assumedQuota(cpus)
    log.warn('quotas of an instance type assumed', {
      instanceType,
      cpus,
      ...quota,
      error: (error as Error).message,
    })
    return quota
  }

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

  return {
    async register(node) {
      refuseTaken(node)
      const instance = await instanceOf(node.instanceId)
      if (instance === undefined) {
        throw new IpamError(
          'not_found',
          `Cannot register node "${node.name}": there is no instance "${node.instanceId}"`,
          {
            hint: 'check the node label cloud.tencent.com/node-instance-id and the region setting',
          },
        )
      }
      const quota = quotaFor(instance, await quotaOf(instance))
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
      askedAt.set(node.name, clock.now())
      const { id, zone } = instance
      log.info('node registered', { node: node.name, instance: id, zone, ...quota })
    },

    async quota({ name, instanceId, quota }) {
      const last = askedAt.get(name)
      if (quota.instanceType !== '' && last !== undefined && clock.now() - last < askAgainAfter) return quota
      askedAt.set(name, clock.now())
      try {
        const instance = await instanceOf(instanceId)
        if (instance === undefined || instance.instanceType === quota.instanceType) return quota
        const now = quotaFor(instance, await quotaOf(instance))
        log.info('quotas of an instance changed', { node: name, instance: instanceId, from: quota, to: now })
        return now
      } catch (error) {
        log.warn('quotas of an instance not read', { node: name, error: (error as Error).message })
        return quota
      }
    },
  }
}

/** The API counts the instance's own ENI and each ENI's primary address; pods get neither. */
function quotaFor({ instanceType }: CloudInstance, { enis, ipsPerEni }: CloudEniQuota): NodeQuota {
  return { instanceType, enis: Math.max(0, enis - 1), ipsPerEni: Math.max(0, ipsPerEni - 1) }
}
