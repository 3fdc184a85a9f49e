// What is seen of EIPs from outside, call by call: on what the cloud performs for a leader, and on what pods show.
import { createdTag } from '../../../internal/ipam/eip-tags.ts'
import { nameTag } from '../../../internal/ipam/reservation-tags.ts'
import type { EipId, PodFact } from '../../../internal/ipam/types.ts'
import type { AuditEip } from '../../../internal/sim/vpc/audit.ts'
import { usualTypes } from '../../../internal/sim/vpc/instance-table.ts'
import type { Ipv4 } from '../../../internal/value/ipv4.ts'
import type { Millis } from '../../../internal/value/millis.ts'
import { userEips } from './draw-eips.ts'
import { EipHands } from './eip-hands.ts'
import { EipPromises } from './eip-promises.ts'
import { MasqWatch } from './masq-watch.ts'
import { eipsOfInstance } from './static-pods.ts'
import type { SimNode, World } from './world.ts'

/** Of the account; as many a day as are wanted. */
const quota = { eips: 60, eipsPerDay: 10_000 }

/** What nobody could look for when a ledger was made anew. */
const foundWithin: Millis = 10 * 60_000

interface Named {
  readonly NetworkInterfaceId?: string
  readonly SourceNetworkInterfaceId?: string
  readonly PrivateIpAddress?: Ipv4
  readonly PrivateIpAddresses?: readonly { readonly PrivateIpAddress?: Ipv4 }[]
  readonly AddressId?: string
  readonly AddressIds?: readonly string[]
  readonly Filters?: readonly unknown[]
}

export class EipWatch {
  readonly #world: World
  readonly hands: EipHands
  readonly promises: EipPromises
  readonly masq: MasqWatch
  /** From when on a leader knows again which EIPs there were, after its ledger was lost; undefined: it has not seen them. */
  #knownFrom: Millis | undefined = 0
  /** When a ledger was lost last, and when each EIP was bound last by a leader. */
  #lostAt = Number.NEGATIVE_INFINITY
  readonly #boundAt = new Map<EipId, Millis>()
  /** A list of them was asked for, and may have been refused. */
  #listAsked = false
  #isBlind = false
  /** EIPs whose addresses the call that arrives takes away. */
  #leaving: readonly AuditEip[] = []

  constructor(world: World) {
    this.#world = world
    this.hands = new EipHands(world)
    this.promises = new EipPromises(world)
    this.masq = new MasqWatch(world)
    if (!world.shape.eips) return
    world.kube.pods.witness = (pod) => this.promises.see(pod)
    this.raiseQuota()
    const { admin } = world.cloud
    for (const type of usualTypes) admin.setInstanceType({ ...type, eips: eipsOfInstance })
    for (const id of userEips) admin.createEip({ id }, world.clock.now())
  }

  raiseQuota(): void {
    this.#world.cloud.setLimits(quota)
  }

