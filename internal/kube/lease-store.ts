// The lease that leaders elect by, as an object of the API server. Its times are for people alone.

import type { Clock } from '../base/clock.ts'
import { errorCode } from '../ipam/errors.ts'
import { keyPrefix } from '../ipam/names.ts'
import type { LeaseRecord, LeaseStore, StoredLease } from '../ports.ts'
import type { KubeClient } from './client.ts'
import { unreachable } from './error.ts'
import { at, textAt } from './json.ts'

/** Where RBAC allows it (rbac-leader.yaml). */
const namespace = 'kube-system'
const name = 'tke-eni-leader'
const collection = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`
const path = `${collection}/${name}`
const ledgerAnnotation = `${keyPrefix}ledger-id`

/** `client` serves nothing else: what throttles others must never cost the lease. */
export function createLeaseStore(client: KubeClient, clock: Clock): LeaseStore {
  let known: StoredLease | undefined
  return {
    async read() {
      try {
        // Without a resourceVersion it is answered from etcd with a quorum, past the server's cache.
        known = toRecord(await client.call({ doing: 'read the lease of the leader', path }))
      } catch (error) {
        if (errorCode(error) !== 'not_found') throw error
        known = undefined
      }
      return known
    },
    async write(next, version) {
      const begins = version === undefined || known?.holder !== next.holder || known?.epoch !== next.epoch
      const body = toObject(next, version, microTime(clock.now()), begins)
      const doing = 'write the lease of the leader'
      known = toRecord(
        version === undefined
          ? await client.call({ doing, method: 'POST', path: collection, body })
          : await client.call({ doing, method: 'PATCH', path, body }),
      )
      return known
    },
  }
}

/** As a whole for a new one, else as a merge patch of the record that has `version`: labels of others stay. */
function toObject(next: LeaseRecord, version: string | undefined, now: string, begins: boolean): object {
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: {
      name,
      ...(version === undefined ? {} : { resourceVersion: version }),
      ...(next.ledgerId === undefined ? {} : { annotations: { [ledgerAnnotation]: next.ledgerId } }),
    },
    spec: {
      holderIdentity: next.holder ?? null,
      leaseDurationSeconds: Math.max(1, Math.ceil(next.duration / 1000)),
      leaseTransitions: next.epoch,
      renewTime: now,
      ...(begins ? { acquireTime: now } : {}),
    },
  }
}

function toRecord(object: unknown): StoredLease {
  const version = textAt(object, 'metadata', 'resourceVersion')
  if (version === undefined) throw unreachable('read the lease of the leader', 'the answer is something else')
  const spec = at(object, 'spec')
  return {
    holder: textAt(spec, 'holderIdentity'),
    duration: whole(at(spec, 'leaseDurationSeconds')) * 1000,
    epoch: whole(at(spec, 'leaseTransitions')),
    ledgerId: textAt(object, 'metadata', 'annotations', ledgerAnnotation),
    version,
  }
}

function whole(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : 0
}

function microTime(now: number): string {
  return new Date(now).toISOString().replace('Z', '000Z')
}
