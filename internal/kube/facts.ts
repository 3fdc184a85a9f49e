// Pure: Kubernetes objects reduced to what we use. What is missing or malformed is undefined, never an error,
// so that one odd object cannot stop a watch.

import { isStatic } from '../ipam/count-pod.ts'
import { type DefaultNetwork, networkNames, networksAnnotation } from '../ipam/names.ts'
import { zoneLabel } from '../ipam/node-affinity.ts'
import { resourceNames } from '../ipam/resource-counts.ts'
import { type EniMode, eniModes, type NodeFact, type PodFact } from '../ipam/types.ts'
import { type Ipv4, parseIpv4 } from '../value/ipv4.ts'
import { claimOf, keepsIp } from './claim-annotations.ts'
import { eipOf } from './eip-annotations.ts'
import { at, listAt, textAt } from './json.ts'
import { parseNetworks } from './networks.ts'
import { isOurTaint } from './node-taint.ts'
import { publicIpOf } from './public-ip.ts'

const modes: ReadonlyMap<string, EniMode> = new Map(eniModes.map((mode) => [networkNames[mode], mode]))
const instanceLabel = 'cloud.tencent.com/node-instance-id'

/** The node in `object`; undefined when it has no name or uid, hence is no object of an API server. */
export function toNodeFact(object: unknown): NodeFact | undefined {
  const name = textAt(object, 'metadata', 'name')
  const uid = textAt(object, 'metadata', 'uid')
  if (name === undefined || uid === undefined) return undefined
  const zone = textAt(object, 'metadata', 'labels', zoneLabel)
  return {
    name,
    uid,
    instanceId: instanceOf(object),
    maxPods: podCapacity(object),
    unavailable: listAt(object, 'spec', 'taints').some(isOurTaint),
    ...(zone === undefined ? {} : { zoneLabel: zone }),
  }
}

function podCapacity(node: unknown): number | undefined {
  const pods = at(node, 'status', 'allocatable', 'pods')
  const text = typeof pods === 'number' ? String(pods) : pods
  return typeof text === 'string' && /^[0-9]{1,9}$/.test(text) ? Number(text) : undefined
}

/** The pod in `object`; undefined when it has no name, namespace or uid. */
export function toPodFact(object: unknown, defaultNetwork: DefaultNetwork): PodFact | undefined {
  const metadata = at(object, 'metadata')
  const name = textAt(metadata, 'name')
  const namespace = textAt(metadata, 'namespace')
  const uid = textAt(metadata, 'uid')
  if (name === undefined || namespace === undefined || uid === undefined) return undefined
  const phase = at(object, 'status', 'phase')
  const claim = claimOf(metadata)
  const eip = eipOf(metadata)
  const publicIp = publicIpOf(metadata)
  return {
    namespace,
    name,
    uid,
    node: textAt(object, 'spec', 'nodeName'),
    hostNetwork: at(object, 'spec', 'hostNetwork') === true,
    terminal: phase === 'Succeeded' || phase === 'Failed',
    deleting: textAt(metadata, 'deletionTimestamp') !== undefined,
    wants: wantedMode(object, defaultNetwork),
    ip: podIp(at(object, 'status')),
    keepsIp: keepsIp(metadata),
    ...(claim === undefined ? {} : { claim }),
    ...(eip === undefined ? {} : { eip }),
    ...(publicIp === undefined ? {} : { publicIp }),
  }
}

/** Does the pod in `object`, which may not be made yet, keep an address of a shared ENI? */
export function isStaticPod(object: unknown, defaultNetwork: DefaultNetwork): boolean {
  if (at(object, 'spec', 'hostNetwork') === true) return false
  return isStatic({ keepsIp: keepsIp(at(object, 'metadata')), wants: wantedMode(object, defaultNetwork) })
}

function instanceOf(node: unknown): string | undefined {
  const label = textAt(node, 'metadata', 'labels', instanceLabel)
  if (label !== undefined) return label
  // qcloud:///<zone id>/ins-…, set by the cloud controller
  return /^qcloud:\/\/.*\/(ins-[0-9a-z]+)$/.exec(textAt(node, 'spec', 'providerID') ?? '')?.[1]
}

/** An annotation says it best, then a resource; who says nothing gets the default network. */
function wantedMode(pod: unknown, defaultNetwork: DefaultNetwork): EniMode | undefined {
  const networks = parseNetworks(textAt(pod, 'metadata', 'annotations', networksAnnotation))
  const named = networks.flatMap((name) => modes.get(name) ?? [])
  if (named.length > 0) return named[0]
  const asked = eniModes.find((mode) => asksFor(pod, resourceNames[mode]))
  return asked ?? (networks.length > 0 ? undefined : modes.get(defaultNetwork))
}

function asksFor(pod: unknown, resource: string): boolean {
  const containers = [...listAt(pod, 'spec', 'containers'), ...listAt(pod, 'spec', 'initContainers')]
  return containers.some((container) =>
    ['requests', 'limits'].some((kind) => isPositive(at(container, 'resources', kind, resource))),
  )
}

/** Extended resources are whole numbers, but a quantity may be spelled "1", 1 or "1k". */
function isPositive(quantity: unknown): boolean {
  if (typeof quantity === 'string') return Number.parseFloat(quantity) > 0
  return typeof quantity === 'number' && quantity > 0
}

function podIp(status: unknown): Ipv4 | undefined {
  const primary = textAt(status, 'podIP')
  const all = [primary, ...listAt(status, 'podIPs').map((entry) => textAt(entry, 'ip'))]
  for (const text of all) {
    const ip = text === undefined ? undefined : parseIpv4(text)
    if (ip !== undefined) return ip
  }
  return undefined
}
