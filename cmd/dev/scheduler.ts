// Puts pods without a node on the node with fewest, as a real cluster's scheduler would.
import type { Clock } from '../../internal/base/clock.ts'
import type { Log } from '../../internal/base/log.ts'
import type { Random } from '../../internal/base/random.ts'
import type { KubeClient } from '../../internal/kube/client.ts'
import { reflect } from '../../internal/kube/reflector.ts'

interface SchedulerParts {
  readonly client: KubeClient
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly nodes: () => readonly string[]
}

interface Unscheduled {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly node: string | undefined
}

const retryMs = 1000

/** Schedules until the returned function is called. */
export function startScheduler(parts: SchedulerParts): () => void {
  const { client, clock, log } = parts
  const placed = new Map<string, string>()

  async function place(pod: Unscheduled): Promise<void> {
    const counts = new Map(parts.nodes().map((node) => [node, 0]))
    for (const node of placed.values()) {
      const count = counts.get(node)
      if (count !== undefined) counts.set(node, count + 1) // a pod may have been bound to a node that does not exist
    }
    const [node] = [...counts].toSorted(([a, x], [b, y]) => x - y || (a < b ? -1 : 1))[0] ?? []
    if (node === undefined) return void clock.after(retryMs, () => void place(pod))
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
      placed.delete(pod.uid)
      log.warn('pod not scheduled', { pod: pod.name, error: (error as Error).message })
    }
  }

  function see(pod: Unscheduled): void {
    if (pod.node !== undefined) placed.set(pod.uid, pod.node)
    else if (!placed.has(pod.uid)) void place(pod)
  }

  return reflect(
    { what: 'pods', path: '/api/v1/pods', read: readPod, freshness: 'consistent' },
    {
      replaced(pods) {
        const present = new Set(pods.map(({ uid }) => uid))
        for (const uid of [...placed.keys()]) if (!present.has(uid)) placed.delete(uid)
        for (const pod of pods) see(pod)
      },
      changed: see,
      removed: ({ uid }) => void placed.delete(uid),
    },
    parts,
  )
}

function readPod(object: unknown): Unscheduled {
  const { metadata, spec } = object as {
    metadata: { namespace: string; name: string; uid: string }
    spec: { nodeName?: string }
  }
  return { namespace: metadata.namespace, name: metadata.name, uid: metadata.uid, node: spec.nodeName }
}
