// `kubectl annotate nec`, as a call.
import { keyPrefix } from '../../internal/ipam/names.ts'
import type { KubeClient } from '../../internal/kube/client.ts'
import { necPath } from '../../internal/kube/nec-api.ts'

/** By their short names; null removes one. Throws as KubeClient.call: `bad_input` when the API server refuses them. */
export async function annotateNec(
  kube: KubeClient,
  node: string,
  settings: Readonly<Record<string, number | null>>,
): Promise<void> {
  const annotations = Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [
      `${keyPrefix}${name}`,
      value === null ? null : String(value),
    ]),
  )
  await kube.call({
    doing: `annotate the NEC of node "${node}"`,
    method: 'PATCH',
    path: necPath(node),
    body: { metadata: { annotations } },
  })
}
