// What agents and pods do by themselves where addresses are static: give back what nobody has any more, and show what they have.

import type { ClaimWorld } from './claim-world.ts'
import { promised } from './promises.ts'

/** Its agent is there, and the NEC is of its instance. */
function isServed(world: ClaimWorld, node: string): boolean {
  const instance = world.kube.nodes.items.get(node)?.instanceId
  return instance !== undefined && world.kube.necs.items.get(node)?.publication?.instanceId === instance
}

/** The agent of the node gives back what nobody has there any more; what it has given back it does not take again. */
export function returnUnused(world: ClaimWorld, node: string): void {
  const nec = world.kube.necs.items.get(node)
  if (nec === undefined) return
  const pods = [...world.kube.pods.items.values()]
  const isHere = (name: string) => pods.some((pod) => pod.node === node && pod.name === name)
  const given = new Set(nec.report?.returned.map(({ grant }) => grant))
  const unused = world
    .published(node)
    .flatMap(({ ips }) => ips)
    .filter(({ claim, grant }) => claim === undefined || !isHere(claim.name) || given.has(grant))
    .map(({ address, grant }) => ({ address, grant }))
  if (JSON.stringify(unused) !== JSON.stringify(nec.report?.returned ?? [])) world.giveBack(node, unused)
}

/** Each pod shows the address that its node has for it. */
export function showAddresses(world: ClaimWorld): void {
  for (const pod of [...world.kube.pods.items.values()]) {
    const nec = world.kube.necs.items.get(pod.node ?? '')
    if (pod.ip !== undefined || nec === undefined || !isServed(world, nec.name)) continue
    const its = promised(nec).find(({ claim }) => claim?.name === pod.name)
    if (its !== undefined) world.show(pod.uid, its.address)
  }
}

/** Addresses that agents of two nodes may give to pods: a node that is gone has none. */
export function promisedTwice(world: ClaimWorld): readonly string[] {
  const necs = [...world.kube.necs.items.values()].filter(({ name }) => isServed(world, name))
  const all = necs.flatMap((nec) => promised(nec).map(({ address }) => address))
  return all.filter((address, i) => all.indexOf(address) !== i)
}
