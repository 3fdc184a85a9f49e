// Which live pods show which address, over all nodes: an address that one node's pod shows is nobody else's to hand out.
import type { NodeName, PodFact, PodUid } from '../ipam/types.ts'
import type { Ipv4 } from '../value/ipv4.ts'

export interface ShownAddresses {
  put(pod: PodFact): void
  drop(uid: PodUid): void
  /** Do live pods show it, and none of them on `node`? What a pod of the node shows, too, is in use there already. */
  elsewhere(address: Ipv4, node: NodeName): boolean
}

/** `changed` is called when a pod on `node` has begun or ceased to show `address`. */
export function shownAddresses(changed: (address: Ipv4, node: NodeName) => void): ShownAddresses {
  const shown = new Map<Ipv4, Map<PodUid, NodeName>>()
  const addressOf = new Map<PodUid, Ipv4>()

  function drop(uid: PodUid): void {
    const address = addressOf.get(uid)
    if (address === undefined) return
    addressOf.delete(uid)
    const pods = shown.get(address)
    const node = pods?.get(uid)
    pods?.delete(uid)
    if (pods?.size === 0) shown.delete(address)
    if (node !== undefined) changed(address, node)
  }

  return {
    put({ uid, node, ip, terminal, hostNetwork }) {
      const address = terminal || hostNetwork || node === undefined ? undefined : ip
      if (addressOf.get(uid) === address) return
      drop(uid)
      if (address === undefined || node === undefined) return
      addressOf.set(uid, address)
      shown.set(address, (shown.get(address) ?? new Map<PodUid, NodeName>()).set(uid, node))
      changed(address, node)
    },
    drop,
    elsewhere(address, node) {
      const pods = shown.get(address)
      return pods !== undefined && ![...pods.values()].includes(node)
    },
  }
}
