// Has the API server refuse wrong annotations of NECs at the command (P6–P8). A cluster can be led without: then the leader alone
// judges them, a moment later.
import { readAsset } from '../base/asset.ts'
import type { Random } from '../base/random.ts'
import { errorCode, IpamError } from '../ipam/errors.ts'
import { type InstallTools, installObject, manifestObjects } from './install-object.ts'
import { textAt } from './json.ts'
import { keepTrying } from './keep-trying.ts'

const group = '/apis/admissionregistration.k8s.io/v1'
const retry = { firstMs: 2000, maxMs: 600_000 }

/** Idempotent. Throws as KubeClient.call; not_found when the API server has no such policies. */
export async function installNecPolicy(tools: InstallTools): Promise<void> {
  const text = readAsset('./manifests/nec-policy.yaml', import.meta.url)
  for (const wanted of manifestObjects(text, 'nec-policy.yaml')) {
    const what = textAt(wanted, 'kind') ?? ''
    const collection = `${group}/${what === 'ValidatingAdmissionPolicy' ? 'validatingadmissionpolicies' : 'validatingadmissionpolicybindings'}`
    await installObject({ what, collection, wanted }, tools)
  }
}

/** Tries until it is installed, `signal` aborts or another leader has come, and warns once of each obstacle. Never rejects. */
export async function keepNecPolicy(
  tools: InstallTools & { readonly random: Random },
  signal: AbortSignal,
): Promise<void> {
  const effort = {
    attempt: () =>
      installNecPolicy({ ...tools, signal }).catch((error: unknown) => Promise.reject(explained(error))),
    lookEvery: undefined,
    retry,
    meanwhile: () => 'annotations of NECs are judged by the leader alone',
  }
  await keepTrying(effort, tools, signal)
}

/** An API server that does not know such policies says only that there is nothing. */
function explained(error: unknown): unknown {
  if (errorCode(error) !== 'not_found') return error
  return new IpamError(
    'not_found',
    'Cannot install ValidatingAdmissionPolicy "tke-eni-nec-annotations": the API server does not know admissionregistration.k8s.io/v1 policies',
    { hint: 'Kubernetes 1.30 and later do', cause: error },
  )
}
