// Keeps the kubelet's view of this node's pools in step with them (P17), and of how many EIPs its pods can have (E5). No ADD waits for it, and none fails with it.
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { startRounds } from '../base/rounds.ts'
import { eipResource, resourceCounts, resourceNames } from '../ipam/resource-counts.ts'
import { type EniMode, eniModes, type NodeBounds } from '../ipam/types.ts'
import type { Kubelet, NodeLedger } from '../ports.ts'
import type { Ipv4 } from '../value/ipv4.ts'

export interface Resources {
  /** The pools may have changed. */
  wake(): void
  stop(): void
}

export interface ResourcesOptions {
  readonly ledger: NodeLedger
  /** As last published; undefined when that is not known yet. */
  readonly bounds: () => NodeBounds | undefined
  /** Addresses are bound when their pods are there, and not before. */
  readonly onDemand: () => boolean
  /** What is bound and no pod can get. */
  readonly unusable: () => ReadonlySet<Ipv4>
  readonly kubelet: Kubelet
  readonly clock: Clock
  readonly log: Log
}

/** A burst of changes is told once; and now and then it is looked whether one was missed. */
const gatherFor = 200
const lookEvery = 30_000

export function startResources(options: ResourcesOptions): Resources {
  const { ledger, bounds, onDemand, unusable, kubelet, clock, log } = options

  async function tell(mode: EniMode): Promise<void> {
    const lame = unusable()
    const usable = ledger.ips().filter(({ address, inUse }) => inUse || !lame.has(address))
    const counts = resourceCounts(mode, bounds(), usable, ledger.enis(), onDemand())
    if (counts.capacity > 0) kubelet.offer(resourceNames[mode], counts)
    else await kubelet.withdraw(resourceNames[mode])
  }

  /** What the instance takes, whoever has it now: which pods have EIPs the kubelet knows, by what they ask for. */
  async function tellEips(): Promise<void> {
    const most = ledger.eips()
    if (most === undefined) return // nobody knows yet, and what was offered before may still be right
    if (most > 0) kubelet.offer(eipResource, { capacity: most, allocatable: most })
    else await kubelet.withdraw(eipResource)
  }

  const rounds = startRounds(clock, async () => {
    try {
      for (const mode of eniModes) await tell(mode)
      await tellEips()
    } catch (error) {
      log.warn('resources not told to the kubelet', { error: (error as Error).message, retryIn: lookEvery })
    }
    return lookEvery
  })
  return { wake: () => rounds.wake(gatherFor), stop: rounds.stop }
}

/** The ledger, with `changed` called after each of its writes. */
export function observed(ledger: NodeLedger, changed: () => void): NodeLedger {
  return {
    ...ledger,
    async write(change) {
      try {
        return await ledger.write(change)
      } finally {
        changed()
      }
    },
  }
}
