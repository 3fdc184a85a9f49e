// Puts pods without a node on the node with fewest of those that they may run on, as a real cluster's scheduler would.
import { type Labels, type PodPlacement, selects } from '../../internal/ipam/node-affinity.ts'
import { type ReflectorTools, reflect } from '../../internal/kube/reflector.ts'
import { readPlacement } from '../../internal/wire/pod-placement.ts'

interface SchedulerParts extends ReflectorTools {
  readonly nodes: () => readonly { readonly name: string; readonly labels: Labels }[]
}

interface Unscheduled {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly node: string | undefined
  /** undefined: it says nothing that can be read. */
  readonly placement: PodPlacement | undefined
}

const retryMs = 1000

/** Schedules until the returned function is called. */
export function startScheduler(parts: SchedulerParts): () => void {
  const { client, clock, log } = parts
  const placed = new Map<string, string>()
  /** Tried until the API server shows them on a node, or no more. */
  const waiting = new Set<string>()

  async function place(pod: Unscheduled): Promise<void> {
    if (!waiting.has(pod.uid)) return
    const again = () => void clock.after(retryMs, () => void place(pod))
    const { placement } = pod
    const fitting = parts.nodes().filter((node) => placement === undefined || selects(placement, node))
    const counts = new Map(fitting.map(({ name }) => [name, 0]))
    for (const node of placed.values()) {
      const count = counts.get(node)
      if (count !== undefined) counts.set(node, count + 1) // a pod may have been bound to a node that does not exist, or does not fit
    }
    const [node] = [...counts].toSorted(([a, x], [b, y]) => x - y || (a < b ? -1 : 1))[0] ?? []
    if (node === undefined) return again()
    placed.set(pod.uid, node)
    try {
      await client.call({
        doing: `bind pod "${pod.name}"`,
        method: 'POST',
        path: `/api/v1/namespaces/${pod.namespace}/pods/${pod.name}/binding`,
        body: {
          apiVersion: 'v1',
          kind: 'Binding',
          metadata: { name: pod.name },
          target: { kind: 'Node', name: node },
        },
      })
    } catch (error) {
      if (!waiting.has(pod.uid)) return // gone, or on a node meanwhile
      placed.delete(pod.uid)
      log.warn('pod not scheduled', { pod: pod.name, error: (error as Error).message, retryIn: retryMs })
      again()
    }
  }

  function see(pod: Unscheduled): void {
    if (pod.node !== undefined) {
      placed.set(pod.uid, pod.node)
      waiting.delete(pod.uid)
    } else if (!waiting.has(pod.uid)) {
      waiting.add(pod.uid)
      void place(pod)
    }
  }

  function forget(uid: string): void {
    placed.delete(uid)
    waiting.delete(uid)
  }

  const stop = reflect(
    { what: 'pods', path: '/api/v1/pods', read: readPod, freshness: 'consistent' },
    {
      replaced(pods) {
        const present = new Set(pods.map(({ uid }) => uid))
        for (const uid of [...placed.keys(), ...waiting]) if (!present.has(uid)) forget(uid)
        for (const pod of pods) see(pod)
      },
      changed: see,
      removed: ({ uid }) => forget(uid),
    },
    parts,
  )
  return () => {
    stop()
    waiting.clear()
  }
}

function readPod(object: unknown): Unscheduled {
  const { metadata, spec } = object as {
    metadata: { namespace: string; name: string; uid: string }
    spec: { nodeName?: string }
  }
  const { name, namespace, uid } = metadata
  return { namespace, name, uid, node: spec.nodeName, placement: readPlacement(spec) }
}
