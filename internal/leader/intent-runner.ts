// Carries intents to the cloud and finds out what became of them. The ledger is the only memory: after a crash the
// same settling that follows every call picks up where the last process stopped (R2).

import type { Cancel, Clock } from '../base/clock.ts'
import type { Fields, Log } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import { randomToken } from '../base/random-token.ts'
import { clusterTag, intentTag, tagsOf } from '../ipam/eni-tags.ts'
import { errorCode, withHint } from '../ipam/errors.ts'
import type { Action } from '../ipam/plan-node.ts'
import type { PoolTrouble } from '../ipam/pool-condition.ts'
import {
  type Intent,
  isFromTheFuture,
  mayDiffer,
  type Settlement,
  type SettlePolicy,
  settleIntent,
} from '../ipam/settle-intent.ts'
import { settleMigration } from '../ipam/settle-migration.ts'
import type { SurveySettlement } from '../ipam/survey.ts'
import type { CloudEni, NodeName } from '../ipam/types.ts'
import type { Cloud, LeaderLedger, LedgerNode, Priority } from '../ports.ts'
import type { Cidr } from '../value/cidr.ts'
import type { Ipv4 } from '../value/ipv4.ts'
import type { Millis } from '../value/millis.ts'
import { withoutHeld } from './eips/held-addresses.ts'

export interface IntentRunner {
  /**
   * Records the action (a creation needs its subnet's block); once that is on disk it is sent, and nobody waits. Nothing of it that takes an
   * address off its ENI which an EIP is on. Throws only `storage` and `conflict`.
   */
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
  readonly massLossAfter: Millis
  readonly resolved: (intent: Intent, failure: PoolTrouble | undefined) => void
  /** It is open still, and for long enough that people should know why. */
  readonly hindered: (intent: Intent, trouble: PoolTrouble) => void
  /** These addresses stay on their ENIs until their EIPs have left them. */
  readonly held: (addresses: readonly Ipv4[]) => void
  /** An ENI that served does not exist any more: it is forgotten with its addresses. */
  readonly lost: (what: SurveySettlement) => void
}

/** Sent again so often, an intent in trouble is told about: one lost answer is not worth an event. */
const toldAfterResends = 2

/** So many ENIs may be missing at once, and none to be seen; more are not believed to be gone, for `massLossAfter`. */
const fewEnis = 3

/** An open intent and its ENI as described; with `error` it could not be looked at, or settled. */
interface View {
  readonly intent: Intent
  readonly eni: CloudEni | undefined
  /** Of a migration: where the address comes from. */
  readonly from?: CloudEni | undefined
  readonly error?: Error
}

