// Carries intents to the cloud and finds out what became of them. The ledger is the only memory: after a crash the
// same settling that follows every call picks up where the last process stopped (R2).

import type { Cancel, Clock } from '../base/clock.ts'
import type { Fields, Log } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import { randomToken } from '../base/random-token.ts'
import { type ErrorCode, errorCode, mayHaveHappened } from '../ipam/errors.ts'
import type { Action } from '../ipam/plan-node.ts'
import type { PoolTrouble } from '../ipam/pool-condition.ts'
import { type Intent, type Settlement, type SettlePolicy, settleIntent } from '../ipam/settle-intent.ts'
import type { CloudEni, EniId, NodeName } from '../ipam/types.ts'
import type { Cloud, LeaderLedger, LedgerNode, Priority } from '../ports.ts'
import type { Cidr } from '../value/cidr.ts'
import type { Millis } from '../value/millis.ts'

export interface IntentRunner {
  /** Records the action (a creation needs its subnet's block); once that is on disk it is sent, and nobody waits. Throws only `storage` and `conflict`. */
  start(node: LedgerNode, action: Action, cidr: Cidr | undefined, priority: Priority): Promise<void>
  /** Begins to settle what is open. */
  resume(): void
  stop(): void
}

export interface IntentRunnerOptions {
  readonly cloud: Cloud
  readonly ledger: LeaderLedger
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly clusterId: string
  readonly securityGroups: readonly string[]
  readonly policy: SettlePolicy
  readonly resolved: (intent: Intent, failure: PoolTrouble | undefined) => void
}

/** Tag keys on every ENI of ours. */
export const clusterTag = 'tke-eni-cluster'
const nodeTag = 'tke-eni-node'
const intentTag = 'tke-eni-intent'

/** After so many sendings that were refused for its state, an intent fails and is planned anew. */
const maxResends = 5

