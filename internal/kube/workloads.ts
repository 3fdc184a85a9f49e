// Workloads of any kind, by their metadata alone: which kinds there are and where they are served is asked of the API server.
import { errorCode, IpamError } from '../ipam/errors.ts'
import type { OwnerRef } from '../ipam/types.ts'
import type { Feed, LeaderKube, Stop, Workload, WorkloadKind } from '../ports.ts'
import { controllerOf } from './claim-annotations.ts'
import type { KubeClient } from './client.ts'
import { at, listAt, textAt } from './json.ts'
import { type ReflectorTools, reflect } from './reflector.ts'

const partial = 'as=PartialObjectMetadata;g=meta.k8s.io;v=v1'
const partialList = 'as=PartialObjectMetadataList;g=meta.k8s.io;v=v1'
/** A server that cannot leave the rest out sends it. */
const metadataOnly = `application/json;${partial},application/json`
const metadataOfAll = `application/json;${partialList},application/json`

interface Served {
  /** "/apis/apps/v1" */
  readonly root: string
  /** "statefulsets" */
  readonly resource: string
  readonly namespaced: boolean
}

export function createWorkloads(tools: ReflectorTools): Pick<LeaderKube, 'getWorkload' | 'watchWorkloads'> {
  const { client, clock, log } = tools
  const known = new Map<string, Served>()

  /** What is known stays: a kind is not served elsewhere under the same version. */
  async function served(kind: WorkloadKind): Promise<Served> {
    const found = known.get(keyOf(kind)) ?? (await discover(client, kind))
    known.set(keyOf(kind), found)
    return found
  }

  return {
    async getWorkload(ref, namespace) {
      const doing = `get ${ref.kind} "${ref.name}"`
      const { namespaced, resource, root } = await served(ref)
      const where = namespaced ? `/namespaces/${encodeURIComponent(namespace)}` : ''
      const path = `${root}${where}/${resource}/${encodeURIComponent(ref.name)}`
      try {
        const found = toWorkload(await client.call({ doing, path, accept: metadataOnly }), ref)
        // Absence is what the server says, never what we could not read.
        if (found === undefined)
          throw new IpamError('unavailable', `Cannot ${doing}: the answer is something else`)
        return found
      } catch (error) {
        if (errorCode(error) !== 'not_found') throw error
        // A version that is not served any more answers alike, and its objects may be there in another.
        known.delete(keyOf(ref))
        await served(ref)
        return undefined
      }
    },
    watchWorkloads(kind, feed, trouble) {
      let stop: Stop = () => {}
      let stopped = false
      const begin = () => {
        if (stopped) return
        served(kind).then(
          (where) => {
            if (!stopped) stop = watch(kind, where, feed, trouble, tools)
          },
          (error: Error) => {
            if (stopped) return
            trouble(error)
            stop = clock.after(discoverAgainAfter, begin)
          },
        )
      }
      begin()
      log.debug('workloads watched', { ...kind })
      return () => {
        stopped = true
        stop()
      }
    },
  }
}

const discoverAgainAfter = 60_000

function watch(
  kind: WorkloadKind,
  { resource, root }: Served,
  feed: Feed<Workload>,
  trouble: (error: Error) => void,
  tools: ReflectorTools,
): Stop {
  const source = {
    what: resource,
    path: `${root}/${resource}`,
    read: (object: unknown) => toWorkload(object, kind),
    freshness: 'consistent',
    accept: { list: metadataOfAll, watch: metadataOnly },
  } as const
  return reflect(source, feed, { ...tools, failed: trouble })
}

async function discover(client: KubeClient, { apiVersion, kind }: WorkloadKind): Promise<Served> {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
  const doing = `find out where ${apiVersion} ${kind} is served`
  const answer = await client.call({ doing, path: root })
  const found = listAt(answer, 'resources').find(
    (each) => at(each, 'kind') === kind && textAt(each, 'name')?.includes('/') === false,
  )
  const resource = textAt(found, 'name')
  if (resource === undefined)
    throw new IpamError('bad_input', `Cannot ${doing}: the API server has no such kind`)
  return { root, resource, namespaced: at(found, 'namespaced') === true }
}

function toWorkload(object: unknown, { apiVersion, kind }: WorkloadKind): Workload | undefined {
  const name = textAt(object, 'metadata', 'name')
  const uid = textAt(object, 'metadata', 'uid')
  if (name === undefined || uid === undefined) return undefined
  const controller: OwnerRef | undefined = controllerOf(at(object, 'metadata'))
  return { apiVersion, kind, name, uid, namespace: textAt(object, 'metadata', 'namespace'), controller }
}

function keyOf({ apiVersion, kind }: WorkloadKind): string {
  return `${apiVersion}/${kind}`
}
