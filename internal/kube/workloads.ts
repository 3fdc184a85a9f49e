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

  async function getIn(
    { namespaced, resource, root }: Served,
    ref: Omit<OwnerRef, 'uid'>,
    namespace: string,
  ): Promise<Workload | undefined> {
    const doing = `get ${ref.kind} "${ref.name}"`
    const where = namespaced ? `/namespaces/${encodeURIComponent(namespace)}` : ''
    const path = `${root}${where}/${resource}/${encodeURIComponent(ref.name)}`
    const answer = await orNothing(client.call({ doing, path, accept: metadataOnly }))
    if (answer === undefined) return undefined
    const found = toWorkload(answer, ref)
    // Absence is what the server says, never what we could not read.
    if (found === undefined)
      throw new IpamError('unavailable', `Cannot ${doing}: the answer is something else`)
    return found
  }

  return {
    async getWorkload(ref, namespace) {
      const where = await served(ref)
      const found = await getIn(where, ref, namespace)
      if (found !== undefined) return found
      // A version that is not served any more answers alike, and its objects may be there in another.
      known.delete(keyOf(ref))
      const now = await served(ref)
      return now.root === where.root ? undefined : getIn(now, ref, namespace)
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

/** Throws `not_found` when the kind is served in no version: that of a reference may have been given up, and its objects are in another. */
async function discover(client: KubeClient, kind: WorkloadKind): Promise<Served> {
  const doing = `find out where ${kind.apiVersion} ${kind.kind} is served`
  const own = await servedIn(client, kind.apiVersion, kind.kind, doing)
  if (own !== undefined) return own
  for (const apiVersion of await otherVersions(client, kind.apiVersion, doing)) {
    const found = await servedIn(client, apiVersion, kind.kind, doing)
    if (found !== undefined) return found
  }
  throw new IpamError('not_found', `Cannot ${doing}: the API server has no such kind`)
}

async function servedIn(
  client: KubeClient,
  apiVersion: string,
  kind: string,
  doing: string,
): Promise<Served | undefined> {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
  const answer = await orNothing(client.call({ doing, path: root }))
  const found = listAt(answer, 'resources').find(
    (each) => at(each, 'kind') === kind && textAt(each, 'name')?.includes('/') === false,
  )
  const resource = textAt(found, 'name')
  return resource === undefined ? undefined : { root, resource, namespaced: at(found, 'namespaced') === true }
}

async function otherVersions(
  client: KubeClient,
  apiVersion: string,
  doing: string,
): Promise<readonly string[]> {
  const [group, version] = apiVersion.split('/')
  if (version === undefined) return []
  const answer = await orNothing(client.call({ doing, path: `/apis/${group}` }))
  const all = listAt(answer, 'versions').flatMap((each) => textAt(each, 'groupVersion') ?? [])
  return all.filter((each) => each !== apiVersion)
}

async function orNothing(answer: Promise<unknown>): Promise<unknown> {
  try {
    return await answer
  } catch (error) {
    if (errorCode(error) === 'not_found') return undefined
    throw error
  }
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
