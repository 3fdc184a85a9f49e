// Has the cluster pass requests for VpcIPs, VpcIPClaims and EIPClaims to this leader. A cluster can be led without: then "tke-eni get vip"
// shows them, on the leader's machine.
import { readAsset } from '../base/asset.ts'
import type { Random } from '../base/random.ts'
import { type InstallTools, installObject, manifestObjects } from './install-object.ts'
import { textAt } from './json.ts'
import { keepTrying } from './keep-trying.ts'

/** The DNS name that the API server checks the certificate for. */
export const claimsServiceName = 'tke-eni-apiserver.kube-system.svc'

export interface ClaimsPlace {
  /** IPv4, from the API server's side; not of the loopback. */
  readonly address: string
  readonly port: number
  /** PEM. */
  readonly authority: string
}

const collections: Readonly<Record<string, string>> = {
  Service: '/api/v1/namespaces/kube-system/services',
  Endpoints: '/api/v1/namespaces/kube-system/endpoints',
  EndpointSlice: '/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices',
  APIService: '/apis/apiregistration.k8s.io/v1/apiservices',
}

/** Idempotent. Throws as KubeClient.call. */
export async function installClaimsApi(place: ClaimsPlace, tools: InstallTools): Promise<void> {
  const text = readAsset('./manifests/claims-api.yaml', import.meta.url)
    .replaceAll('$' + '{ADDRESS}', place.address)
    .replaceAll('$' + '{PORT}', String(place.port))
    .replaceAll('$' + '{CA}', Buffer.from(place.authority).toString('base64'))
  for (const wanted of manifestObjects(text, 'claims-api.yaml')) {
    const what = textAt(wanted, 'kind') ?? ''
    await installObject({ what, collection: collections[what] ?? '', wanted }, tools)
  }
}

const retry = { firstMs: 1000, maxMs: 600_000 }
/** Somebody may delete or change them, and the authority is another some day. */
const lookEvery = 60_000

/** Keeps it installed as `place` says it is by then, until `signal` aborts or another leader has come, and warns once of each obstacle. Never rejects. */
export async function keepClaimsApi(
  place: () => Promise<ClaimsPlace>,
  tools: InstallTools & { readonly random: Random },
  signal: AbortSignal,
): Promise<void> {
  const effort = {
    attempt: async () => installClaimsApi(await place(), { ...tools, signal }),
    lookEvery,
    retry,
    meanwhile: () => 'kubectl cannot get vip, vipc and eipc',
  }
  await keepTrying(effort, tools, signal)
}
