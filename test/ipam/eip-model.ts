// A small world for plan-eip.ts: a cloud that is slow, late and forgetful, pods that come, move and go, people who meddle, and a leader that
// does what is planned and is killed between its steps. Everything is drawn from one seed; `check` is asked after each step.
import { type Random, randomInt, seededRandom } from '../../internal/base/random.ts'
import { type ClaimPhase, type ClaimPolicy, mayFollow } from '../../internal/ipam/claim.ts'
import { type EipAct, type EipClaim, unasked } from '../../internal/ipam/eip-claim.ts'
import type { EipWish } from '../../internal/ipam/eip-wish.ts'
import { pickEips } from '../../internal/ipam/pick-eip.ts'
import {
  type EipLook,
  type EipPlace,
  type EipRefusal,
  type EipStep,
  type EipView,
  eipPolicy,
  lookAgain,
  planEip,
} from '../../internal/ipam/plan-eip.ts'
import { podText } from '../../internal/ipam/pod-need.ts'
import type { CloudEip, EipId } from '../../internal/ipam/types.ts'
import type { Ipv4 } from '../../internal/value/ipv4.ts'
import { ip } from '../given.ts'

const { lateFor, staleFor } = eipPolicy
const tick = 500
export const users = ['eip-user0', 'eip-user1']

type Answer = 'ok' | 'refused' | 'unknown' | 'dead token'

interface Eip {
  readonly id: EipId
  readonly token: string | undefined
  state: CloudEip['state'] | 'gone'
  at: EipPlace | undefined
  /** Bound by its user to something of his own. */
  foreign: boolean
  /** When it leaves a state of passage, and for which. */
  lands:
    | { readonly when: number; readonly state: Eip['state']; readonly at: EipPlace | undefined }
    | undefined
  readonly past: { readonly when: number; readonly shown: CloudEip | undefined }[]
  /** For a moment from then on it is left out of answers now and then. */
  omittedAt: number
}

interface Call {
  readonly when: number
  readonly act: EipAct
  readonly eip: EipId | undefined
  readonly run: () => void
}

/** Throws with what must never be. */
export class Wrong extends Error {}

export type Plan = (view: EipView) => EipStep

interface Pod {
  readonly name: string
  readonly policy: ClaimPolicy
  readonly ids: readonly EipId[] | undefined
  there: boolean
  uid: number
  place: EipPlace | undefined
  /** It is to go to another ENI as soon as nothing holds its address. */
  moving: boolean
}

export class EipModel {
  now = 100_000
  readonly random: Random
  readonly eips = new Map<EipId, Eip>()
  readonly tokens = new Map<string, EipId | 'dead'>()
  calls: Call[] = []
  rows: EipClaim[] = []
  readonly pods: Pod[]
  quiet = false
  /** Told of each change of a row, as a ledger would be. */
  stored: (before: EipClaim | undefined, after: EipClaim | undefined) => void = () => undefined
  private readonly plan: Plan
  private sequence = 0
  private memory = new Map<number, { look?: EipLook; refused?: EipRefusal; due: number }>()

  constructor(seed: number, plan: Plan = (view) => planEip(view)) {
    this.random = seededRandom(seed)
    this.plan = plan
    const pod = (name: string, policy: ClaimPolicy, ids?: readonly EipId[]): Pod => {
      return { name, policy, ids, there: false, uid: 0, place: undefined, moving: false }
    }
    this.pods = [
      pod('a', 'Immediate'),
      pod('b', 'Never'),
      pod('c', 'Immediate', users),
      pod('d', 'Never', users),
    ]
    this.pods.push(pod('e', 'Immediate', users.slice(0, 1)))
    for (const id of users) this.addEip(id, undefined, 'unbound')
  }

  private chance(one: number): boolean {
    return this.random.next() < one
  }

  // ---- the cloud ----

  private addEip(id: EipId, token: string | undefined, state: Eip['state']): Eip {
    const eip: Eip = {
      ...{ id, token, state, at: undefined, foreign: false, lands: undefined, past: [], omittedAt: 0 },
    }
    this.eips.set(id, eip)
    this.note(eip)
    return eip
  }

  private note(eip: Eip): void {
    const tags: Record<string, string> = eip.token === undefined ? {} : { 'tke-created-eip': 'true' }
    const shown: CloudEip | undefined =
      eip.state === 'gone'
        ? undefined
        : {
            ...{
              id: eip.id,
              address: ip('1.2.3.4'),
              state: eip.state,
              eniId: eip.at?.eniId,
              privateIp: eip.at?.address,
            },
            ...{
              instanceId: eip.foreign ? 'nat-1' : undefined,
              bandwidth: 1,
              chargeType: undefined,
              isp: 'BGP',
            },
            ...{ arrears: false, blocked: false, name: '', tags },
          }
    eip.past.push({ when: this.now, shown })
  }

