// The leader's side of Kubernetes: port LeaderKube over HTTP.
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import { errorCode, IpamError } from '../ipam/errors.ts'
import type { Nec, NecPublication, NodeFact, NodeName, PodFact } from '../ipam/types.ts'
import type { LeaderKube } from '../ports.ts'
import { decodeNec, encodePublication, type PublicationJson } from '../wire/nec.ts'
import type { KubeClient } from './client.ts'
import { unreachable } from './error.ts'
import { createEvents } from './events.ts'
import { type DefaultNetwork, toNodeFact, toPodFact } from './facts.ts'
import { at, holds } from './json.ts'
import { mergeNec, necCollection, necGroup, necPath } from './nec-api.ts'
import { reflect } from './reflector.ts'
import type { ReflectorLimits, Source } from './source.ts'

export interface LeaderKubeParts {
  readonly client: KubeClient
  /** A client of its own, so that a flood of events never delays a NEC. */
  readonly eventClient: KubeClient
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly defaultNetwork: DefaultNetwork
  /** Name of this process in the events it writes. */
  readonly instance: string
  readonly limits?: Partial<ReflectorLimits>
}

/** How often publishNec begins again when the NEC comes or goes under its hands. */
const maxRaces = 4

export function createLeaderKube(parts: LeaderKubeParts): LeaderKube & { close(): void } {
  const { client, defaultNetwork } = parts
  const events = createEvents({ ...parts, client: parts.eventClient })
  const nodes: Source<NodeFact> = {
    what: 'nodes',
    path: '/api/v1/nodes',
    read: toNodeFact,
    freshness: 'consistent',
  }
  const pods: Source<PodFact> = {
    what: 'pods',
    path: '/api/v1/pods',
    read: (object) => toPodFact(object, defaultNetwork),
    freshness: 'consistent',
  }
  const necs: Source<Nec> = { what: 'NECs', path: necCollection, read: decodeNec, freshness: 'consistent' }
  return {
    watchNodes: (feed) => reflect(nodes, feed, parts),
    watchPods: (feed) => reflect(pods, feed, parts),
    watchNecs: (feed) => reflect(necs, feed, parts),
    getNode: (name) => getNode(client, name),
    publishNec: (name, publication) => publishNec(client, name, publication),
    deleteNec: (name) => deleteNec(client, name),
    notify: events.notify,
    close: events.close,
  }
}

/** A GET without resourceVersion is answered from etcd with a quorum, past the server's cache. */
async function getNode(client: KubeClient, name: NodeName): Promise<NodeFact | undefined> {
  const doing = `get node "${name}"`
  try {
    const found = toNodeFact(await client.call({ doing, path: `/api/v1/nodes/${encodeURIComponent(name)}` }))
    // Absence is what the server says, never what we could not read.
    if (found === undefined) throw unreachable(doing, 'the answer is something else')
    return found
  } catch (error) {
    if (errorCode(error) === 'not_found') return undefined
    throw error
  }
}

/** Status first: it changes most, and its answer shows whether spec needs a write at all. */
async function publishNec(client: KubeClient, name: NodeName, publication: NecPublication): Promise<void> {
  const json = encodePublication(publication)
  for (let race = 0; race < maxRaces; race++) {
    try {
      const now = await mergeNec(client, name, 'status', { status: json.status })
      if (!holds(at(now, 'spec'), json.spec)) await mergeNec(client, name, 'spec', { spec: json.spec })
      return
    } catch (error) {
      if (errorCode(error) !== 'not_found') throw error
      await createNec(client, name, json)
    }
  }
  throw new IpamError('conflict', `Cannot publish NEC "${name}": somebody keeps deleting it`)
}

async function createNec(client: KubeClient, name: NodeName, { spec }: PublicationJson): Promise<void> {
  const body = { apiVersion: `${necGroup}/v1`, kind: 'NodeENIConfig', metadata: { name }, spec }
  try {
    await client.call({ doing: `create NEC "${name}"`, method: 'POST', path: necCollection, body })
  } catch (error) {
    const code = errorCode(error)
    if (code === 'conflict') return
    if (code !== 'not_found') throw error
    throw new IpamError('unavailable', `Cannot create NEC "${name}": the API server does not know NECs`, {
      hint: 'install the CRD nodeeniconfigs.networking.tke.cloud.tencent.com',
      cause: error,
    })
  }
}

async function deleteNec(client: KubeClient, name: NodeName): Promise<void> {
  try {
    await client.call({ doing: `delete NEC "${name}"`, method: 'DELETE', path: necPath(name) })
  } catch (error) {
    if (errorCode(error) !== 'not_found') throw error
  }
}