export function createIntentRunner(options: IntentRunnerOptions): IntentRunner {
  const { cloud, ledger, clock, random, log, policy } = options
  /** Intents whose call is under way in this process; settling leaves them alone. */
  const inFlight = new Map<number, Priority>()
  let cancelTick: Cancel | undefined
  let ticking = false
  let stopped = false

  /** A failure here is one of the ledger: what the cloud did is found out when that works again. */
  function dispatch(intent: Intent, priority: Priority): void {
    send(intent, priority).catch((error: unknown) => {
      log.error('outcome not stored', { ...fieldsOf(intent), error: (error as Error).message })
    })
  }

  async function send(intent: Intent, priority: Priority): Promise<void> {
    inFlight.set(intent.id, priority)
    try {
      const outcome = await call(intent, priority).then(
        (accept) => ({ accept }),
        (error: unknown) => ({ error }),
      )
      if ('accept' in outcome) return await outcome.accept()
      await refuse(intent, outcome.error)
    } finally {
      inFlight.delete(intent.id)
      schedule()
    }
  }

  /** Calls the cloud; what it returns stores the answer. */
  async function call(intent: Intent, priority: Priority): Promise<() => Promise<void>> {
    const { instanceId: instance, token: clientToken } = intent
    const eni = intent.eniId ?? ''
    switch (intent.kind) {
      case 'create': {
        const created = await cloud.createEni(creation(intent), priority)
        return () => ledger.write((tx) => tx.acceptCreation(intent, created.id))
      }
      case 'assign': {
        const addresses = await cloud.assignIps({ eni, count: intent.count, clientToken }, priority)
        return () => ledger.write((tx) => tx.acceptAssignment(intent, addresses))
      }
      case 'attach':
        await cloud.attachEni({ eni, instance, clientToken }, priority)
        break
      case 'detach':
        await cloud.detachEni({ eni, instance, clientToken }, priority)
        break
      case 'unassign':
        await cloud.unassignIps({ eni, addresses: intent.addresses }, priority)
        break
      case 'delete':
        await cloud.deleteEni(eni, priority)
        break
    }
    return () => ledger.write((tx) => tx.accept(intent))
  }

  function creation(intent: Intent) {
    return {
      name: `${options.clusterId}-${intent.node}-${intent.slot}`.slice(-60),
      description: 'made by tke-eni',
      subnetId: intent.subnetId,
      securityGroups: options.securityGroups,
      secondaryIps: intent.count,
      tags: { [clusterTag]: options.clusterId, [nodeTag]: intent.node, [intentTag]: intent.token },
      clientToken: intent.token,
    }
  }

  async function refuse(intent: Intent, error: unknown): Promise<void> {
    const code = errorCode(error) ?? 'unknown_outcome'
    const message = error instanceof Error ? error.message : String(error)
    const unsure =
      mayHaveHappened(code) || code === 'not_found' || code === 'invalid_state' || code === 'conflict'
    if (unsure && intent.resent < maxResends) {
      log.warn('cloud call left open', { ...fieldsOf(intent), code, error: message })
      return ledger.write((tx) => tx.noteUnanswered(intent, message))
    }
    const open = mayHaveHappened(code) || (intent.resent > 0 && saysNothing(code))
    if (open) return ledger.write((tx) => tx.noteUnanswered(intent, message))
    await ledger.write((tx) => tx.fail(intent, message))
    log.warn('cloud call refused', { ...fieldsOf(intent), code, error: message })
    options.resolved(intent, { code, message })
  }

  function schedule(): void {
    if (stopped || ticking || cancelTick !== undefined) return
    const open = ledger.openIntents().filter(({ id }) => !inFlight.has(id))
    if (open.length === 0) return
    cancelTick = clock.after(pollDelay(open, clock.now()), () => {
      cancelTick = undefined
      void tick()
    })
  }

  async function tick(): Promise<void> {
    ticking = true
    try {
      if (ledger.openIntents().some((intent) => isFromTheFuture(intent, clock.now())))
        await ledger.write((tx) => tx.rewind())
      const open = ledger.openIntents().filter(({ id }) => !inFlight.has(id))
      const lookedAt = clock.now()
      const views = await look(open)
      if (stopped) return
      const seen = open.filter(({ id }) => views.has(id))
      await Promise.all(seen.map((intent) => settle(intent, views.get(intent.id), lookedAt)))
    } catch (error) {
      log.warn('settling postponed', { error: (error as Error).message })
    } finally {
      ticking = false
      schedule()
    }
  }

  /** One look at every ENI concerned; an intent without an entry could not be looked at. */
  async function look(open: readonly Intent[]): Promise<Map<number, CloudEni | undefined>> {
    const ids = new Set(open.flatMap(({ eniId }) => (eniId === undefined ? [] : [eniId])))
    const nameless = open.filter(({ eniId }) => eniId === undefined)
    const [byId, byTag] = await Promise.all([
      ids.size === 0 ? [] : cloud.describeEnis({ ids: [...ids] }, 'warm-refill'),
      Promise.all(nameless.map((intent) => findCreated(intent))),
    ])
    const known = new Map<EniId, CloudEni>(byId.map((eni) => [eni.id, eni]))
    return new Map([
      ...open.flatMap((intent): [number, CloudEni | undefined][] =>
        intent.eniId === undefined ? [] : [[intent.id, known.get(intent.eniId)]],
      ),
      ...byTag,
    ])
  }

  async function findCreated(intent: Intent): Promise<[number, CloudEni | undefined]> {
    const tags = { [clusterTag]: options.clusterId, [intentTag]: intent.token }
    const [eni] = await cloud.describeEnis({ tags }, 'warm-refill')
    return [intent.id, eni]
  }

  async function settle(intent: Intent, eni: CloudEni | undefined, lookedAt: Millis): Promise<void> {
    const settlement = settleIntent(intent, eni, ledger.addressesOf(intent.eni), lookedAt, policy)
    switch (settlement.kind) {
      case 'wait':
        if (eni !== undefined && intent.missingSince !== undefined)
          await ledger.write((tx) => tx.noteMissing(intent, false))
        return
      case 'missing':
        return ledger.write((tx) => tx.noteMissing(intent, true))
      case 'resend':
        return resend(intent, settlement)
      case 'done':
        await ledger.write((tx) => tx.finish(intent, eni))
        return conclude(intent, undefined)
      case 'gone':
        return settleGone(intent)
      case 'failed':
        await ledger.write((tx) => tx.fail(intent, settlement.why))
        return conclude(intent, { code: 'invalid_state', message: settlement.why })
    }
  }

  async function resend(
    intent: Intent,
    { sameToken }: Extract<Settlement, { kind: 'resend' }>,
  ): Promise<void> {
    if (!sameToken && intent.resent >= maxResends) {
      const message = 'accepted several times without effect'
      await ledger.write((tx) => tx.fail(intent, message))
      return conclude(intent, { code: 'cloud_fault', message })
    }
    const again = await ledger.write((tx) =>
      tx.resend(intent, sameToken ? intent.token : randomToken(random)),
    )
    log.info('cloud call sent again', fieldsOf(again))
    dispatch(again, 'warm-refill')
  }

  /** Without an ENI there is nothing to take off or to attach; one that vanished under addresses of pods is shown, not forgotten. */
  async function settleGone(intent: Intent): Promise<void> {
    if (intent.kind !== 'assign' && intent.kind !== 'unassign') {
      await ledger.write((tx) => tx.finish(intent, undefined))
      return conclude(intent, undefined)
    }
    const message = `ENI "${intent.eniId}" does not exist any more`
    await ledger.write((tx) => tx.fail(intent, message))
    conclude(intent, { code: 'not_found', message })
  }

  function conclude(intent: Intent, failure: PoolTrouble | undefined): void {
    if (failure === undefined) log.info('cloud call settled', fieldsOf(intent))
    else log.warn('cloud call failed', { ...fieldsOf(intent), ...failure })
    options.resolved(intent, failure)
  }

  return {
    async start(node, action, cidr, priority) {
      const intent = await ledger.write((tx) => tx.record(node, action, cidr, randomToken(random)))
      dispatch(intent, priority)
    },
    resume: schedule,
    stop() {
      stopped = true
      cancelTick?.()
    },
  }
}

function isFromTheFuture({ createdAt, changedAt, missingSince = 0 }: Intent, now: Millis): boolean {
  return Math.max(createdAt, changedAt, missingSince) > now
}

/** Refused before it was looked at: that an earlier sending of the same call had no effect is not said by this. */
function saysNothing(code: ErrorCode): boolean {
  return code === 'throttled' || code === 'unavailable' || code === 'in_progress'
}

function fieldsOf(intent: Intent): Fields & { node: NodeName } {
  return {
    intent: intent.id,
    action: intent.kind,
    node: intent.node,
    eni: intent.eniId,
    reason: intent.reason,
  }
}

/** Soon while something is fresh, seldom when it takes long: the describe quota belongs to everybody. */
function pollDelay(open: readonly Intent[], now: number): number {
  const youngest = Math.min(...open.map(({ changedAt }) => now - changedAt))
  return youngest < 3000 ? 200 : youngest < 30_000 ? 1000 : 5000
}
