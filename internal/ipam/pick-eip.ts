// Which EIPs of their lists pods get (E4): the n-th of a set the n-th, others a free one. Of two that want one the same always wins.
import type { Ipv4 } from '../value/ipv4.ts'
import type { EipTrouble } from './eip-claim.ts'
import { createdTag } from './eip-tags.ts'
import type { SpecifiedWish } from './eip-wish.ts'
import { podText } from './pod-need.ts'
import type { CloudEip, EipId, EniId, PodName } from './types.ts'

export interface EipContender extends PodName {
  /** Of its claim: the earlier comes first. */
  readonly key: number
  readonly wish: Pick<SpecifiedWish, 'ids' | 'ordinal'>
  /** Where its address is: an EIP that is there already is its own. */
  readonly at: { readonly address: Ipv4; readonly eniId: EniId } | undefined
  /** Chance, in [0, 1): which of those that are free. */
  readonly draw: number
}

export interface EipChoices {
  /** As a look shows them; those that are not there are not in it. */
  readonly eips: ReadonlyMap<EipId, CloudEip>
  /** Whose they are by the ledger. */
  readonly holders: ReadonlyMap<EipId, PodName>
  /** Is it on an address for pods that no pod has? A leader that knows nothing of that any more has bound it there. */
  readonly isLeft: (eip: CloudEip) => boolean
}

export type EipPick = { readonly eip: EipId } | EipTrouble

/** What is so with an EIP, and what helps. */
export interface EipObstacle {
  readonly reason: string
  readonly so: string
  readonly remedy: string
}

/** For people: what cannot be done, what is so, and what helps. */
export function eipTrouble({ reason, remedy, so }: EipObstacle, what = 'give the pod its EIP'): EipTrouble {
  return { reason, message: `Cannot ${what}: ${so}; ${remedy}` }
}

/** By the keys of the contenders. None gets what another has, or gets. */
export function pickEips(contenders: readonly EipContender[], { eips, holders, isLeft }: EipChoices) {
  const taken = new Map(holders)
  const picks = new Map<number, EipPick>()
  for (const one of contenders.toSorted(inTurn)) {
    const its = one.wish.ids.find((id) => !taken.has(id) && isItsOwn(eips.get(id), one))
    const pick = pickFor(one, its, (id) =>
      obstacle(id, one, { eip: eips.get(id), holder: taken.get(id), isLeft }),
    )
    if ('eip' in pick) taken.set(pick.eip, one)
    picks.set(one.key, pick)
  }
  return picks as ReadonlyMap<number, EipPick>
}

/** Who can have only one comes before those that can have any. */
function inTurn(a: EipContender, b: EipContender): number {
  const [first, second] = [a, b].map(({ wish }) => Number(wish.ordinal === undefined))
  return (first ?? 0) - (second ?? 0) || a.key - b.key
}

function pickFor(
  { draw, wish: { ids, ordinal } }: EipContender,
  its: EipId | undefined,
  why: (id: EipId) => EipObstacle | undefined,
): EipPick {
  if (ordinal !== undefined) {
    const id = ids[ordinal]
    if (id === undefined) {
      const so = `it is number ${ordinal}, counted from 0, and its list has ${ids.length}: ${listed(ids)}`
      return eipTrouble({ reason: 'EipListTooShort', so, remedy: 'add to its eip-id-list' })
    }
    const obstacle = why(id)
    return obstacle === undefined ? { eip: id } : eipTrouble(obstacle)
  }
  // Its address takes no other.
  if (its !== undefined) return { eip: its }
  const reasons = ids.map((id) => ({ id, why: why(id) }))
  // Sorted, so that chance alone decides, and not who wrote the list.
  const free = reasons
    .filter((one) => one.why === undefined)
    .map(({ id }) => id)
    .toSorted()
  const eip = free[Math.min(Math.floor(draw * free.length), free.length - 1)]
  if (eip !== undefined) return { eip }
  const [only, ...others] = reasons
  if (only?.why !== undefined && others.length === 0) return eipTrouble(only.why)
  const all = reasons.slice(0, mostNamed).flatMap((one) => one.why?.so ?? [])
  const rest = reasons.length > mostNamed ? `, and ${reasons.length - mostNamed} more` : ''
  const so = `none of its list is free: ${all.join(', ')}${rest}`
  return eipTrouble({
    reason: 'NoFreeEip',
    so,
    remedy: 'it gets the first that is free, or add to its eip-id-list',
  })
}

const mostNamed = 5

function listed(ids: readonly EipId[]): string {
  return ids.length > mostNamed ? `${ids.slice(0, mostNamed).join(', ')}, …` : ids.join(', ')
}

/** Why the pod cannot have the EIP now. */
function obstacle(
  id: EipId,
  pod: EipContender,
  {
    eip,
    holder,
    isLeft,
  }: {
    readonly eip: CloudEip | undefined
    readonly holder: PodName | undefined
    readonly isLeft: EipChoices['isLeft']
  },
): EipObstacle | undefined {
  if (holder !== undefined)
    return {
      reason: 'EipTaken',
      so: `${id} is of pod ${podText(holder)}`,
      remedy: 'it gets it when it is free',
    }
  if (eip === undefined) {
    const so = `there is no EIP ${id} of the account in this region`
    return { reason: 'EipNotFound', so, remedy: anotherList }
  }
  if (createdTag in eip.tags) {
    const so = `${id} was made for a pod, and goes with that`
    return { reason: 'EipOfAnother', so, remedy: `${anotherList}: allowed are EIPs of your own` }
  }
  return (isLeft(eip) ? undefined : obstacleInCloud(eip, pod)) ?? poverty(eip)
}

const anotherList = 'mend its eip-id-list'

/** Is it on its address already? */
function isItsOwn(eip: CloudEip | undefined, { at }: EipContender): boolean {
  return at !== undefined && eip?.eniId === at.eniId && eip.privateIp === at.address
}

function obstacleInCloud(eip: CloudEip, pod: EipContender): EipObstacle | undefined {
  switch (eip.state) {
    case 'unbound':
      return undefined
    case 'bound':
    case 'bound_to_loose_eni': {
      if (isItsOwn(eip, pod)) return undefined
      return { reason: 'EipInUse', so: `${eip.id} is bound to ${boundTo(eip)}`, remedy: 'unbind it' }
    }
    case 'releasing':
      return { reason: 'EipNotFound', so: `${eip.id} is being released`, remedy: anotherList }
    case 'creating':
    case 'binding':
    case 'unbinding':
      return { reason: 'EipBusy', so: `${eip.id} is ${eip.state} just now`, remedy: 'it is looked at again' }
  }
}

/** What an EIP is on, for people. */
export function boundTo({ eniId, instanceId, privateIp }: CloudEip): string {
  if (eniId === undefined) return instanceId ?? 'something else'
  const place = privateIp === undefined ? eniId : `${privateIp} of ${eniId}`
  return instanceId === undefined ? place : `${place} on ${instanceId}`
}

/** Why an EIP carries nothing, whatever it is on. */
export function poverty({ arrears, blocked, id }: CloudEip): EipObstacle | undefined {
  if (arrears)
    return { reason: 'EipInArrears', so: `${id} is in arrears`, remedy: 'pay what is owed to Tencent Cloud' }
  const so = `the cloud has blocked ${id}, as after an attack`
  return blocked ? { reason: 'EipBlocked', so, remedy: 'unblock it in the console' } : undefined
}