  heal(): void {
    if (!this.#world.shape.eips) return
    this.raiseQuota()
    this.hands.repair()
  }

  ledgerLost(): void {
    if (!this.#world.shape.eips) return
    this.promises.ledgerLost()
    this.#lostAt = this.#world.clock.now()
    this.#findsAnew()
  }

  /** Could whoever leads have found what a lost ledger knew? */
  areKnown(): boolean {
    return this.#knownFrom !== undefined && this.#world.clock.now() >= this.#knownFrom
  }

  /** The last pod of its name went. */
  gone(pod: PodFact): void {
    if (pod.eip !== undefined) this.promises.gone(pod)
  }

  all(): readonly AuditEip[] {
    return this.#world.cloud.admin.audit(this.#world.clock.now()).eips
  }

  /** Lost with a ledger: no tag says of a user's own that a leader has bound it: who does not find its pod where it is takes it for its user's doing. */
  isForgotten({ id, privateIp, tags }: Pick<AuditEip, 'id' | 'privateIp' | 'tags'>): boolean {
    // Nobody may look.
    if (isCreated({ tags })) return !this.areKnown()
    if ((this.#boundAt.get(id) ?? 0) > this.#lostAt) return false
    return privateIp === null || this.#world.ledger.eips.onAddress(privateIp) === undefined
  }

  /** A pod has got an address: no other's EIP leads there. */
  connected(node: SimNode, { name }: PodFact, address: Ipv4, askedAt: Millis): string[] {
    const { calmSince, hands, shape } = this.#world
    if (!shape.eips || askedAt - calmSince < 60_000 || askedAt - node.lostAt < 60_000) return []
    if (hands.haveTaken(address)) return []
    return this.all()
      .filter((eip) => isOn(eip.state) && eip.privateIp === address && !this.isOf(eip, name))
      .filter((eip) => !this.hands.hasBound(eip.id) && !this.isForgotten(eip))
      .map(({ id }) => `${node.name}: ${name} has got ${address}, and ${id} of another pod leads there`)
  }

  /** May pods of that name have it? */
  isOf(eip: Pick<AuditEip, 'id' | 'tags'>, name: string): boolean {
    const asked = this.#world.statics.asks(name)?.eip
    if (asked === undefined || 'fault' in asked) return false
    const { wish } = asked
    if (wish.source === 'created') return isCreated(eip) && eip.tags[nameTag] === name
    return wish.ordinal === undefined ? wish.ids.includes(eip.id) : wish.ids[wish.ordinal] === eip.id
  }

  /** A leader's call arrives. */
  performing(action: string, params: unknown): void {
    this.#leaving = []
    if (!this.#world.shape.eips) return
    if (isList(action, params)) this.#asksForList()
    const { NetworkInterfaceId, PrivateIpAddress, PrivateIpAddresses, SourceNetworkInterfaceId } =
      params as Named
    const on = (eni: string | undefined, addresses?: readonly (string | undefined)[]) =>
      this.all().filter(
        ({ eniId, id, privateIp, state, tags }) =>
          isOn(state) &&
          !this.isForgotten({ id, privateIp, tags }) &&
          eniId === eni &&
          (addresses === undefined || addresses.some((one) => one === privateIp)) &&
          !this.hands.hasBound(id),
      )
    if (action === 'DetachNetworkInterface' || action === 'DeleteNetworkInterface')
      this.#leaving = on(NetworkInterfaceId)
    if (action === 'MigratePrivateIpAddress') this.#leaving = on(SourceNetworkInterfaceId, [PrivateIpAddress])
    if (action === 'UnassignPrivateIpAddresses')
      this.#leaving = on(
        NetworkInterfaceId,
        (PrivateIpAddresses ?? []).map((one) => one.PrivateIpAddress),
      )
    if (action === 'DisassociateAddress') this.#seeUnbinding((params as Named).AddressId ?? '')
  }

  /** Asked again it was refused: who made his ledger anew without it finds the rest in a survey. Until it is made only the last one counts. */
  #asksForList(): void {
    if (!this.#world.ledger.complete() && this.#lostAt > 0) this.#findsAnew()
    if (this.#knownFrom !== undefined) return
    this.#isBlind ||= this.#listAsked
    this.#listAsked = true
  }

  #findsAnew(): void {
    this.#knownFrom = undefined
    this.#listAsked = false
    this.#isBlind = false
  }

  /** The cloud has done as a leader asked. */
  performed(action: string, params: unknown): void {
    if (!this.#world.shape.eips) return
    const { faults } = this.#world
    for (const { id, privateIp } of this.#leaving)
      faults.push(`${action} takes ${privateIp} away while ${id} is on it`)
    const { AddressId = '', AddressIds = [], PrivateIpAddress } = params as Named
    if (isList(action, params) && this.#knownFrom === undefined) {
      this.#knownFrom = this.#world.clock.now() + (this.#isBlind ? foundWithin : 0)
      this.#isBlind = false
    }
    if (action === 'AssociateAddress' && PrivateIpAddress !== undefined)
      this.#seeBinding(AddressId, PrivateIpAddress)
    if (action === 'ReleaseAddresses') for (const id of AddressIds) this.#seeRelease(id)
  }

  /** Its user has it where he wants it. */
  #seeUnbinding(id: EipId): void {
    if (userEips.includes(id) && this.hands.hasBound(id) && this.hands.isSeen(id))
      this.#world.faults.push(`${id} is unbound from what its user has bound it to`)
  }

  #seeRelease(id: EipId): void {
    const { faults } = this.#world
    if (userEips.includes(id)) faults.push(`${id} is released, which is its user's`)
    const promised = this.promises.ofEip(id)
    if (promised !== undefined) faults.push(`${id} is released before its time: it is ${promised.name}'s`)
  }

  #seeBinding(id: EipId, address: Ipv4): void {
    this.#boundAt.set(id, this.#world.clock.now())
    const { calmSince, clock, faults, hands } = this.#world
    const eip = this.all().find((one) => one.id === id)
    const holders = this.#holders(address)
    if (eip === undefined || holders.length === 0 || holders.some((name) => this.isOf(eip, name))) return
    // Who hears nothing of pods goes by what he last heard.
    if (clock.now() - calmSince < 60_000 || hands.haveTaken(address)) return
    faults.push(`${id} is bound to ${address}, which ${holders.join(' and ')} has`)
  }

  /** Pods that run with the address. */
  #holders(wanted: Ipv4): readonly string[] {
    return this.#world.nodes
      .filter(({ gone }) => !gone)
      .flatMap(({ kubelet }) => kubelet.runningPods())
      .filter(({ address }) => address === wanted)
      .map(({ name }) => name)
  }
}

export function isCreated({ tags }: Pick<AuditEip, 'tags'>): boolean {
  return createdTag in tags
}

function isList(action: string, params: unknown): boolean {
  return action === 'DescribeAddresses' && (params as Named).Filters !== undefined
}

function isOn(state: string): boolean {
  return state === 'BINDING' || state === 'BIND' || state === 'BIND_ENI'
}
