// The leader's side of Kubernetes: port LeaderKube over HTTP.
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import { errorCode, IpamError } from '../ipam/errors.ts'
import type { DefaultNetwork } from '../ipam/names.ts'
import type { Nec, NodeFact, NodeName, PodFact } from '../ipam/types.ts'
import type { LeaderKube } from '../ports.ts'
import type { Millis } from '../value/millis.ts'
import { decodeNec, encodePublication, type PublicationJson } from '../wire/nec.ts'
import type { KubeClient } from './client.ts'
import { unreachable } from './error.ts'
import { createEvents } from './events.ts'
import { toNodeFact, toPodFact } from './facts.ts'
import { at, holds } from './json.ts'
import { keepSources } from './masq-config.ts'
import {
  mergeNecAt,
  necCollection,
  necGroup,
  necPath,
  readNec,
  type StoredNec,
  setNecFields,
  storedNec,
} from './nec-api.ts'
import { setTaint } from './node-taint.ts'
import { setPublicIp } from './public-ip.ts'
import { reflect } from './reflector.ts'
import type { ReflectorLimits, Source } from './source.ts'
import { createWorkloads } from './workloads.ts'

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

/** How often a write begins again when the NEC changes, comes or goes under its hands. */
const maxRaces = 6

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
    getNode: (name) =>
      getFresh(client, `node "${name}"`, `/api/v1/nodes/${encodeURIComponent(name)}`, toNodeFact),
    getPod: ({ name, namespace }) => {
      const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}`
      return getFresh(client, `pod "${namespace}/${name}"`, path, pods.read)
    },
    getNec: (name) => getFresh(client, `NEC "${name}"`, necPath(name), decodeNec),
    ...createNecWriter(client),
    setUnavailable: (name, unavailable) =>
      unlessItRaces(`set the taint of node "${name}"`, () => setTaint(client, name, unavailable)),
    setPublicIp: (pod, address) => setPublicIp(client, pod, address),
    ...createWorkloads(parts),
    keepSources: (addresses, options) =>
      unlessItRaces('tell ip-masq-agent of sources', () => keepSources(client, addresses, options)),
    serverTime: () => readServerTime(client),
    notify: events.notify,
    close: events.close,
  }
}

/** A GET without resourceVersion is answered from etcd with a quorum, past the server's cache. */
async function getFresh<T>(
  client: KubeClient,
  what: string,
  path: string,
  read: (object: unknown) => T | undefined,
): Promise<T | undefined> {
  const doing = `get ${what}`
  try {
    const found = read(await client.call({ doing, path }))
    // Absence is what the server says, never what we could not read.
    if (found === undefined) throw unreachable(doing, 'the answer is something else')
    return found
  } catch (error) {
    if (errorCode(error) === 'not_found') return undefined
    throw error
  }
}

async function readServerTime(client: KubeClient): Promise<Millis> {
  const doing = 'read the clock of the API server'
  const answer = await client.open({ doing, path: '/version' })
  answer.destroy()
  const time = Date.parse(answer.headers.date ?? '')
  if (Number.isNaN(time)) throw unreachable(doing, 'its answer has no date')
  return time
}

/** Writes NECs in one epoch after the other; remembers which are of the present one, so that a write is one request. */
function createNecWriter(client: KubeClient): Pick<LeaderKube, 'publishNec' | 'deleteNec'> {
  const claimed = new Map<NodeName, number>()

  /** Status first: it changes most, and its answer shows whether spec needs a write at all. */
  async function update(name: NodeName, { spec, status }: PublicationJson, epoch: number): Promise<boolean> {
    try {
      const now = await setNecFields(client, name, 'status', status, epoch)
      if (now === undefined) return false
      return (
        holds(at(now, 'spec'), spec) || (await setNecFields(client, name, 'spec', spec, epoch)) !== undefined
      )
    } catch (error) {
      if (errorCode(error) === 'not_found') return false
      throw error
    }
  }

  /** Spec first: with it the epoch, which shuts out the leader before us. */
  async function claim(name: NodeName, { spec, status }: PublicationJson, epoch: number): Promise<void> {
    let nec = (await readNec(client, name, epoch)) ?? (await createNec(client, name, spec, epoch))
    if (!holds(at(nec.object, 'spec'), spec))
      nec = storedNec(name, await mergeNecAt(client, name, 'spec', spec, nec.version), epoch)
    await mergeNecAt(client, name, 'status', status, nec.version)
    claimed.set(name, epoch)
  }

  return {
    async publishNec(name, publication) {
      const json = encodePublication(publication)
      const { epoch } = publication
      if (claimed.get(name) === epoch && (await update(name, json, epoch))) return
      claimed.delete(name)
      await unlessItRaces(`publish NEC "${name}"`, () => claim(name, json, epoch))
    },
    async deleteNec(name, epoch) {
      claimed.delete(name)
      await unlessItRaces(`delete NEC "${name}"`, () => deleteNec(client, name, epoch))
    },
  }
}

/** Again when somebody else was faster: the agent's report, or someone who creates or deletes it. */
async function unlessItRaces<T>(doing: string, write: () => Promise<T>): Promise<T> {
  let last: unknown
  for (let race = 0; race < maxRaces; race++) {
    try {
      return await write()
    } catch (error) {
      const code = errorCode(error)
      if (code !== 'conflict' && code !== 'not_found') throw error
      last = error
    }
  }
  throw new IpamError('conflict', `Cannot ${doing}: somebody keeps changing it`, { cause: last })
}

async function createNec(
  client: KubeClient,
  name: NodeName,
  spec: PublicationJson['spec'],
  epoch: number,
): Promise<StoredNec> {
  const body = { apiVersion: `${necGroup}/v1`, kind: 'NodeENIConfig', metadata: { name }, spec }
  try {
    const doing = `create NEC "${name}"`
    return storedNec(name, await client.call({ doing, method: 'POST', path: necCollection, body }), epoch)
  } catch (error) {
    if (errorCode(error) !== 'not_found') throw error
    throw new IpamError('unavailable', `Cannot create NEC "${name}": the API server does not know NECs`, {
      hint: 'install the CRD nodeeniconfigs.networking.tke.cloud.tencent.com',
      cause: error,
    })
  }
}

async function deleteNec(client: KubeClient, name: NodeName, epoch: number): Promise<void> {
  const nec = await readNec(client, name, epoch)
  if (nec === undefined) return
  const body = { preconditions: { uid: nec.uid, resourceVersion: nec.version } }
  await client.call({ doing: `delete NEC "${name}"`, method: 'DELETE', path: necPath(name), body })
}
