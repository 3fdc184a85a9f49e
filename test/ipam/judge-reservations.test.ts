// Reservations against the claims that they keep addresses for.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judgeReservations } from '../../internal/ipam/judge-reservations.ts'
import { reservationTags } from '../../internal/ipam/reservation-tags.ts'
import type { SurveyClaim, SurveyReservation } from '../../internal/ipam/survey.ts'
import { nth } from '../given.ts'

test('[R1] judgeReservations() gives a token that somebody has copied to one claim only', () => {
  const claims = [1, 2, 3].map(claimOf)
  // The third has one already; the tags of the others are copies.
  const known = claims.map((one) => (one.name === 'web-3' ? { ...one, reservation: 'rsvip-3' } : one))
  for (const [shared, want] of [
    ['token-x', ['token-x', 'token-2']],
    ['token-3', ['token-1', 'token-2']],
  ] as const) {
    const reservations = [reservationOf(1, shared), reservationOf(2, shared), reservationOf(3, 'token-3')]
    const { found } = judgeReservations(
      { readAt: 0, enis: [], pods: [], claims: known, reservations } as never,
      { staleFor: 0 } as never,
    )
    const tokens = found.map(({ settle }) => settle?.kind === 'find-reservation' && settle.token)
    assert.deepEqual(tokens, want)
  }
})

function claimOf(n: number): SurveyClaim {
  const name = `web-${n}`
  return {
    ...{ key: n, version: n, uid: name, namespace: 'shop', name, phase: 'Retained', node: undefined },
    ...{ address: nth(n), reserveToken: `token-${n}`, reservation: undefined, changedAt: 0 },
  } as SurveyClaim
}

function reservationOf(n: number, token: string): SurveyReservation {
  const purpose = { clusterId: 'cls-1', namespace: 'shop', name: `web-${n}`, token }
  const tags = reservationTags({ ...purpose, expireAfter: undefined, owner: undefined })
  return { id: `rsvip-${n}`, vpcId: 'vpc-1', subnetId: 'subnet-a', address: nth(n), bound: false, tags }
}
