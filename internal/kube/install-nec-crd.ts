// Teaches the API server what a NEC is: creates the CRD, or brings it up to this version's.
import { readAsset } from '../base/asset.ts'
import { type Clock, sleep } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { IpamError } from '../ipam/errors.ts'
import type { KubeClient } from './client.ts'
import { type Installable, installObject, manifestObjects } from './install-object.ts'
import { at, listAt } from './json.ts'

const collection = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
const establishedWithin = 30_000

/** Idempotent; resolves when NECs can be used. Throws as KubeClient.call; unavailable when the API server does not accept the CRD in time. */
export async function installNecCrd(client: KubeClient, clock: Clock, log: Log): Promise<void> {
  const deadline = clock.now() + establishedWithin
  const [wanted = {}] = manifestObjects(
    readAsset('./manifests/nec-crd.yaml', import.meta.url),
    'nec-crd.yaml',
  )
  const crd: Installable = { what: 'CRD', collection, wanted }
  for (;;) {
    if (isEstablished(await installObject(crd, { client, clock, log }))) return
    if (clock.now() > deadline)
      throw new IpamError('unavailable', 'Cannot install the CRD of NECs: it does not become Established')
    await sleep(clock, 100)
  }
}

function isEstablished(crd: unknown): boolean {
  return listAt(crd, 'status', 'conditions').some(
    (each) => at(each, 'type') === 'Established' && at(each, 'status') === 'True',
  )
}
