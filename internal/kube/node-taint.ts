// The taint of nodes that have no addresses for pods yet (K5).

import { errorCode } from '../ipam/errors.ts'
import { keyPrefix } from '../ipam/names.ts'
import type { NodeName } from '../ipam/types.ts'
import type { KubeClient } from './client.ts'
import { at, listAt, textAt } from './json.ts'

const taint = { key: `${keyPrefix}eni-ip-unavailable`, value: 'true', effect: 'NoSchedule' }

/** Whatever its value: kubelets are told one by hand. */
export function isOurTaint(found: unknown): boolean {
  return at(found, 'key') === taint.key && at(found, 'effect') === taint.effect
}

/** A node's taints can only be written together: as they were read, or not at all. Throws `conflict` when the node has changed meanwhile. */
export async function setTaint(client: KubeClient, name: NodeName, wanted: boolean): Promise<void> {
  const path = `/api/v1/nodes/${encodeURIComponent(name)}`
  try {
    const node = await client.call({ doing: `get node "${name}"`, path })
    const taints = listAt(node, 'spec', 'taints')
    const others = taints.filter((found) => !isOurTaint(found))
    if (wanted === others.length < taints.length) return
    const resourceVersion = textAt(node, 'metadata', 'resourceVersion')
    const body = { metadata: { resourceVersion }, spec: { taints: wanted ? [...others, taint] : others } }
    const doing = `${wanted ? 'put the taint on' : 'take the taint off'} node "${name}"`
    await client.call({ doing, method: 'PATCH', path, body })
  } catch (error) {
    if (errorCode(error) !== 'not_found') throw error
  }
}
