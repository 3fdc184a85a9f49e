// Pods that keep their names, as a StatefulSet has them: when one is gone, the next of its name comes, on the same node or elsewhere. Some of
// them keep their addresses, some ask for public ones.
import { pick, type Random, randomInt } from '../../../internal/base/random.ts'
import type { PodEip, PodFact } from '../../../internal/ipam/types.ts'
import type { Millis } from '../../../internal/value/millis.ts'
import { stream } from './chance.ts'
import type { SimNode, World } from './world.ts'

/** Where the next one of a name may run: as the scheduler, or an affinity, has it. */
export type Place = 'node' | 'zone' | 'anywhere'

/** What the pods of a name are. */
export interface Asks extends Pick<PodFact, 'keepsIp' | 'wants'> {
  readonly eip?: PodEip | undefined
  readonly expireAfter?: Millis | undefined
}

/** Of an instance, with what people bind to it. */
export const eipsOfInstance = 6
/** What the scheduler puts on one. */
const eipPodsOfNode = 4

interface Member {
  readonly name: string
  readonly random: Random
  /** Of the first one. */
  zone: string
  place: Place
  /** There is to be one. */
  wanted: boolean
  /** Where the last one was. */
  node: string
  count: number
  readonly asks: Asks
}

export class StaticPods {
  readonly #world: World
  readonly #members = new Map<string, Member>()
  /** When the last pod of a name went; absent while there is one. */
  readonly #goneSince = new Map<string, Millis>()

  /** Nodes that take no new ones. */
  readonly #drained = new Set<string>()

  /** Since when no pod of a name has had its own address; absent while one has. One that came and went may never have been heard of. */
  readonly #idleSince = new Map<string, Millis>()
  /** As that was when a pod got it last. */
  readonly #idleBefore = new Map<string, Millis>()

  constructor(world: World) {
    this.#world = world
    world.kube.pods.removedWitness = (pod) => this.#gone(pod)
  }