  private enter(eip: Eip, state: Eip['state'], at: EipPlace | undefined, lands?: Eip['lands']): void {
    Object.assign(eip, { state, at, lands })
    this.note(eip)
  }

  /** As some replica has it, which is late, and now and then leaves one out. */
  private show(id: EipId): CloudEip | undefined {
    const eip = this.eips.get(id)
    if (eip === undefined) return undefined
    if (this.now - eip.omittedAt > 4 * staleFor && this.chance(0.05)) eip.omittedAt = this.now
    if (this.now - eip.omittedAt < staleFor / 2 && this.chance(0.8)) return undefined
    const asOf = this.now - Math.floor(this.random.next() * staleFor)
    return eip.past.findLast(({ when }) => when <= asOf)?.shown
  }

  private lookFor(row: EipClaim): CloudEip | undefined {
    const id = row.eipId ?? this.tokens.get(row.allocateToken ?? '')
    return id === undefined ? undefined : this.show(id)
  }

  /** What the call does when it comes to the cloud. */
  private effect(act: EipAct, id: EipId | undefined, token: string, place: EipPlace | undefined): Answer {
    if (act === 'allocate') return this.allocate(token)
    const eip = this.eips.get(id ?? '')
    if (eip === undefined || eip.lands !== undefined) return 'refused'
    const lands = this.now + randomInt(this.random, 1, 6) * tick
    const fails = !this.quiet && this.chance(0.1)
    if (act === 'associate') {
      const isTaken = [...this.eips.values()].some(
        ({ at }) => at?.address === place?.address && at !== undefined,
      )
      const isThere = this.pods.some(
        (pod) => pod.place?.address === place?.address && pod.place?.eniId === place?.eniId,
      )
      if (eip.state !== 'unbound' || isTaken || !isThere) return 'refused'
      this.enter(eip, 'binding', place, {
        when: lands,
        state: fails ? 'unbound' : 'bound',
        at: fails ? undefined : place,
      })
    } else if (act === 'disassociate') {
      if (eip.state !== 'bound') return 'refused'
      if (eip.foreign) throw new Wrong(`${eip.id} is unbound from something of its user's`)
      this.enter(eip, 'unbinding', eip.at, {
        when: lands,
        state: fails ? 'bound' : 'unbound',
        at: fails ? eip.at : undefined,
      })
    } else {
      if (eip.token === undefined) throw new Wrong(`${eip.id} is released, and is its user's`)
      if (eip.state !== 'unbound') return 'refused'
      this.enter(eip, 'releasing', undefined, {
        when: lands,
        state: fails ? 'unbound' : 'gone',
        at: undefined,
      })
    }
    return 'ok'
  }

  private allocate(token: string): Answer {
    const known = this.tokens.get(token)
    if (known === 'dead') return 'dead token'
    if (known !== undefined) return 'ok'
    if (!this.quiet && this.chance(0.05)) {
      this.tokens.set(token, 'dead')
      return 'dead token'
    }
    const eip = this.addEip(`eip-${this.sequence++}`, token, 'creating')
    this.tokens.set(token, eip.id)
    const state = !this.quiet && this.chance(0.05) ? 'gone' : 'unbound'
    eip.lands = { when: this.now + randomInt(this.random, 1, 4) * tick, state, at: undefined }
    return 'ok'
  }

  private send(row: EipClaim, act: EipAct, place: EipPlace | undefined): Answer {
    const token = row.allocateToken ?? ''
    const isThere = this.eips.get(row.eipId ?? '')?.state !== 'gone'
    if (
      act === 'associate' &&
      isThere &&
      this.calls.some((call) => call.act === act && call.eip === row.eipId)
    )
      throw new Wrong(`${row.eipId} is being bound while another call may still bind it`)
    if (this.quiet || this.chance(0.6)) return this.effect(act, row.eipId, token, place)
    if (this.chance(0.3)) return 'refused'
    if (this.chance(0.3)) return 'unknown'
    // The answer is lost, and what was asked happens at any time until it cannot any more.
    const when = this.now + Math.floor((this.random.next() * lateFor) / tick) * tick
    const { eipId } = row
    this.calls.push({ when, act, eip: eipId, run: () => this.effect(act, eipId, token, place) })
    return 'unknown'
  }

  // ---- pods and people ----

