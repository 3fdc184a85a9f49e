// A leader, two nodes, and pods that ask for public addresses, as they look from outside.
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { EipClaim } from '../../../internal/ipam/eip-claim.ts'
import { eipWishOf } from '../../../internal/ipam/eip-wish.ts'
import type { OwnerRef, PodEip, PodFact } from '../../../internal/ipam/types.ts'
import type { LeaderSettings } from '../../../internal/leader/settings.ts'
import { known, warm } from '../../given.ts'
import { ClaimWorld, minute, second } from '../claim-world.ts'
import { podOn } from '../leader-world.ts'

export { minute, second }

export interface Asked {
  readonly attributes?: string
  readonly ids?: string
  readonly policy?: string
  readonly expiry?: string
  readonly owner?: OwnerRef
}

/** As kube/facts.ts would read it off the annotations. */
export function eipOf(name: string, asked: Asked = { attributes: '' }): PodEip {
  const { attributes, expiry, ids, owner, policy } = asked
  const wish = known(eipWishOf({ attributes, ids, policy, expiry }, { name, controllerKind: 'StatefulSet' }))
  return 'fault' in wish ? wish : { wish, ...(owner && { owner }) }
}

export class EipWorld extends ClaimWorld {
  static override of(t: TestContext, settings: Partial<LeaderSettings> = {}): EipWorld {
    const world = new EipWorld(t, { staticIps: true, defaults: warm(2, 4), surveyEvery: minute, ...settings })
    world.addNode('node-1', 'S5.MEDIUM4')
    world.addNode('node-2', 'S5.MEDIUM4')
    return world
  }

  static override async start(t: TestContext, settings: Partial<LeaderSettings> = {}): Promise<EipWorld> {
    const world = EipWorld.of(t, settings)
    world.start()
    await world.until(() => world.addresses('node-1').length > 1 && world.addresses('node-2').length > 1)
    return world
  }

  /** The `nth` pod of that name, which shows an address of its node's pool. */
  run(node: string, name: string, asked?: Asked, more: Partial<PodFact> = {}): string {
    const nth = this.#runs++
    const uid = `uid-${name}-${nth}`
    const taken = new Set([...this.kube.pods.items.values()].map(({ ip }) => ip))
    const ip = known(this.addresses(node).find((address) => !taken.has(address)))
    this.kube.pods.put(uid, podOn(node, name, { uid, ip, eip: eipOf(name, asked), ...more }))
    return uid
  }

  /** As `run`, as soon as its node has an address for it. */
  async runSoon(node: string, name: string, asked?: Asked): Promise<string> {
    const taken = () => [...this.kube.pods.items.values()].filter((pod) => pod.node === node).length
    await this.until(() => this.addresses(node).length > taken())
    return this.run(node, name, asked)
  }

  /** A static one, which has no address yet. */
  runStatic(node: string, name: string, asked?: Asked, more: Partial<PodFact> = {}): string {
    return this.put(node, name, this.#runs++, { eip: eipOf(name, asked), ...more })
  }

  #runs = 1

  eipClaim(name: string): EipClaim | undefined {
    return this.ledger.eips.claim({ namespace: 'default', name })
  }

  /** "Bound eip-… on 10.0.1.5", for comparing. */
  eipState(name: string): string {
    const claim = this.eipClaim(name)
    if (claim === undefined) return 'none'
    return [
      claim.phase,
      claim.eipId ?? '-',
      ...(claim.privateIp === undefined ? [] : ['on', claim.privateIp]),
    ].join(' ')
  }

  shownBy(uid: string): string | undefined {
    return this.kube.pods.items.get(uid)?.publicIp
  }

  /** All EIPs of the account: "eip-… BIND 10.0.1.5". */
  eips(): string[] {
    return this.cloud.admin
      .audit(this.clock.now())
      .eips.map(({ address, id, privateIp, state }) => [id, state, privateIp ?? address].join(' '))
  }

  /** Bound to the pod's address, in the cloud as in the ledger, and shown by the pod. */
  async untilEip(uid: string): Promise<EipClaim> {
    const { ip, name, namespace } = known(this.kube.pods.items.get(uid))
    await this.until(
      () =>
        this.eipClaim(name)?.phase === 'Bound' &&
        this.eipClaim(name)?.podUid === uid &&
        this.shownBy(uid) !== undefined,
    )
    const claim = known(this.ledger.eips.claim({ namespace, name }))
    assert.deepEqual([claim.phase, claim.podUid, claim.message], ['Bound', uid, ''])
    if (ip !== undefined) assert.equal(claim.privateIp, ip)
    assert.equal(this.shownBy(uid), claim.address)
    assert.equal(this.holderOf(claim.eipId), claim.privateIp)
    return claim
  }

  /** The private address that the EIP is on in the cloud. */
  holderOf(id: string | undefined): string | undefined {
    return this.cloud.admin.audit(this.clock.now()).eips.find((eip) => eip.id === id)?.privateIp ?? undefined
  }

  /** The pod has an event. */
  async untilTold(name: string): Promise<void> {
    await this.until(() => this.podReasons(name).length > 0)
  }

  stop(uid: string): void {
    this.kube.pods.remove(uid)
  }
}
