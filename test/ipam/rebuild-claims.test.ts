// Which claims NECs bring back when the ledger is lost.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rebuildClaims } from '../../internal/ipam/rebuild-claims.ts'
import type { Nec, PublishedEni } from '../../internal/ipam/types.ts'
import { nodeBounds } from '../given.ts'
import { addressOf, publishedEni, zone } from './pools.ts'

test('[R4] rebuildClaims() brings back what a NEC shows for a pod, and nothing that was let go', () => {
  const nec = necOf(publishedEni(1, '1', '2:1:web-0', '3:1:web-1 (released)'))
  const { claims } = rebuildClaims({ clusterId: 'cls-test', necs: [nec], reservations: [], pods: [] })
  assert.deepEqual(
    claims.map(({ address, name }) => [name, address]),
    [['web-0', addressOf(1, 2)]],
  )
})

test('[R4] [S12] rebuildClaims() brings back for how long, and with whom, an address is kept that no reservation keeps', () => {
  const owner = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'web', uid: 'uid-web' }
  const eni = publishedEni(1, '1', '2:1:web-0')
  const ips = eni.ips.map((ip) =>
    ip.claim ? { ...ip, claim: { ...ip.claim, expireAfter: 600_000, owner } } : ip,
  )
  const { claims } = rebuildClaims({
    clusterId: 'cls-test',
    necs: [necOf({ ...eni, ips })],
    reservations: [],
    pods: [],
  })
  assert.deepEqual(
    claims.map(({ expireAfter, owner }) => ({ expireAfter, owner })),
    [{ expireAfter: 600_000, owner }],
  )
})

function necOf(...enis: readonly PublishedEni[]): Nec {
  const bounds = nodeBounds({ minWarm: 0, maxWarm: 0, maxEnis: 2, ipsPerEni: 5 })
  return {
    name: 'node-1',
    uid: 'uid-1',
    annotations: {},
    publication: {
      epoch: 1,
      instanceId: 'ins-1',
      zone,
      staticIps: true,
      eips: 1,
      ...bounds,
      enis,
      conditions: [],
    },
    report: undefined,
    fault: undefined,
  }
}