  private freePlace(not?: EipPlace): EipPlace | undefined {
    const places = [1, 2, 3, 4, 5, 6].map((n) => ({ address: ip(`10.0.1.${n}`), eniId: `eni-${n % 2}` }))
    const taken = new Set<Ipv4 | undefined>([
      ...this.pods.map(({ place }) => place?.address),
      ...this.rows.map(({ privateIp }) => privateIp),
    ])
    const free = places.filter(({ address }) => !taken.has(address))
    return not === undefined
      ? free[Math.floor(this.random.next() * free.length)]
      : { ...not, eniId: not.eniId === 'eni-1' ? 'eni-0' : 'eni-1' }
  }

  private isHeld(place: EipPlace): boolean {
    return this.rows.some(({ privateIp }) => privateIp === place.address)
  }

  private live(): void {
    for (const pod of this.pods) {
      if (!this.quiet && this.chance(0.01)) {
        pod.there = !pod.there
        pod.moving = false
        if (pod.there) pod.uid++
      }
      if (this.quiet && pod.name !== 'c') pod.there ||= pod.policy === 'Never'
      if (pod.there && pod.place === undefined) pod.place = this.freePlace()
      if (!this.quiet && pod.there && pod.place !== undefined && this.chance(0.01)) pod.moving = true
      if (pod.place !== undefined && !this.isHeld(pod.place)) {
        if (!pod.there) pod.place = undefined
        else if (pod.moving) Object.assign(pod, { place: this.freePlace(pod.place), moving: false })
      }
      this.follow(pod)
    }
    this.meddle()
  }

  private meddle(): void {
    for (const eip of this.eips.values()) {
      if (this.quiet && eip.foreign) this.enter(Object.assign(eip, { foreign: false }), 'unbound', undefined)
      // At the worst moments most of all.
      const isUnderFire = this.calls.some((call) => call.act === 'disassociate' && call.eip === eip.id)
      const often = eip.token === undefined ? (isUnderFire ? 0.1 : 0.01) : 0.003
      if (this.quiet || eip.lands !== undefined || !this.chance(often)) continue
      // What a pod has is left to it: a call names the EIP alone, and nobody can say what it is to be unbound from.
      const isHis =
        eip.token === undefined && eip.state === 'unbound' && !this.rows.some(({ eipId }) => eipId === eip.id)
      if (isHis) this.enter(Object.assign(eip, { foreign: true }), 'bound', undefined)
      else if (eip.foreign) this.enter(Object.assign(eip, { foreign: false }), 'unbound', undefined)
      else if (eip.state === 'bound') this.enter(eip, 'unbound', undefined)
      else if (eip.state === 'unbound' && (eip.token !== undefined || this.chance(0.03)))
        this.enter(eip, 'gone', undefined)
    }
  }

  /** What a pod means for the claim of its name. */
  private follow(pod: Pod): void {
    const row = this.rows.find(({ name }) => name === pod.name)
    const uid = `${pod.name}-${pod.uid}`
    if (row === undefined) {
      if (!pod.there) return
      const row = newRow(this.sequence++, pod, uid)
      this.rows.push(row)
      this.stored(undefined, row)
      return
    }
    const isIts = pod.there && row.podUid === uid
    if (row.phase === 'Releasing' || isIts) return
    const none = { podUid: undefined, node: undefined }
    const isKept = row.policy === 'Never' && row.eipId !== undefined
    if (row.podUid !== undefined) this.change(row, { ...none, phase: isKept ? 'Retained' : 'Releasing' })
    else if (pod.there)
      this.change(row, { podUid: uid, node: 'n1', phase: 'Attaching', generation: row.generation + 1 })
  }

  // ---- the leader ----

  private change(row: EipClaim, change: Partial<EipClaim>): EipClaim {
    const next = { ...row, ...change }
    if (!mayFollow(row.phase, next.phase)) throw new Wrong(`${row.phase} cannot become ${next.phase}`)
    for (const column of ['eipId', 'privateIp'] as const) {
      const other = this.rows.find((one) => one.key !== row.key && one[column] === next[column])
      if (other !== undefined && next[column] !== undefined) throw new Wrong(`${next[column]} is of two`)
    }
    this.rows = this.rows.map((one) => (one.key === row.key ? next : one))
    this.stored(row, next)
    const kept = this.memory.get(row.key)
    if (kept !== undefined) kept.due = this.now
    return next
  }

  private placeOf(row: EipClaim): EipView['place'] {
    if (!this.quiet && this.chance(0.02)) return 'unknown'
    const pod = this.pods.find(({ name }) => name === row.name)
    return pod?.there !== true || pod.moving || pod.place === undefined ? 'none' : pod.place
  }

