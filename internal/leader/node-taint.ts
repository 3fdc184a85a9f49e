// Keeps new nodes closed to pods until they have addresses for them (K5). What fails here holds nothing else up.
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { judgeAvailability } from '../ipam/judge-availability.ts'
import type { NodeBounds, NodeFact, NodeName } from '../ipam/types.ts'
import type { LeaderKube } from '../ports.ts'
import type { Millis } from '../value/millis.ts'
import type { ClusterFacts } from './facts.ts'
import type { LeaderSettings } from './settings.ts'

export interface TaintKeeper {
  /** Of a node whose pool is not made yet. Never rejects. */
  newcomer(fact: NodeFact): Promise<void>
  /** `served`: the pool of its ordinary pods is as it should be. Never rejects. */
  keep(fact: NodeFact, bounds: NodeBounds, served: boolean): Promise<void>
  forget(name: NodeName): void
}

export interface TaintOptions {
  readonly kube: LeaderKube
  readonly facts: ClusterFacts
  readonly clock: Clock
  readonly log: Log
  readonly settings: Pick<LeaderSettings, 'manageTaint' | 'ordinaryPods'>
}

/** A write that the watch has not shown after so long, or that failed, is made again. */
const againAfter: Millis = 5000

export function createTaintKeeper({ kube, facts, clock, log, settings }: TaintOptions): TaintKeeper {
  const written = new Map<NodeName, { unavailable: boolean; at: Millis }>()

  async function set({ name, unavailable: now }: NodeFact, unavailable: boolean): Promise<void> {
    const last = written.get(name)
    if (now === unavailable) return void written.delete(name)
    if (last?.unavailable === unavailable && clock.now() - last.at < againAfter) return
    written.set(name, { unavailable, at: clock.now() })
    try {
      await kube.setUnavailable(name, unavailable)
      log.info(unavailable ? 'node closed to pods' : 'node opened to pods', { node: name })
    } catch (error) {
      log.warn('taint of a node not set', { node: name, unavailable, error: (error as Error).message })
    }
  }

  return {
    async newcomer(fact) {
      if (settings.manageTaint && facts.nec(fact.name)?.report === undefined) await set(fact, true)
    },
    async keep(fact, bounds, served) {
      if (!settings.manageTaint) return
      const found = judgeAvailability(facts.nec(fact.name), bounds, settings.ordinaryPods, served)
      if (found !== 'undecided') await set(fact, found === 'unavailable')
    },
    forget: (name) => void written.delete(name),
  }
}
