// What people do: with the leader's database, and in the cloud's console. Not what the product promises to survive unharmed: an address
// that is taken in the console is lost for its pod; but nothing else is, and in the end all is right again.

import { pick, randomInt } from '../../../internal/base/random.ts'
import { clusterTag, purposeOf } from '../../../internal/ipam/eni-tags.ts'
import { purposeOfReservation, reservationTags } from '../../../internal/ipam/reservation-tags.ts'
import type { Ipv4 } from '../../../internal/value/ipv4.ts'
import { releaseNow } from '../../leader/release.ts'
import { type Console, cloudConsole } from './console.ts'
import { clusterId, type SimNode, type World } from './world.ts'

interface CloudSide {
  readonly id: string
  readonly instanceId: string | null
  readonly ips: readonly Ipv4[]
}

export class Hands {
  readonly #world: World
  /** Addresses that a person took from under the product, with the highest grant of that moment: whoever has one by such a grant is excused. */
  readonly #taken = new Map<Ipv4, { upTo: number }>()
  /** ENIs that a person took off their instances: what comes on them carries nothing before they are back, whatever its grant. */
  readonly #detached = new Set<string>()
  /** ENIs of others: nobody may touch them. */
  readonly #foreign: string[] = []
  /** Static addresses of these of which the leader does not know: their nodes may have them under later grants. */
  readonly #adrift = new Set<Ipv4>()
  /** Addresses whose claims were released by force, and whether the leader has still to say that they are. */
  readonly #forced = new Map<Ipv4, () => boolean>()
  #told = 0

  constructor(world: World) {
    this.#world = world
  }