  private lead(): void {
    if (!this.quiet && this.chance(0.01)) this.memory.clear() // killed, and started again
    for (const { key } of this.rows) {
      const row = this.rows.find((one) => one.key === key)
      if (row === undefined) continue
      const memory = this.memory.get(key) ?? { due: this.now }
      this.memory.set(key, memory)
      if (this.now >= memory.due) this.look(row, memory)
    }
  }

  private look(row: EipClaim, memory: { look?: EipLook; refused?: EipRefusal; due: number }): void {
    const view = () => ({
      row,
      look: memory.look,
      place: this.placeOf(row),
      refused: memory.refused,
      now: this.now,
    })
    let step = this.plan(view())
    if (step.kind === 'wait' && step.until <= this.now) {
      const eip = this.lookFor(row)
      memory.look = lookAgain(memory.look, { at: this.now, answeredAt: this.now, eip })
      step = this.plan(view())
    }
    memory.due = this.now + tick
    this.take(row, step, memory)
  }

  private take(row: EipClaim, step: EipStep, memory: { refused?: EipRefusal; due: number }): void {
    const isPod = row.podUid !== undefined
    switch (step.kind) {
      case 'allocate':
        return this.act(row, step, { allocateToken: row.allocateToken ?? `token-${this.sequence++}` })
      case 'associate':
        return this.act(row, step, { privateIp: step.address, eniId: step.eniId })
      case 'disassociate':
      case 'release':
        return this.act(row, step, {})
      case 'adopt':
        this.change(row, {
          eipId: step.eip.id,
          address: step.eip.address,
          ...(isPod && { phase: 'Attaching' }),
        })
        return
      case 'pick':
        return this.pick(row)
      case 'wait':
      case 'trouble':
        memory.due = step.until
        return
      case 'done': {
        const phase: ClaimPhase = !isPod ? row.phase : step.at === undefined ? 'Attaching' : 'Bound'
        const settled = { privateIp: step.at?.address, eniId: step.at?.eniId, ...unasked }
        this.change(row, { ...settled, phase })
        memory.due = this.now + 5000
        return
      }
      case 'taken-off':
        this.change(row, { phase: 'Attaching', privateIp: undefined, eniId: undefined })
        return
      case 'lost':
        this.change(row, { podUid: undefined, node: undefined, phase: 'Releasing' })
        return
      case 'remove':
        this.rows = this.rows.filter(({ key }) => key !== row.key)
        this.stored(row, undefined)
    }
  }

  private act(row: EipClaim, step: EipStep & { kind: EipAct }, change: Partial<EipClaim>): void {
    const act = step.kind
    const stored = this.change(row, { ...change, acted: act, actedAt: this.now, answered: false })
    const isKilled = !this.quiet && this.chance(0.03)
    if (isKilled && this.chance(0.5)) return this.memory.clear() // before it was sent
    const place =
      act === 'associate' ? { address: stored.privateIp as Ipv4, eniId: stored.eniId ?? '' } : undefined
    const answer = this.send(stored, act, place)
    if (isKilled) return this.memory.clear() // after that
    const isAlone = step.kind !== 'allocate' || step.alone
    this.learn(stored, row, answer, isAlone)
  }

  private learn(row: EipClaim, before: EipClaim, answer: Answer, isAlone: boolean): void {
    const memory = this.memory.get(row.key)
    const act = row.acted
    if (answer === 'ok') {
      const id = act === 'allocate' ? this.tokens.get(row.allocateToken ?? '') : undefined
      const brought =
        id === undefined || id === 'dead'
          ? {}
          : { eipId: id, ...(row.podUid !== undefined && { phase: 'Attaching' as const }) }
      this.change(row, { answered: true, actedAt: this.now, ...brought })
    }
    if (answer !== 'refused' && answer !== 'dead token') return
    // Nothing has happened.
    const another = answer === 'dead token' && isAlone
    const { acted, actedAt, answered, eniId, privateIp } = { ...before, ...(another && unasked) }
    const restored = { acted, actedAt, answered, eniId, privateIp }
    this.change(row, { ...restored, ...(another && { allocateToken: undefined }) })
    if (memory !== undefined && act !== undefined)
      memory.refused = { act, reason: 'Refused', message: '', until: this.now + 2000 }
  }

