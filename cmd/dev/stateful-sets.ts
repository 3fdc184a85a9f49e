// Makes the pods of StatefulSets, as the controller of a real cluster does: each under its number, anew when it ends, and none when its set
// is gone. Unlike there, pods do not wait for those before them.
import { createHash } from 'node:crypto'
import { createWorkQueue } from '../../internal/base/work-queue.ts'
import { errorCode } from '../../internal/ipam/errors.ts'
import { type ReflectorTools, reflect } from '../../internal/kube/reflector.ts'
import { canonicalJson } from '../../internal/value/canonical-json.ts'

interface StatefulSet {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly replicas: number
  readonly template: PodTemplate
  /** Of the template: pods of another one are replaced. */
  readonly revision: string
}

interface PodTemplate {
  readonly metadata?: { readonly labels?: object; readonly annotations?: object }
  readonly spec: object
}

interface OwnedPod {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  /** Name and uid of its set. */
  readonly set: string
  readonly owner: string
  readonly revision: string
  readonly isReady: boolean
  readonly isDeleted: boolean
}

const revisionLabel = 'controller-revision-hash'
const retryMs = 1000

/** Until the returned function is called. */
export function startStatefulSets(parts: ReflectorTools): () => void {
  const { client, clock, log } = parts
  const sets = new Map<string, StatefulSet>()
  const pods = new Map<string, OwnedPod>()
  const listed = new Set<'sets' | 'pods'>()
  const queue = createWorkQueue({ clock, concurrency: 4, work })

  async function work(key: string): Promise<void> {
    if (listed.size < 2) return queue.add(key, retryMs)
    try {
      await settle(key, sets.get(key))
    } catch (error) {
      log.warn('StatefulSet not settled', { object: key, error: (error as Error).message, retryIn: retryMs })
      queue.add(key, retryMs)
    }
  }

  async function settle(key: string, set: StatefulSet | undefined): Promise<void> {
    const its = [...pods.values()].filter((pod) => pod.set === key)
    const wanted = Array.from({ length: set?.replicas ?? 0 }, (_, i) => `${set?.name}-${i}`)
    const surplus = its.filter(({ name, owner }) => owner !== set?.uid || !wanted.includes(name))
    for (const pod of surplus) await remove(pod)
    if (set === undefined) return
    for (const name of wanted) {
      if (!its.some((pod) => pod.name === name)) await create(set, name)
    }
    // One at a time, and the last one first.
    const old = its.filter((pod) => pod.revision !== set.revision && !surplus.includes(pod))
    const [next] = old.toSorted((a, b) => ordinal(b) - ordinal(a))
    const isWhole =
      its.length === wanted.length && its.every(({ isDeleted, isReady }) => isReady && !isDeleted)
    if (next !== undefined && isWhole) await remove(next)
    await tell(set, its)
  }

  async function create(set: StatefulSet, name: string): Promise<void> {
    const { namespace, revision, template, uid } = set
    const { annotations, labels } = template.metadata ?? {}
    const owner = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: set.name, uid }
    const metadata = {
      name,
      ...(annotations !== undefined && { annotations }),
      labels: { ...labels, [revisionLabel]: revision, 'statefulset.kubernetes.io/pod-name': name },
      ownerReferences: [{ ...owner, controller: true, blockOwnerDeletion: true }],
    }
    const spec = { ...template.spec, hostname: name }
    await client.call({
      doing: `create pod "${name}"`,
      method: 'POST',
      path: `/api/v1/namespaces/${namespace}/pods`,
      body: { apiVersion: 'v1', kind: 'Pod', metadata, spec },
    })
  }

  async function remove({ isDeleted, name, namespace, uid }: OwnedPod): Promise<void> {
    if (isDeleted) return
    try {
      await client.call({
        doing: `delete pod "${name}"`,
        method: 'DELETE',
        path: `/api/v1/namespaces/${namespace}/pods/${name}`,
        body: { preconditions: { uid } },
      })
    } catch (error) {
      const code = errorCode(error)
      if (code !== 'not_found' && code !== 'conflict') throw error // gone, or another pod of the name
    }
  }

  /** For people. */
  async function tell({ name, namespace, revision }: StatefulSet, its: readonly OwnedPod[]): Promise<void> {
    const readyReplicas = its.filter(({ isReady }) => isReady).length
    const updatedReplicas = its.filter((pod) => pod.revision === revision).length
    const status = { replicas: its.length, readyReplicas, availableReplicas: readyReplicas, updatedReplicas }
    await client.call({
      doing: `write status of StatefulSet "${name}"`,
      method: 'PATCH',
      path: `/apis/apps/v1/namespaces/${namespace}/statefulsets/${name}/status`,
      body: { status },
    })
  }

  function see(pod: OwnedPod, isGone: boolean): void {
    const before = pods.get(pod.uid)
    if (isGone) pods.delete(pod.uid)
    else pods.set(pod.uid, pod)
    if (isGone || before === undefined || canonicalJson(before) !== canonicalJson(pod)) queue.add(pod.set)
  }

  function take(set: StatefulSet, isGone: boolean): void {
    const key = keyOf(set)
    const before = sets.get(key)
    if (isGone) sets.delete(key)
    else sets.set(key, set)
    if (
      isGone ||
      before?.uid !== set.uid ||
      before.replicas !== set.replicas ||
      before.revision !== set.revision
    )
      queue.add(key)
  }

  const stopSets = reflect(
    { what: 'statefulsets', path: '/apis/apps/v1/statefulsets', read: readSet, freshness: 'consistent' },
    {
      replaced(items) {
        const present = new Set(items.map(keyOf))
        for (const [key, set] of sets) if (!present.has(key)) take(set, true)
        for (const set of items) take(set, false)
        listed.add('sets')
      },
      changed: (set) => take(set, false),
      removed: (set) => take(set, true),
    },
    parts,
  )
  const stopPods = reflect(
    { what: 'pods', path: '/api/v1/pods', read: readPod, freshness: 'consistent' },
    {
      replaced(items) {
        const present = new Set(items.map(({ uid }) => uid))
        for (const pod of [...pods.values()]) if (!present.has(pod.uid)) see(pod, true)
        for (const pod of items) see(pod, false)
        listed.add('pods')
      },
      changed: (pod) => see(pod, false),
      removed: (pod) => see(pod, true),
    },
    parts,
  )
  return () => {
    stopSets()
    stopPods()
    void queue.stop()
  }
}

