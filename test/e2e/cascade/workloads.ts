// Workloads of a dev cluster and their pods, made as controllers would make them: nobody else does here.
import { errorCode } from '../../../internal/ipam/errors.ts'
import type { KubeClient } from '../../../internal/kube/client.ts'
import { until } from '../service.ts'

/** A kind of workload, and where it is served. */
export interface Kind {
  readonly apiVersion: string
  readonly kind: string
  readonly resource: string
  readonly spec: object
}

export interface MadeWorkload {
  readonly kind: Kind
  readonly name: string
  readonly uid: string
}

const selector = { matchLabels: { app: 'cascade' } }
const template = {
  metadata: { labels: { app: 'cascade' } },
  spec: { containers: [{ name: 'main', image: 'none' }] },
}
const apps = (kind: string, more: object = {}): Kind => ({
  apiVersion: 'apps/v1',
  kind,
  resource: `${kind.toLowerCase()}s`,
  spec: { selector, template, ...more },
})

export const deployment = apps('Deployment')
export const replicaSet = apps('ReplicaSet')
export const statefulSet = apps('StatefulSet', { serviceName: 'cascade' })

const group = 'games.example'
/** Custom ones: no role that we ship names them. */
export const gameSet = custom('GameSet')
export const tournament = custom('Tournament')

function custom(kind: string): Kind {
  return {
    apiVersion: `${group}/v1`,
    kind,
    resource: `${kind.toLowerCase()}s`,
    spec: { size: 2 },
  }
}

/** Resolves when it is served. */
export async function installKind(kube: KubeClient, { apiVersion, kind, resource }: Kind): Promise<void> {
  const schema = {
    openAPIV3Schema: {
      type: 'object',
      properties: { spec: { type: 'object', properties: { size: { type: 'integer' } } } },
    },
  }
  await kube.call({
    doing: `install ${kind}`,
    method: 'POST',
    path: crds,
    body: {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `${resource}.${group}` },
      spec: {
        group,
        scope: 'Namespaced',
        names: { kind, plural: resource, singular: kind.toLowerCase(), listKind: `${kind}List` },
        versions: [{ name: 'v1', served: true, storage: true, schema }],
      },
    },
  })
  const served = () =>
    kube.call({ doing: `list ${kind}`, path: `/apis/${apiVersion}/${resource}` }).then(
      () => true,
      () => false,
    )
  await until(`${kind} is served`, served)
}

/** With all its objects. */
export function uninstallKind(kube: KubeClient, { kind, resource }: Kind): Promise<unknown> {
  return kube.call({ doing: `uninstall ${kind}`, method: 'DELETE', path: `${crds}/${resource}.${group}` })
}

const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'

export async function make(
  kube: KubeClient,
  kind: Kind,
  name: string,
  owner?: MadeWorkload,
): Promise<MadeWorkload> {
  const metadata = { name, ...ownedBy(owner) }
  const { apiVersion, spec } = kind
  const made = (await kube.call({
    doing: `create ${kind.kind} "${name}"`,
    method: 'POST',
    path: pathOf(kind),
    body: { apiVersion, kind: kind.kind, metadata, spec },
  })) as { metadata: { uid: string } }
  return { kind, name, uid: made.metadata.uid }
}

export async function unmake(kube: KubeClient, { kind, name }: MadeWorkload): Promise<void> {
  const path = `${pathOf(kind)}/${name}`
  await kube.call({ doing: `delete ${kind.kind} "${name}"`, method: 'DELETE', path })
  try {
    await kube.call({ doing: `get ${kind.kind} "${name}"`, path })
  } catch (error) {
    if (errorCode(error) === 'not_found') return
    throw error
  }
  throw new Error(`${kind.kind} "${name}" is still there`)
}

/** A static pod on that node. */
export async function makePod(
  kube: KubeClient,
  name: string,
  node: string,
  owner?: MadeWorkload,
): Promise<void> {
  await kube.call({
    doing: `create pod "${name}"`,
    method: 'POST',
    path: '/api/v1/namespaces/default/pods',
    body: {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name,
        ...ownedBy(owner),
        labels: { app: 'cascade' },
        annotations: { 'tke.cloud.tencent.com/vpc-ip-claim-delete-policy': 'Never' },
      },
      spec: { nodeName: node, containers: [{ name: 'main', image: 'none' }] },
    },
  })
}

function pathOf({ apiVersion, resource }: Kind): string {
  return `/apis/${apiVersion}/namespaces/default/${resource}`
}

function ownedBy(owner: MadeWorkload | undefined): object {
  if (owner === undefined) return {}
  const { apiVersion, kind } = owner.kind
  return {
    ownerReferences: [
      { apiVersion, kind, name: owner.name, uid: owner.uid, controller: true, blockOwnerDeletion: true },
    ],
  }
}
