// Learns what a new node is in the cloud (zone, quotas) and opens its page in the ledger. Nodes that
// join at once share a describe call; quotas are asked once per instance type.
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { IpamError } from '../ipam/errors.ts'
import type { CloudEniQuota, CloudInstance, EniLimits, NodeFact } from '../ipam/types.ts'
import type { Cloud, LeaderLedger } from '../ports.ts'
import { gatherInstances } from './gather-instances.ts'
import type { LeaderSettings } from './settings.ts'

export interface Registrar {
  /** Registers the node; throws `not_found` when the cloud has no such instance, `conflict` when it is another node's. */
  register(node: NodeFact & { readonly instanceId: string }): Promise<void>
}

export function createRegistrar(
  cloud: Cloud,
  ledger: LeaderLedger,
  settings: LeaderSettings,
  clock: Clock,
  log: Log,
): Registrar {
  const quotas = new Map<string, Promise<CloudEniQuota>>()
  const instanceOf = gatherInstances(cloud, clock)

  function quotaOf(instance: CloudInstance): Promise<CloudEniQuota> {
    const known = quotas.get(instance.instanceType)
    if (known !== undefined) return known
    const asked = cloud.describeEniQuota(instance.id, 'warm-refill')
    quotas.set(instance.instanceType, asked)
    asked.catch(() => quotas.delete(instance.instanceType)) // a failure is no answer to remember
    return asked
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
      const limits = limitsOf(await quotaOf(instance), settings.maxEnisPerNode)
      await ledger.write((tx) =>
        tx.addNode({
          name: node.name,
          uid: node.uid,
          instanceId: instance.id,
          zone: instance.zone,
          phase: 'active',
          limits,
          targets: settings.targets,
        }),
      )
      log.info('node registered', { node: node.name, instance: instance.id, zone: instance.zone, ...limits })
    },
  }
}

/** The API counts the instance's own ENI and each ENI's primary address; pods get neither. */
function limitsOf(quota: CloudEniQuota, most = Number.POSITIVE_INFINITY): EniLimits {
  return { maxEnis: Math.min(most, Math.max(0, quota.enis - 1)), ipsPerEni: Math.max(0, quota.ipsPerEni - 1) }
}
