// Pods of the dev cluster, made and awaited through its API.
import { errorCode } from '../../internal/ipam/errors.ts'
import { networkNames, networksAnnotation } from '../../internal/ipam/names.ts'
import type { KubeClient } from '../../internal/kube/client.ts'

export interface SeenPod {
  readonly name: string
  readonly node: string | undefined
  readonly address: string | undefined
}

const pods = '/api/v1/namespaces/default/pods'

/** A pod whose address goes with its workload, and after a time without a pod. */
export interface KeptPod {
  readonly owner: {
    readonly apiVersion: string
    readonly kind: string
    readonly name: string
    readonly uid: string
  }
  readonly expireAfter: string
}

/** Scheduled right away when `node` is given; with an ENI of its own when `kind` is "tke-direct-eni", with an address that it keeps when it is "static", or more is said of that. */
export async function createPod(
  kube: KubeClient,
  name: string,
  node?: string,
  kind?: typeof networkNames.exclusive | 'static' | 'with-eip' | KeptPod,
): Promise<void> {
  const spec = {
    containers: [{ name: 'main', image: 'none' }],
    ...(node === undefined ? {} : { nodeName: node }),
  }
  const kept = typeof kind === 'object' ? kind : undefined
  const annotations = {
    ...(kind === networkNames.exclusive && { [networksAnnotation]: kind }),
    ...(kind === 'with-eip' && { 'tke.cloud.tencent.com/eip-attributes': '{"Bandwidth":"5"}' }),
    ...((kind === 'static' || kept) && { 'tke.cloud.tencent.com/vpc-ip-claim-delete-policy': 'Never' }),
    ...(kept && { 'tke.cloud.tencent.com/claim-expired-duration': kept.expireAfter }),
  }
  await kube.call({
    doing: `create pod "${name}"`,
    method: 'POST',
    path: pods,
    body: {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name,
        labels: { app: 'tour' },
        annotations,
        ...(kept && { ownerReferences: [{ ...kept.owner, controller: true }] }),
      },
      spec,
    },
  })
}

export async function deletePod(kube: KubeClient, name: string): Promise<void> {
  try {
    await kube.call({ doing: `delete pod "${name}"`, method: 'DELETE', path: `${pods}/${name}` })
  } catch (error) {
    if (errorCode(error) !== 'not_found') throw error
  }
}

export async function listPods(kube: KubeClient): Promise<readonly SeenPod[]> {
  const answer = (await kube.call({ doing: 'list pods', path: pods })) as {
    items: { metadata: { name: string }; spec: { nodeName?: string }; status?: { podIP?: string } }[]
  }
  return answer.items.map(({ metadata, spec, status }) => ({
    name: metadata.name,
    node: spec.nodeName,
    address: status?.podIP,
  }))
}