  /** The first one of its name; of one that there is, nothing. */
  start(name: string, node: SimNode, asks: Asks): void {
    const known = this.#members.get(name)
    if (known !== undefined) {
      if (known.wanted) return
      known.wanted = true
      if (this.of(name).length === 0) this.#bringLater(known)
      return
    }
    const random = stream(this.#world.seed, `static ${name}`)
    const zone = node.zone
    const member: Member = {
      ...{ name, random, zone, asks },
      place: 'zone',
      wanted: true,
      node: node.name,
      count: 0,
    }
    this.#members.set(name, member)
    if (this.#hasEipPlace(member, node)) this.#bring(member, node)
    else this.#bringLater(member)
  }

  /** It ends as pods do; the next one comes where `place` says. */
  end(name: string, place: Place | 'never'): void {
    const member = this.#note(name, place)
    if (member === undefined) return
    for (const pod of this.of(name)) {
      this.#world.kube.pods.put(pod.uid, { ...pod, deleting: true })
      this.#nodeOf(pod)?.kubelet.end(pod.uid)
    }
  }

  /** As kubectl delete --force: the object is gone, while its sandbox lives until the kubelet has heard of it. */
  forceDelete(name: string, place: Place | 'never', heardAfter: Millis): void {
    const member = this.#note(name, place)
    if (member === undefined) return
    for (const pod of this.of(name)) {
      const node = this.#nodeOf(pod)
      this.#world.clock.after(heardAfter, () => node?.kubelet.end(pod.uid))
      this.#world.kube.pods.remove(pod.uid)
    }
  }

  /** Pods of that name that Kubernetes shows. */
  of(name: string): readonly PodFact[] {
    return [...this.#world.kube.pods.items.values()].filter((pod) => pod.name === name)
  }

  /** How long the address of that name is kept; undefined: for ever. */
  expireAfter(name: string): Millis | undefined {
    return this.#members.get(name)?.asks.expireAfter ?? this.#world.settings.claimExpiry
  }

  /** No next ones come to the node for now, and those there go. */
  drain(node: SimNode, forMs: Millis): void {
    this.#drained.add(node.name)
    this.#world.clock.after(forMs, () => this.#drained.delete(node.name))
    for (const name of this.#members.keys())
      if (this.of(name).some((pod) => pod.node === node.name)) this.end(name, 'zone')
  }

  /** Do its pods keep their addresses? */
  has(name: string): boolean {
    return this.#members.get(name)?.asks.keepsIp === true
  }

  /** What its pods ask for. */
  asks(name: string): Asks | undefined {
    return this.#members.get(name)?.asks
  }

  /** Since when there is no pod of that name. */
  goneSince(name: string): Millis | undefined {
    return this.#goneSince.get(name)
  }

  /** Since when nobody has used the address of that name. */
  idleSince(name: string): Millis | undefined {
    return this.#idleSince.get(name)
  }

  /** A pod of that name has its own address. */
  served(name: string): void {
    const since = this.#idleSince.get(name)
    if (since !== undefined) this.#idleBefore.set(name, since)
    this.#idleSince.delete(name)
  }

  #note(name: string, place: Place | 'never'): Member | undefined {
    const member = this.#members.get(name)
    if (member === undefined) return undefined
    if (place === 'never') member.wanted = false
    else member.place = place
    return member
  }

  #gone(pod: PodFact): void {
    const member = this.#members.get(pod.name)
    if (member === undefined || this.of(pod.name).length > 0) return
    const now = this.#world.clock.now()
    this.#world.eips.gone(pod)
    this.#goneSince.set(pod.name, now)
    const before =
      this.#idleSince.get(pod.name) ?? (this.#isUnseen(pod) ? this.#idleBefore.get(pod.name) : undefined)
    this.#idleSince.set(pod.name, before ?? now)
    this.#idleBefore.delete(pod.name)
    if (member.wanted) this.#bringLater(member)
  }

  /** It came and went while no leader was there, which nobody can know. */
  #isUnseen(pod: PodFact): boolean {
    const { hosts, ledger } = this.#world
    return !hosts.some((host) => host.leads()) && ledger.claim(pod)?.podUid !== pod.uid
  }

  #bringLater(member: Member): void {
    const { random } = member
    this.#world.clock.after(randomInt(random, 10, random.next() < 0.2 ? 60_000 : 2000), () => {
      if (!member.wanted || this.of(member.name).length > 0) return
      const node = this.#choose(member)
      if (node === undefined) return this.#bringLater(member)
      this.#bring(member, node)
    })
  }

  #hasEipPlace({ asks }: Member, node: SimNode): boolean {
    if (asks.eip === undefined) return true
    const { pods } = this.#world.kube
    const there = [...pods.items.values()].filter((pod) => pod.node === node.name && pod.eip !== undefined)
    return there.length < eipPodsOfNode
  }

  #choose(member: Member): SimNode | undefined {
    const { node, place, random, zone } = member
    const { nodes, kube } = this.#world
    const fit = nodes.filter((one) => {
      const most = kube.nodes.items.get(one.name)?.maxPods ?? Number.POSITIVE_INFINITY
      return (
        !one.gone &&
        !this.#drained.has(one.name) &&
        one.kubelet.uids().length < most &&
        this.#hasEipPlace(member, one)
      )
    })
    const same = fit.find(({ name }) => name === node)
    if (place === 'node' && same !== undefined) return same
    return pick(random, place === 'anywhere' ? fit : fit.filter((one) => one.zone === zone))
  }

  #bring(member: Member, node: SimNode): void {
    const { asks, name } = member
    const { eip, expireAfter, keepsIp, wants } = asks
    this.#goneSince.delete(name)
    member.node = node.name
    const uid = `uid-${name}-${++member.count}`
    const pod: PodFact = {
      namespace: 'default',
      ...{ name, uid, node: node.name },
      hostNetwork: false,
      terminal: false,
      deleting: false,
      wants,
      ip: undefined,
      keepsIp,
      ...(keepsIp && expireAfter !== undefined && { claim: { expireAfter } }),
      ...(eip !== undefined && { eip }),
    }
    this.#world.log(`${node.name}: ${uid} is scheduled`)
    this.#world.promises.comes(name)
    this.#world.kube.pods.put(uid, pod)
    node.kubelet.start(pod)
  }

  #nodeOf(pod: PodFact): SimNode | undefined {
    return this.#world.nodes.find(({ name, gone }) => name === pod.node && !gone)
  }
}
