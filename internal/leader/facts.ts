// What Kubernetes says now, as the leader needs it: nodes, NECs, and per node the pods that count and the addresses they show.
import { countedAs, countedIn } from '../ipam/count-pod.ts'
import type { EniMode, Nec, NodeFact, NodeName, PodFact } from '../ipam/types.ts'
import type { Feed } from '../ports.ts'
import type { Ipv4 } from '../value/ipv4.ts'
import { shownAddresses } from './shown-addresses.ts'

export interface ClusterFacts {
  readonly nodeFeed: Feed<NodeFact>
  readonly podFeed: Feed<PodFact>
  readonly necFeed: Feed<Nec>
  /** All three lists have come: absence means something from now on. */
  synced(): boolean
  node(name: NodeName): NodeFact | undefined
  nodes(): Iterable<NodeFact>
  nec(name: NodeName): Nec | undefined
  necs(): Iterable<Nec>
  /** Pods that are on a node. */
  pods(): Iterable<PodFact>
  /** Pods that count for each of the node's pools (P18), without those that are served otherwise. */
  podCount(
    node: NodeName,
    poolOf: (address: Ipv4) => EniMode | undefined,
    served: (pod: PodFact) => boolean,
  ): Readonly<Record<EniMode, number>>
  /** Pods of any kind that Kubernetes still shows on the node. */
  podsOn(node: NodeName): readonly PodFact[]
  /** Addresses that live pods on the node show in their status. */
  shownAddresses(node: NodeName): ReadonlySet<Ipv4>
  /** Do live pods on other nodes show it, and none on this one? */
  usedElsewhere(address: Ipv4, node: NodeName): boolean
}

export interface FactsOptions {
  /** A fact that matters to the node's pools has changed. */
  readonly wake: (node: NodeName) => void
  readonly podChanged: (pod: PodFact, gone: boolean) => void
  /** A whole list has come. */
  readonly podsListed: (pods: readonly PodFact[]) => void
  /** A live pod on `node` has begun or ceased to show `address`. */
  readonly shownChanged: (address: Ipv4, node: NodeName) => void
  /** Of which pool of its node the address is; undefined when it is of none. */
  readonly modeOf: (address: Ipv4) => EniMode | undefined
}

export function clusterFacts(options: FactsOptions): ClusterFacts {
  const { wake, podChanged, podsListed, shownChanged, modeOf } = options
  const nodes = new Map<NodeName, NodeFact>()
  const necs = new Map<NodeName, Nec>()
  const pods = new Map<NodeName, Map<string, PodFact>>()
  const nodeOfPod = new Map<string, NodeName>()
  const shown = shownAddresses(shownChanged)
  const seen = { nodes: false, pods: false, necs: false }

  function putPod(pod: PodFact): void {
    const formerNode = nodeOfPod.get(pod.uid)
    if (formerNode !== undefined && formerNode !== pod.node) dropPod(pod)
    if (pod.node === undefined) return
    const onNode = pods.get(pod.node) ?? new Map<string, PodFact>()
    pods.set(pod.node, onNode)
    const former = onNode.get(pod.uid)
    onNode.set(pod.uid, pod)
    nodeOfPod.set(pod.uid, pod.node)
    shown.put(pod)
    podChanged(pod, false)
    const isNews =
      former === undefined ||
      countedAs(former) !== countedAs(pod) ||
      former.terminal !== pod.terminal ||
      (former.ip !== pod.ip && countedIn(former, modeOf) !== countedIn(pod, modeOf))
    if (isNews) wake(pod.node)
  }

  function dropPod(pod: Pick<PodFact, 'uid'>): void {
    const node = nodeOfPod.get(pod.uid)
    if (node === undefined) return
    nodeOfPod.delete(pod.uid)
    shown.drop(pod.uid)
    const onNode = pods.get(node)
    const known = onNode?.get(pod.uid)
    onNode?.delete(pod.uid)
    if (onNode?.size === 0) pods.delete(node)
    if (known !== undefined) podChanged(known, true)
    wake(node)
  }

  return {
    nodeFeed: {
      replaced(items) {
        const present = new Set(items.map(({ name }) => name))
        const gone = [...nodes.keys()].filter((name) => !present.has(name))
        for (const name of gone) nodes.delete(name)
        for (const node of items) nodes.set(node.name, node)
        seen.nodes = true
        for (const name of [...gone, ...present]) wake(name)
      },
      changed(node) {
        const former = nodes.get(node.name)
        nodes.set(node.name, node)
        if (
          former?.uid !== node.uid ||
          former.instanceId !== node.instanceId ||
          former.maxPods !== node.maxPods ||
          former.unavailable !== node.unavailable
        )
          wake(node.name)
      },
      removed(node) {
        nodes.delete(node.name)
        wake(node.name)
      },
    },
    podFeed: {
      replaced(items) {
        const present = new Set(items.map(({ uid }) => uid))
        for (const uid of [...nodeOfPod.keys()]) if (!present.has(uid)) dropPod({ uid })
        for (const pod of items) putPod(pod)
        podsListed(items)
        seen.pods = true
      },
      changed: putPod,
      removed: dropPod,
    },
    necFeed: {
      replaced(items) {
        const present = new Set(items.map(({ name }) => name))
        for (const name of [...necs.keys()]) if (!present.has(name)) necs.delete(name)
        for (const nec of items) necs.set(nec.name, nec)
        seen.necs = true
        for (const name of present) wake(name)
      },
      changed(nec) {
        necs.set(nec.name, nec)
        wake(nec.name)
      },
      removed(nec) {
        necs.delete(nec.name)
        wake(nec.name)
      },
    },
    synced: () => seen.nodes && seen.pods && seen.necs,
    node: (name) => nodes.get(name),
    nodes: () => nodes.values(),
    nec: (name) => necs.get(name),
    necs: () => necs.values(),
    pods: () => [...pods.values()].flatMap((onNode) => [...onNode.values()]),
    podCount(node, poolOf, served) {
      const owed = [...(pods.get(node)?.values() ?? [])].filter((pod) => !served(pod))
      const counted = owed.map((pod) => countedIn(pod, poolOf))
      const countOf = (mode: EniMode) => counted.filter((each) => each === mode).length
      return { shared: countOf('shared'), exclusive: countOf('exclusive') }
    },
    podsOn: (node) => [...(pods.get(node)?.values() ?? [])],
    shownAddresses(node) {
      const live = [...(pods.get(node)?.values() ?? [])].filter((pod) => !pod.terminal && !pod.hostNetwork)
      return new Set(live.flatMap(({ ip }) => (ip === undefined ? [] : [ip])))
    },
    usedElsewhere: shown.elsewhere,
  }
}
