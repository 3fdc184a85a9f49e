// Gives back every EIP that was made for pods of a cluster (E10), when nobody leads there any more. It remembers nothing: what the cloud
// shows decides, so that it may be broken off and run again.
import { type Clock, sleep } from '../base/clock.ts'
import { clusterEips } from '../ipam/eip-tags.ts'
import { errorCode, IpamError, mayHaveHappened, withHint } from '../ipam/errors.ts'
import { planReclaim, type ReclaimStep } from '../ipam/plan-reclaim.ts'
import type { CloudEip, EipId } from '../ipam/types.ts'
import type { Cloud } from '../ports.ts'
import type { Millis } from '../value/millis.ts'

export interface Reclaimed {
  /** As it was at first. */
  readonly eip: CloudEip
  readonly outcome: 'released' | 'kept' | 'failed'
  /** Empty when it is released. */
  readonly why: string
}

export interface ReclaimParts {
  readonly cloud: Pick<Cloud, 'describeEips' | 'disassociateEip' | 'releaseEip'>
  readonly clock: Clock
  readonly clusterId: string
  /** Hears of each that is done with. */
  readonly tell: (done: Reclaimed) => void
}

const lookEvery: Millis = 3000
/** Longer than any step of the cloud takes; what is still there then is told. */
const patience: Millis = 300_000
/** It was not in one look: the next says whether that was an old one. */
const goneFor: Millis = 6000

/** What there is; nothing is changed. Throws what the cloud throws. */
export async function listReclaimable({
  cloud,
  clusterId,
}: Pick<ReclaimParts, 'cloud' | 'clusterId'>): Promise<
  readonly { readonly eip: CloudEip; readonly step: ReclaimStep }[]
> {
  const eips = await cloud.describeEips({ tags: clusterEips(clusterId) }, 'release')
  return eips.toSorted(byId).map((eip) => ({ eip, step: planReclaim(eip, clusterId) }))
}

interface Pending {
  readonly eip: CloudEip
  trouble: string
  goneSince: Millis | undefined
  changedAt: Millis
  state: CloudEip['state'] | undefined
}

/** Resolves when nothing is left to be done, or `signal` aborts. Throws what the first look throws. */
export async function reclaimEips(parts: ReclaimParts, signal: AbortSignal): Promise<readonly Reclaimed[]> {
  const { clock, tell } = parts
  const pending = new Map<EipId, Pending>()
  const done: Reclaimed[] = []
  function end({ eip }: Pending, outcome: Reclaimed['outcome'], why: string): void {
    pending.delete(eip.id)
    const one = { eip, outcome, why }
    done.push(one)
    tell(one)
  }
  for (const { eip } of await listReclaimable(parts))
    pending.set(eip.id, { eip, trouble: '', goneSince: undefined, changedAt: clock.now(), state: undefined })
  while (pending.size > 0 && !signal.aborted) {
    await round(parts, pending, end)
    if (pending.size > 0) await sleep(clock, lookEvery, signal)
  }
  for (const one of [...pending.values()]) end(one, 'failed', one.trouble || 'it was broken off')
  return done
}

type End = (one: Pending, outcome: Reclaimed['outcome'], why: string) => void

async function round(parts: ReclaimParts, pending: Map<EipId, Pending>, end: End): Promise<void> {
  const { clock, cloud } = parts
  let shown: ReadonlyMap<EipId, CloudEip>
  try {
    const eips = await cloud.describeEips({ ids: [...pending.keys()] }, 'release')
    shown = new Map(eips.map((eip) => [eip.id, eip]))
  } catch (error) {
    for (const one of [...pending.values()]) giveUpLate(one, withHint(error), clock.now(), end)
    return
  }
  for (const one of [...pending.values()]) await take(parts, one, shown.get(one.eip.id), end)
}

async function take(parts: ReclaimParts, one: Pending, eip: CloudEip | undefined, end: End): Promise<void> {
  const { clock, clusterId } = parts
  const now = clock.now()
  if (eip === undefined) {
    one.goneSince ??= now
    if (now - one.goneSince >= goneFor) end(one, 'released', '')
    return
  }
  one.goneSince = undefined
  if (eip.state !== one.state) one.changedAt = now
  one.state = eip.state
  const step = planReclaim(eip, clusterId)
  if (step.kind === 'keep') return end(one, 'kept', step.why)
  try {
    await act(parts, eip, step)
    giveUpLate(one, one.trouble || `it stays ${eip.state}`, now, end)
  } catch (error) {
    const code = errorCode(error)
    const message = withHint(error)
    one.trouble = message
    if (code === 'denied' || code === 'eip_quota' || code === 'bad_input') return end(one, 'failed', message)
    giveUpLate(one, message, now, end)
  }
}

/** An answer that is lost says nothing: the next look does. */
async function act({ cloud }: ReclaimParts, eip: CloudEip, step: ReclaimStep): Promise<void> {
  try {
    if (step.kind === 'disassociate') await cloud.disassociateEip(eip.id, 'release')
    if (step.kind === 'release') await cloud.releaseEip(eip.id, 'release')
  } catch (error) {
    const code = error instanceof IpamError ? error.code : undefined
    // The look was an old one.
    const isPassing = code === 'not_found' || code === 'invalid_state' || code === 'in_progress'
    if (!isPassing && (code === undefined || !mayHaveHappened(code))) throw error
  }
}

function giveUpLate(one: Pending, why: string, now: Millis, end: End): void {
  if (now - one.changedAt >= patience) end(one, 'failed', why)
}

function byId(a: CloudEip, b: CloudEip): number {
  return a.id < b.id ? -1 : 1
}
