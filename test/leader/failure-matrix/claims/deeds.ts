// What happens to pods and nodes, and what people do in the console, while something is done about a static address.
import assert from 'node:assert/strict'
import { known } from '../../../given.ts'
import type { ClaimWorld } from '../../claim-world.ts'
import { podSubnet } from '../../leader-world.ts'
import { minute, second } from '../cell.ts'
import { comes, goes, silent, subject } from './acts.ts'

/** Its pod is deleted, and made anew on that node. */
export function renew(world: ClaimWorld, node: string): void {
  goes(world)
  comes(world, node, world.clock.now())
}

/** `run`, after a while. */
export function later(world: ClaimWorld, delay: number, run: (world: ClaimWorld) => void): void {
  world.clock.after(delay, () => run(world))
}

/** Its instance is gone; its pods come again on another node, when that is known. */
export function lose(node: string) {
  return (world: ClaimWorld): void => {
    const { instanceId } = known(world.kube.nodes.items.get(node))
    world.cloud.admin.terminateInstance(known(instanceId), world.clock.now())
    later(world, minute, () => {
      world.kube.nodes.remove(node)
      for (const pod of [...world.kube.pods.items.values()]) {
        if (pod.node !== node) continue
        world.kube.pods.remove(pod.uid)
        world.put('node-3', pod.name, world.clock.now())
      }
    })
  }
}

/** Its agent does not answer for five minutes. */
export function hush(node: string) {
  return (world: ClaimWorld): void => {
    silent.set(world, new Set([node]))
    later(world, 5 * minute, () => silent.delete(world))
  }
}

/** As a person, who waits until it is done. */
function byHand(world: ClaimWorld, does: () => boolean): void {
  assert.ok(does(), 'the cloud refuses it')
  world.cloud.advance(world.clock.now() + 10 * second)
}

export function deleteEni(node: string) {
  return (world: ClaimWorld): void => {
    const { instanceId } = known(world.kube.nodes.items.get(node))
    const { id } = known(world.cloudEnis().find((eni) => eni.instanceId === instanceId))
    byHand(world, () => world.console.detach(id, known(instanceId)))
    byHand(world, () => world.console.remove(id))
  }
}

function addressOf(world: ClaimWorld): string {
  return known(world.claim(subject)?.address)
}

export function takeOff(world: ClaimWorld): void {
  const address = addressOf(world)
  const { ips } = world.cloud.admin.audit(world.clock.now())
  const { eniId } = known(ips.find((ip) => ip.address === address))
  byHand(world, () => world.console.unassign(eniId, address))
}

export function freeReservation(world: ClaimWorld): void {
  world.cloud.admin.releaseReservation(known(world.claim(subject)?.reservation), world.clock.now())
}

/** An ENI of theirs has it. */
export function takeAddress(world: ClaimWorld): void {
  const address = addressOf(world)
  const eni = theirEni(world)
  byHand(world, () => world.console.assignNamed(eni, address))
  later(world, 3 * minute, () => byHand(world, () => world.console.unassign(eni, address)))
}

function theirEni(world: ClaimWorld): string {
  const vpc = known(world.cloudEnis()[0]).vpcId
  const before = new Set(world.cloud.admin.audit(world.clock.now()).enis.map(({ id }) => id))
  byHand(world, () => world.console.create({ vpc, subnet: podSubnet, tags: {}, ips: 0 }))
  return known(world.cloud.admin.audit(world.clock.now()).enis.find(({ id }) => !before.has(id))).id
}

/** Also what kept it for the pod goes. */
export function steal(world: ClaimWorld): void {
  freeReservation(world)
  takeAddress(world)
}
