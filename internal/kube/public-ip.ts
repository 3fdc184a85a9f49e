// The annotation by which a pod shows its public address (E11); real TKE's name.
import { errorCode } from '../ipam/errors.ts'
import { keyPrefix } from '../ipam/names.ts'
import type { PodName, PodUid } from '../ipam/types.ts'
import type { Ipv4 } from '../value/ipv4.ts'
import type { KubeClient } from './client.ts'
import { textAt } from './json.ts'

const annotation = `${keyPrefix}eip-public-ip`

export function publicIpOf(metadata: unknown): string | undefined {
  return textAt(metadata, 'annotations', annotation)
}

/** Nothing when that pod is gone, or another has its name. */
export async function setPublicIp(
  client: KubeClient,
  { name, namespace, uid }: PodName & { readonly uid: PodUid },
  address: Ipv4 | undefined,
): Promise<void> {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}/status`
  const doing = `annotate pod "${namespace}/${name}"`
  // By way of the status, through which nothing of its spec can be changed. The API server refuses another uid than the one that the pod has.
  const body = { metadata: { uid, annotations: { [annotation]: address ?? null } } }
  try {
    await client.call({ doing, method: 'PATCH', path, body })
  } catch (error) {
    const code = errorCode(error)
    // A patch that names another uid is taken for one that would change it.
    const isAnother = code === 'bad_input' && (error as Error).message.includes('metadata.uid')
    if (code !== 'not_found' && code !== 'conflict' && !isAnother) throw error
  }
}
