// Which claims NECs bring back when the ledger is lost.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rebuildClaims, type SeenReservation } from '../../internal/ipam/rebuild-claims.ts'
import { reservationTags } from '../../internal/ipam/reservation-tags.ts'
import type { Nec, PodFact, PublishedEni } from '../../internal/ipam/types.ts'
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

for (const c of [
  {
    does: 'takes what a reservation keeps for a name that no NEC shows',
    shown: [],
    reserved: [{ name: 'web-0', n: 9 }],
    want: { name: 'web-0', n: 9, reservation: 'rsvip-9' },
  },
  {
    does: 'takes the parked address that a NEC shows before one that is only reserved for that name',
    shown: ['2:1:web-0'],
    reserved: [{ name: 'web-0', n: 9 }],
    want: { name: 'web-0', n: 2, reservation: undefined },
  },
  {
    does: 'takes the address that a NEC shows for one name before that it is reserved for another',
    shown: ['2:1:web-0'],
    reserved: [{ name: 'web-1', n: 2 }],
    want: { name: 'web-0', n: 2, reservation: undefined },
  },
  {
    does: 'takes the reserved one of two that NECs show for a name',
    shown: ['2:1:web-0', '3:1:web-0'],
    reserved: [{ name: 'web-0', n: 3 }],
    want: { name: 'web-0', n: 3, reservation: 'rsvip-3' },
  },
  {
    does: 'takes the one that the pod shows of two that NECs show for its name',
    shown: ['2:1:web-0', '3:1:web-0'],
    reserved: [{ name: 'web-0', n: 3 }],
    pod: 2,
    want: { name: 'web-0', n: 2, reservation: undefined },
  },
]) {
  test(`[R4] [S1] rebuildClaims() ${c.does}`, () => {
    const reservations = c.reserved.map(({ n, name }) => reservationOf(name, n))
    const pods = c.pod === undefined ? [] : [podShowing(c.pod)]
    const nec = necOf(publishedEni(1, '1', ...c.shown))
    const { claims, unclaimed } = rebuildClaims({ clusterId: 'cls-test', necs: [nec], reservations, pods })
    const want = { name: c.want.name, address: addressOf(1, c.want.n), reservation: c.want.reservation }
    assert.deepEqual(
      claims.map(({ address, name, reservation }) => ({ name, address, reservation })),
      [want],
    )
    const others = reservations.map(({ address }) => address).filter((address) => address !== want.address)
    assert.deepEqual([...unclaimed], others)
  })
}

test('[R4] rebuildClaims() gives a token that somebody has copied to one claim only', () => {
  const copied = { ...reservationOf('web-1', 4), tags: reservationOf('web-1', 3).tags }
  const reservations = [reservationOf('web-0', 3), copied]
  const { claims } = rebuildClaims({ clusterId: 'cls-test', necs: [], reservations, pods: [] })
  assert.deepEqual(
    claims.map(({ name, reservation, reserveToken }) => [name, reservation, reserveToken]),
    [
      ['web-0', 'rsvip-3', 'token-3'],
      ['web-1', 'rsvip-4', undefined],
    ],
  )
})

function podShowing(n: number): PodFact {
  return {
    ...{ namespace: 'shop', name: 'web-0', uid: 'uid-web-0', node: 'node-1' },
    ...{ hostNetwork: false, terminal: false, deleting: false },
    wants: 'shared',
    ip: addressOf(1, n),
    keepsIp: true,
  }
}

function reservationOf(name: string, n: number): SeenReservation {
  const purpose = { clusterId: 'cls-test', namespace: 'shop', name, token: `token-${n}` }
  const tags = reservationTags({ ...purpose, expireAfter: undefined, owner: undefined })
  return { id: `rsvip-${n}`, subnetId: 'subnet-a', address: addressOf(1, n), bound: false, tags }
}

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