function keyOf({ name, namespace }: { readonly name: string; readonly namespace: string }): string {
  return `${namespace}/${name}`
}

function ordinal({ name }: OwnedPod): number {
  return Number(name.split('-').at(-1))
}

function readSet(object: unknown): StatefulSet {
  const { metadata, spec } = object as {
    metadata: { namespace: string; name: string; uid: string }
    spec: { replicas?: number; template: PodTemplate }
  }
  const { name, namespace, uid } = metadata
  const { replicas = 1, template } = spec
  const revision = createHash('sha256').update(canonicalJson(template)).digest('hex').slice(0, 10)
  return { namespace, name, uid, replicas, template, revision }
}

/** undefined: it is of no StatefulSet. */
function readPod(object: unknown): OwnedPod | undefined {
  const { metadata, status } = object as {
    metadata: {
      namespace: string
      name: string
      uid: string
      deletionTimestamp?: string
      labels?: Readonly<Record<string, string>>
      ownerReferences?: readonly { kind: string; name: string; uid: string; controller?: boolean }[]
    }
    status?: { phase?: string }
  }
  const { name, namespace, uid } = metadata
  const owner = metadata.ownerReferences?.find(({ controller, kind }) => controller && kind === 'StatefulSet')
  if (owner === undefined) return undefined
  return {
    namespace,
    name,
    uid,
    set: keyOf({ namespace, name: owner.name }),
    owner: owner.uid,
    revision: metadata.labels?.[revisionLabel] ?? '',
    isReady: status?.phase === 'Running',
    isDeleted: metadata.deletionTimestamp !== undefined,
  }
}
