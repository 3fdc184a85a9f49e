// What instances take, asked once per type. A leader that may not ask assumes it, and asks again before long: once it may, what the
// cloud says counts.
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { assumedQuota } from '../ipam/assumed-quota.ts'
import { eipsForPods } from '../ipam/eip-quota.ts'
import { errorCode, IpamError } from '../ipam/errors.ts'
import type { NodeQuota } from '../ipam/node-bounds.ts'
import type { CloudEniQuota, CloudInstance } from '../ipam/types.ts'
import type { Cloud } from '../ports.ts'
import type { Millis } from '../value/millis.ts'

export interface QuotaBook {
  /** Without a type when it is assumed. Throws what the cloud throws, but for `denied`. */
  of(instance: CloudInstance): Promise<NodeQuota>
}

/** Nodes of one type that join within it do not ask one by one. */
const assumedFor: Millis = 60_000

interface Entry {
  readonly quota: Promise<NodeQuota>
  until: Millis
}

export function createQuotaBook(cloud: Cloud, clock: Clock, log: Log): QuotaBook {
  const entries = new Map<string, Entry>()

  /** A role that may not ask must not keep nodes out: what is assumed too high the cloud refuses to attach. */
  function assume({ cpus, instanceType }: CloudInstance, error: Error): NodeQuota {
    const quota = assumedQuota(cpus)
    const { message } = error
    log.warn('quotas of an instance type assumed', { instanceType, cpus, ...quota, error: message })
    return forPods('', quota, cpus)
  }

  /** What it takes as another type by now must not be said of all of its former one. */
  async function refuseResized({ id, instanceType }: CloudInstance): Promise<void> {
    const [now] = await cloud.describeInstances([id], 'warm-refill')
    if (now === undefined || now.instanceType === instanceType) return
    const message = `Cannot read the quotas of "${instanceType}": instance "${id}" has become "${now.instanceType}"`
    throw new IpamError('unavailable', message)
  }

  async function ask(instance: CloudInstance): Promise<NodeQuota> {
    const { cpus, id, instanceType } = instance
    try {
      const quota = await cloud.describeEniQuota(id, 'warm-refill')
      await refuseResized(instance)
      return forPods(instanceType, quota, cpus)
    } catch (error) {
      const entry = entries.get(instanceType)
      if (entry !== undefined) entry.until = clock.now() // a failure is no answer to remember
      if (errorCode(error) !== 'denied') throw error
      if (entry !== undefined) entry.until += assumedFor
      return assume(instance, error as Error)
    }
  }

  return {
    of(instance) {
      const known = entries.get(instance.instanceType)
      if (known !== undefined && clock.now() < known.until) return known.quota
      const quota = ask(instance)
      entries.set(instance.instanceType, { quota, until: Number.POSITIVE_INFINITY })
      return quota
    },
  }
}

/** The API counts the instance's own ENI and each ENI's primary address; pods get neither. */
function forPods(instanceType: string, { enis, ipsPerEni }: CloudEniQuota, cpus: number): NodeQuota {
  const [forEnis, forIps] = [Math.max(0, enis - 1), Math.max(0, ipsPerEni - 1)]
  return { instanceType, enis: forEnis, ipsPerEni: forIps, eips: eipsForPods(cpus) }
}