  get #console(): Console {
    const world = this.#world
    return cloudConsole(
      world.cloud,
      () => world.clock.now(),
      () => world.advanceLater(),
    )
  }

  /** Is what is wrong with the address a person's doing? */
  excuses(address: Ipv4, node: SimNode): boolean {
    if (!this.#taken.has(address)) return false
    if (this.#adrift.has(address)) this.#settle(address)
    if (this.#adrift.has(address) || this.#detached.has(this.#eniOf(address) ?? '')) return true
    const row = node.db.get<{ grant: number }>(`SELECT "grant" FROM ip WHERE address = ?`, address)
    return (row?.grant ?? 0) <= (this.#taken.get(address)?.upTo ?? 0)
  }

  /** Has a person ever taken it from where it was? Then the cloud may give it to another node while its pod runs. */
  haveTaken(address: Ipv4): boolean {
    return this.#taken.has(address)
  }

  /** Somebody has the leader take the address from under its pod. */
  forceRelease(address: Ipv4, isAsked: () => boolean): void {
    this.#forced.set(address, isAsked)
    this.#take([address])
  }

  /** Has the node it by a grant from before its claim was released by force? Its agent has not heard of that yet. */
  hasForced(address: Ipv4, node: SimNode): boolean {
    return this.#forced.has(address) && this.excuses(address, node)
  }

  /**
   * The leader has it where the cloud has it. Until then it may promise it on the node where it was before; who has it there by a grant from
   * before the present one is excused.
   */
  #settle(address: Ipv4): void {
    const { boundTo, ledger, nodes } = this.#world
    const holder = nodes.find(({ instanceId }) => instanceId === boundTo.get(address))
    if (holder === undefined || ledger.nodeOf(address) !== holder.name || this.#leaves(address)) return
    const carrier = this.#eniOf(address)
    const ips = ledger.pool(holder.name)?.enis.find(({ id }) => id === carrier)?.ips
    const grant = ips?.find((ip) => ip.address === address && ip.state === 'bound')?.grant
    if (grant === undefined) return
    this.#adrift.delete(address)
    this.#taken.set(address, { upTo: grant - 1 })
  }

  /** Released by force, it is still where it was, until the leader has had it taken off. */
  #leaves(address: Ipv4): boolean {
    const isAsked = this.#forced.get(address)
    if (isAsked === undefined) return false
    return isAsked() || this.#world.ledger.claimsWhere('Releasing').some((claim) => claim.address === address)
  }

  /** The reservation of a static address is let go, when no ENI has it. */
  releaseReservation(): void {
    const { clock, cloud, promises, random } = this.#world
    const { reservations } = cloud.admin.audit(clock.now())
    const ours = reservations.filter(({ tags }) => tags[clusterTag] === clusterId)
    const one = pick(random, ours)
    if (one === undefined || !this.#console.release(one.vpcId, one.id)) return
    this.#world.log(`console: reservation ${one.id} of ${one.address} is released`)
    promises.releaseAddress(one.address)
  }

  /** A static address is taken off the ENI that has it. */
  unassignClaimed(): void {
    const { clock, cloud, random } = this.#world
    const { reservations } = cloud.admin.audit(clock.now())
    const one = pick(
      random,
      reservations.filter(({ eniId, tags }) => eniId !== null && tags[clusterTag] === clusterId),
    )
    if (one?.eniId == null || !this.#console.unassign(one.eniId, one.address)) return
    this.#world.log(`console: ${one.address} is taken off ${one.eniId}`)
    this.#take([one.address])
  }

  /** A static address that no ENI has is put on one of ours. */
  assignClaimed(): void {
    const { clock, cloud, random } = this.#world
    const { reservations } = cloud.admin.audit(clock.now())
    const one = pick(
      random,
      reservations.filter(({ eniId, tags }) => eniId === null && tags[clusterTag] === clusterId),
    )
    const eni = pick(
      random,
      this.#audited().filter(
        ({ subnetId, tags }) => subnetId === one?.subnetId && purposeOf({ tags }).mode === 'shared',
      ),
    )
    if (one === undefined || eni === undefined || !this.#console.assignNamed(eni.id, one.address)) return
    this.#world.log(`console: ${one.address} is put on ${eni.id}`)
  }

  detachEni(): void {
    const eni = this.#someEni()
    if (eni?.instanceId == null) return
    if (!this.#console.detach(eni.id, eni.instanceId)) return
    this.#world.log(`console: ${eni.id} is detached`)
    this.#takeOff(eni)
  }

  deleteEni(): void {
    const eni = this.#someEni()
    if (eni?.instanceId == null || !this.#console.detach(eni.id, eni.instanceId)) return
    this.#world.log(`console: ${eni.id} is detached, to be deleted`)
    this.#takeOff(eni)
    this.#later(3000, () => {
      if (this.#console.remove(eni.id)) this.#world.log(`console: ${eni.id} is deleted`)
    })
  }

  /** Onto another node's instance, for some minutes. */
  moveEni(): void {
    const eni = this.#someEni()
    const other = pick(
      this.#world.random,
      this.#world.nodes.filter(({ gone, instanceId }) => !gone && instanceId !== eni?.instanceId),
    )
    if (eni?.instanceId == null || other === undefined) return
    if (!this.#console.detach(eni.id, eni.instanceId)) return
    this.#world.log(`console: ${eni.id} is moved to ${other.name}`)
    this.#takeOff(eni)
    this.#later(3000, () => void this.#console.attach(eni.id, other.instanceId))
  }

  unassign(): void {
    const eni = this.#someEni()
    const addresses = eni?.ips.slice(0, randomInt(this.#world.random, 1, 3)) ?? []
    if (eni === undefined || addresses.length === 0) return
    if (!this.#console.unassign(eni.id, ...addresses)) return
    this.#world.log(`console: ${addresses.join(', ')} are taken off ${eni.id}`)
    this.#take(addresses)
  }

  assign(): void {
    const eni = this.#someEni()
    if (eni === undefined || !this.#console.assign(eni.id, 1)) return
    this.#world.log(`console: an address is put on ${eni.id}`)
  }

  /** With the tags of ours, made by nobody we know: for a node there is, or one there is not. */
  makeOrphan(): void {
    const { random, nodes } = this.#world
    const node = pick(random, nodes)
    const name = random.next() < 0.3 ? 'nobody' : (node?.name ?? 'nobody')
    const tags = {
      [clusterTag]: clusterId,
      'tke-eni-node': name,
      'tke-eni-instance': node?.instanceId ?? '',
      'tke-eni-slot': String(randomInt(random, 1, 3)),
      ...(random.next() < 0.3 && { 'tke-eni-mode': 'exclusive' }),
    }
    const made = this.#console.create({ vpc, subnet: this.#subnet(), tags, ips: randomInt(random, 0, 3) })
    if (made) this.#world.log(`console: an ENI with our tags for ${name} is made`)
  }

  makeForeign(): void {
    const before = new Set(this.#world.cloud.admin.audit(this.#world.clock.now()).enis.map(({ id }) => id))
    const tags: Record<string, string> = this.#world.random.next() < 0.5 ? { [clusterTag]: 'cls-other' } : {}
    if (!this.#console.create({ vpc, subnet: this.#subnet(), tags, ips: 1 })) return
    const audit = () => this.#world.cloud.admin.audit(this.#world.clock.now()).enis
    const made = new Set(audit().flatMap(({ id }) => (before.has(id) ? [] : [id])))
    // What the cloud itself fails to make is nobody's fault.
    this.#later(30_000, () => {
      const whole = audit().filter(({ id, state }) => made.has(id) && state === 'AVAILABLE')
      this.#foreign.push(...whole.map(({ id }) => id))
    })
  }

  /** Puts right what only a person can, and goes on doing what events ask for. */
  repair(): void {
    for (const eni of this.#audited()) {
      const stray = eni.instanceId !== null && eni.instanceId !== purposeOf(eni).instanceId
      if (stray && this.#console.detach(eni.id, eni.instanceId ?? ''))
        this.#world.log(`console: ${eni.id} is taken off where it does not belong`)
    }
    this.#obey()
    this.#correctTags()
    this.#later(60_000, () => this.repair())
  }

  /** Faults with what must not have been touched. */
  faults(): string[] {
    const there = new Set(this.#world.cloud.admin.audit(this.#world.clock.now()).enis.map(({ id }) => id))
    return this.#foreign.filter((id) => !there.has(id)).map((id) => `ENI ${id} of others is gone`)
  }

  /** "delete this pod", "delete its claim" */
  #obey(): void {
    const { notices } = this.#world.kube
    for (const { about, reason } of notices.slice(this.#told)) {
      if (about.kind !== 'Pod') continue
      if (reason === 'AddressLost' || reason === 'AddressDoubled') this.#endPod(about.uid ?? '')
      if (reason === 'AddressTaken') this.#giveUp(about.uid ?? '')
    }
    this.#told = notices.length
  }

  /** "correct the tags of the reservation": it keeps the address of a claim whose own somebody has released. */
  #correctTags(): void {
    const { clock, cloud, ledger } = this.#world
    const doubled = ledger
      .suspects()
      .flatMap(({ kind, subject }) => (kind === 'reservation-doubled' ? subject : []))
    for (const { address, id, tags } of cloud.admin.audit(clock.now()).reservations) {
      const claim = doubled.includes(id) ? ledger.claimOf(address) : undefined
      const purpose = purposeOfReservation(tags)
      if (claim === undefined || purpose === undefined) continue
      const { expireAfter, name, namespace, owner } = claim
      cloud.admin.tagReservation(
        id,
        reservationTags({ ...purpose, expireAfter, name, namespace, owner }),
        clock.now(),
      )
      this.#world.log(`console: reservation ${id} of ${address} is tagged as that of ${name}`)
    }
  }

  #endPod(uid: string): void {
    const pod = this.#world.kube.pods.items.get(uid)
    const node = this.#world.nodes.find(({ name, gone }) => name === pod?.node && !gone)
    if (pod === undefined || node === undefined) return
    this.#world.log(`${node.name}: ${pod.name} is deleted, as its event asks`)
    this.#world.kube.pods.put(uid, { ...pod, deleting: true })
    node.kubelet.end(uid)
  }

  /** Somebody else has its address for good, if that is still so. */
  #giveUp(uid: string): void {
    const { faults, host, kube, ledger, promises } = this.#world
    const pod = kube.pods.items.get(uid)
    const claim = pod && ledger.claim(pod)
    if (pod === undefined || claim?.podUid !== uid || claim.phase !== 'Attaching') return
    if (claim.reservation !== undefined || (claim.address && ledger.nodeOf(claim.address))) return
    const its = promises.of(pod.name)?.address
    if (its !== undefined && this.#reserved().includes(its))
      faults.push(`${pod.name} is told that its address is taken, and ${its} is reserved`)
    if (!host.leads() || host.leader === undefined) return
    this.#world.log(`the claim of ${pod.name} is deleted, as its event asks`)
    promises.release(pod.name)
    releaseNow(host.leader.claims, claim, { force: true }).catch(() => {})
  }

  #takeOff({ id, instanceId, ips }: CloudSide): void {
    this.#take(ips)
    this.#detached.add(id)
    // It is on its way off for some time.
    const settle = (): void => {
      const eni = this.#audited().find((one) => one.id === id)
      if (eni?.state === 'AVAILABLE' && eni.instanceId === instanceId) this.#detached.delete(id)
      else if (eni !== undefined) this.#later(1000, settle)
    }
    this.#later(5000, settle)
  }

  #take(addresses: readonly Ipv4[]): void {
    // A view from before may be on its way: what it shows is bound a moment later.
    const taking = { upTo: Number.POSITIVE_INFINITY }
    for (const address of addresses) this.#taken.set(address, taking)
    const { ledger, promises } = this.#world
    const reserved = new Set(this.#reserved())
    // Also of a pod that is about to get it.
    const promised = new Set([...promises.all(), ...ledger.staticClaims()].map(({ address }) => address))
    for (const address of addresses.filter((one) => reserved.has(one) || promised.has(one))) {
      this.#adrift.add(address)
      // What no reservation keeps anybody may take now.
      if (!reserved.has(address)) promises.releaseAddress(address)
    }
    // A leader that has not seen it yet may grant it again.
    const settle = (): void => {
      if (addresses.some((address) => this.#isMissed(address))) this.#later(1000, settle)
      else taking.upTo = this.#lastGrant()
    }
    this.#later(60_000, settle)
  }

  /** The leader has it still where the cloud has it no more. */
  #isMissed(address: Ipv4): boolean {
    const { ledger } = this.#world
    const node = ledger.nodeOf(address)
    if (node === undefined) return false
    const carrier = this.#eniOf(address)
    return (
      ledger
        .pool(node)
        ?.enis.some(({ id, ips }) => id !== carrier && ips.some((ip) => ip.address === address)) === true
    )
  }

  /** The highest that anybody knows: the ledger may have just been lost. */
  #lastGrant(): number {
    const { hosts, kube, nodes } = this.#world
    // Nobody may lead now; then one of them has the latest.
    const inLedgers = hosts.map(({ db }) =>
      Number(db.get<{ value: string }>(`SELECT value FROM meta WHERE key = 'last-grant'`)?.value ?? 0),
    )
    const published = [...kube.necs.items.values()].flatMap(({ publication }) =>
      (publication?.enis ?? []).flatMap(({ ips }) => ips.map(({ grant }) => grant)),
    )
    // What is held is in no NEC; its node knows it all the same.
    const local = nodes.flatMap(({ db }) => db.all<{ grant: number }>(`SELECT "grant" FROM ip`))
    return Math.max(...inLedgers, ...published, ...local.map(({ grant }) => grant))
  }

  #audited() {
    const { enis } = this.#world.cloud.admin.audit(this.#world.clock.now())
    return enis.filter(({ tags, primary }) => tags[clusterTag] === clusterId && !primary)
  }

  #someEni(): CloudSide | undefined {
    const eni = pick(this.#world.random, this.#audited())
    if (eni === undefined) return undefined
    const { ips } = this.#world.cloud.admin.audit(this.#world.clock.now())
    const { mode } = purposeOf({ tags: eni.tags })
    const isForPods = ({ primary }: { readonly primary: boolean }) => primary === (mode === 'exclusive')
    return {
      ...eni,
      ips: ips.filter((ip) => ip.eniId === eni.id && isForPods(ip)).map(({ address }) => address),
    }
  }

  #reserved(): readonly Ipv4[] {
    const { reservations } = this.#world.cloud.admin.audit(this.#world.clock.now())
    return reservations.map(({ address }) => address)
  }

  #eniOf(address: Ipv4): string | undefined {
    const { ips } = this.#world.cloud.admin.audit(this.#world.clock.now())
    return ips.find((ip) => ip.address === address)?.eniId
  }

  #subnet(): string {
    return `subnet-pods000${randomInt(this.#world.random, 0, 1)}`
  }

  #later(delay: number, act: () => void): void {
    this.#world.clock.after(delay, act)
  }
}

const vpc = 'vpc-sim00001'