/** Of an ENI that is gone: it carries no address. */
const nothing = { ips: [], instanceId: undefined } as const

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
      const fields = { ...fieldsOf(intent), error: (error as Error).message }
      // Who ends, or is deposed, leaves it open, as a crash does: the next one finds out.
      if (stopped || errorCode(error) === 'deposed') log.info('outcome left to the next start', fields)
      else log.error('outcome not stored', fields)
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
        const { addresses: wanted, count, exact } = intent
        const request = { eni, count, clientToken, ...(exact && { addresses: wanted }) }
        const addresses = await cloud.assignIps(request, priority)
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
      case 'migrate':
        for (const address of intent.addresses)
          await cloud.migrateIp({ from: intent.from?.eniId ?? '', to: eni, address }, priority)
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
      tags: tagsOf({ ...intent, clusterId: options.clusterId }),
      clientToken: intent.token,
    }
  }

  /** Only a refusal of the very first sending says that nothing has happened; all else is found out by looking. */
  async function refuse(intent: Intent, error: unknown): Promise<void> {
    const code = errorCode(error) ?? 'unknown_outcome'
    const message = withHint(error)
    if (intent.resent > 0 || mayDiffer(intent.kind, code)) {
      log.warn('cloud call left open', { ...fieldsOf(intent), code, error: message })
      await ledger.write((tx) => tx.noteUnanswered(intent, message))
      if (intent.resent >= toldAfterResends) options.hindered(intent, { code, message })
      return
    }
    await ledger.write((tx) => tx.fail(intent, message, { forGood: code === 'bad_input' }))
    conclude(intent, { code, message })
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
      const views = await Promise.all(open.map((intent) => look(intent)))
      if (stopped) return
      const trusted = views.filter((view) => view.error === undefined)
      const blind = seesNothing(trusted)
      if (blind)
        log.warn('none of our ENIs is shown: nothing is settled by that', { intents: trusted.length })
      const settled = await Promise.all(
        trusted
          .filter(({ eni, from }) => !blind || eni !== undefined || from !== undefined)
          .map((view) => settleOne(view, lookedAt)),
      )
      const failed = [...views, ...settled].flatMap(({ error }) => error ?? [])
      if (failed.length > 0)
        log.warn('settling postponed', { intents: failed.length, error: failed[0]?.message })
    } catch (error) {
      log.warn('settling postponed', { error: (error as Error).message })
    } finally {
      ticking = false
      schedule()
    }
  }

  /** Each for itself: what cannot be read of one holds up no other. The client asks for many in one call. */
  async function look(intent: Intent): Promise<View> {
    try {
      const { eniId, from } = intent
      if (from === undefined) return { intent, eni: await find(intent) }
      const both = await cloud.describeEnis({ ids: [eniId ?? '', from.eniId] }, 'warm-refill')
      const of = (id: string | undefined) => both.find((eni) => eni.id === id)
      return { intent, eni: of(eniId), from: of(from.eniId) }
    } catch (error) {
      return { intent, eni: undefined, error: error as Error }
    }
  }

  async function settleOne(view: View, lookedAt: Millis): Promise<View> {
    try {
      await settle(view, lookedAt)
      return view
    } catch (error) {
      return { ...view, error: error as Error }
    }
  }

  /**
   * Many looked for, and none there: a wrong region or account is likelier than that all are gone. Those whose deletion the
   * cloud has accepted are not looked for: they should be gone.
   */
  function seesNothing(views: readonly View[]): boolean {
    const since = clock.now() - options.massLossAfter
    const sought = views.filter(
      ({ intent }) => intent.eniId !== undefined && intent.createdAt > since && !isBeingDeleted(intent),
    )
    return sought.length > fewEnis && views.every(({ eni, from }) => eni === undefined && from === undefined)
  }

  async function find({ eniId, token }: Intent): Promise<CloudEni | undefined> {
    const tags = { [clusterTag]: options.clusterId, [intentTag]: token }
    const query = eniId === undefined ? { tags } : { ids: [eniId] }
    const [eni] = await cloud.describeEnis(query, 'warm-refill')
    return eni
  }

  async function settle({ eni, from, intent }: View, lookedAt: Millis): Promise<void> {
    const known = ledger.addressesOf(intent.eni)
    const left = ledger.leftSince(intent.eni, lookedAt - policy.staleFor)
    const moves = intent.addresses.some((address) => left.has(address))
    const settlement =
      intent.kind === 'migrate'
        ? settleMigration(intent, { from, to: eni, left: moves }, lookedAt, policy)
        : settleIntent(intent, eni, { known, left }, lookedAt, policy)
    switch (settlement.kind) {
      case 'wait':
        if (intent.missingSince !== undefined) await ledger.write((tx) => tx.noteMissing(intent, false))
        return tellIfSlow(intent, lookedAt)
      case 'doubt':
        if (intent.missingSince === undefined) await ledger.write((tx) => tx.noteMissing(intent, true))
        return
      case 'resend':
        return resend(intent, settlement)
      case 'done':
        // An address that the ledger has elsewhere has just gone from there, as a rule: that is settled soon.
        await ledger.write((tx) => tx.finish(intent, eni, { partly: isSlow(intent, lookedAt) }))
        return conclude(intent, undefined)
      case 'gone':
        return settleGone(intent)
      case 'failed': {
        const seen = intent.kind === 'migrate' ? (from ?? nothing) : eni
        await ledger.write((tx) => tx.fail(intent, settlement.why, { seen }))
        const message = `Cannot ${intent.kind} ${nameOf(intent)}: ${settlement.why}`
        return conclude(intent, { code: 'invalid_state', message })
      }
    }
  }

  async function resend(
    intent: Intent,
    { sameToken, addresses }: Extract<Settlement, { kind: 'resend' }>,
  ): Promise<void> {
    const token = sameToken ? intent.token : randomToken(random)
    const again = await ledger.write((tx) => tx.resend(intent, token, addresses))
    log.info('cloud call sent again', fieldsOf(again))
    dispatch(again, 'warm-refill')
  }

  /** Whatever was asked for, it is over: two reads apart in time agree that there is no such ENI. */
  async function settleGone(intent: Intent): Promise<void> {
    const served = intent.kind === 'assign' || intent.kind === 'unassign'
    const ips = served ? (ledger.allEnis().find(({ key }) => key === intent.eni)?.ips ?? []) : []
    await ledger.write((tx) => tx.finish(intent, undefined))
    const { eni, eniId = '', node } = intent
    if (served) options.lost({ kind: 'forget-eni', eni, eniId, node, ips })
    if (intent.kind === 'detach' || intent.kind === 'delete') return conclude(intent, undefined)
    conclude(intent, { code: 'not_found', message: `${nameOf(intent)} does not exist any more` })
  }

  function isSlow({ createdAt }: Intent, now: Millis): boolean {
    return now - createdAt >= 2 * policy.giveUpAfter
  }

  function tellIfSlow(intent: Intent, now: Millis): void {
    if (!isSlow(intent, now)) return
    const minutes = Math.floor((now - intent.createdAt) / 60_000)
    const message = `Cannot ${intent.kind} ${nameOf(intent)} yet: it has been under way for ${minutes} minutes`
    options.hindered(intent, { code: 'in_progress', message })
  }

  function conclude(intent: Intent, failure: PoolTrouble | undefined): void {
    if (failure === undefined) log.info('cloud call settled', fieldsOf(intent))
    else log.warn('cloud call failed', { ...fieldsOf(intent), ...failure })
    options.resolved(intent, failure)
  }

  return {
    async start(node, action, cidr, priority) {
      const { held, intent } = await ledger.write((tx) => {
        const { action: unheld, held } = withoutHeld(action, ledger)
        return { held, intent: unheld && tx.record(node, unheld, cidr, randomToken(random)) }
      })
      if (held.length > 0) options.held(held)
      if (intent !== undefined) dispatch(intent, priority)
    },
    resume: schedule,
    stop() {
      stopped = true
      cancelTick?.()
    },
  }
}

function isBeingDeleted({ kind, state }: Intent): boolean {
  return kind === 'delete' && state === 'accepted'
}

function nameOf({ eniId, subnetId }: Intent): string {
  return eniId === undefined ? `an ENI in subnet "${subnetId}"` : `ENI "${eniId}"`
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