  private pick(row: EipClaim): void {
    const holders = new Map(
      this.rows.flatMap((one) => (one.eipId === undefined ? [] : [[one.eipId, one] as const])),
    )
    const eips = new Map(
      users
        .flatMap((id) => [[id, this.show(id)] as const])
        .flatMap(([id, eip]) => (eip === undefined ? [] : [[id, eip]])),
    )
    if (row.wish.source !== 'specified') return
    const { key, name, namespace, wish } = row
    const pick = pickEips([{ namespace, name, key, wish, at: undefined, draw: this.random.next() }], {
      eips,
      holders,
      isLeft: () => false,
    }).get(key)
    if (pick !== undefined && 'eip' in pick) this.change(row, { eipId: pick.eip, phase: 'Attaching' })
  }

  // ---- all together ----

  step(): void {
    this.now += tick
    for (const eip of this.eips.values())
      if (eip.lands !== undefined && eip.lands.when <= this.now)
        this.enter(eip, eip.lands.state, eip.lands.at)
    const due = this.calls.filter(({ when }) => when <= this.now)
    this.calls = this.calls.filter(({ when }) => when > this.now)
    for (const { run } of due) run()
    this.live()
    this.lead()
    this.check()
  }

  private check(): void {
    for (const eip of this.eips.values()) {
      const row = this.rows.find(({ eipId }) => eipId === eip.id)
      const isHeld = row?.privateIp === eip.at?.address && row?.eniId === eip.at?.eniId
      if (eip.at !== undefined && !(row !== undefined && isHeld))
        throw new Wrong(`${eip.id} is on ${eip.at.address}, and no claim holds that`)
      if (eip.token === undefined || eip.state === 'gone' || eip.state === 'releasing') continue
      if (!this.rows.some(({ allocateToken, eipId }) => allocateToken === eip.token || eipId === eip.id))
        throw new Wrong(`${eip.id} was made for a pod, and no claim knows of it`)
    }
    const held = this.rows.flatMap(({ privateIp }) => privateIp ?? [])
    const homeless = held.find((address) => !this.pods.some(({ place }) => place?.address === address))
    if (homeless !== undefined) throw new Wrong(`${homeless} has left its ENI while it was held`)
  }

  /** Everything that is not as it should be by now. */
  unsettled(): readonly string[] {
    const odd = this.rows.flatMap((row) => {
      const pod = this.pods.find(({ name }) => name === row.name)
      const eip = this.eips.get(row.eipId ?? '')
      if (pod?.there !== true)
        return row.phase === 'Retained' && eip?.state === 'unbound' ? [] : [`${podText(row)} is ${row.phase}`]
      const isBound =
        eip?.state === 'bound' && eip.at?.address === pod.place?.address && eip.at?.eniId === pod.place?.eniId
      // There are fewer of the user's than pods that want one.
      const isWithout =
        row.wish.source === 'specified' && row.phase === 'Pending' && this.allTaken(row.wish.ids)
      return (isBound && row.phase === 'Bound' && row.acted === undefined) || isWithout
        ? []
        : [`${podText(row)} is ${row.phase}, its EIP ${eip?.state}`]
    })
    const mine = [...this.eips.values()].filter(({ state, token }) => token !== undefined && state !== 'gone')
    const spare = mine.filter(({ id }) => !this.rows.some(({ eipId }) => eipId === id))
    return [...odd, ...spare.map(({ id }) => `${id} is nobody's`)]
  }

  private allTaken(ids: readonly EipId[]): boolean {
    return ids.every((id) => {
      const eip = this.eips.get(id)
      return (
        eip === undefined ||
        eip.state === 'gone' ||
        eip.foreign ||
        this.rows.some(({ eipId }) => eipId === id)
      )
    })
  }
}

function newRow(key: number, { ids, name, policy }: Pod, podUid: string): EipClaim {
  const keeping = { policy, expireAfter: undefined }
  const wish: EipWish =
    ids === undefined
      ? {
          ...{
            source: 'created',
            bandwidth: 1,
            isp: 'BGP',
            chargeType: 'TRAFFIC_POSTPAID_BY_HOUR',
            label: undefined,
          },
          ...{ tags: {}, raw: {}, ...keeping },
        }
      : { source: 'specified', ids, ordinal: undefined, ...keeping }
  return {
    ...{
      key,
      uid: `${key}`,
      namespace: 'default',
      name,
      policy,
      phase: 'Pending',
      generation: 1,
      podUid,
      node: 'n1',
    },
    ...{
      wish,
      eipId: undefined,
      address: undefined,
      privateIp: undefined,
      eniId: undefined,
      allocateToken: undefined,
    },
    ...{
      ...unasked,
      expireAfter: undefined,
      retainedAt: undefined,
      expiresAt: undefined,
    },
    ...{ owner: undefined, reason: '', message: '', createdAt: 0, changedAt: 0, version: 0 },
  }
}
