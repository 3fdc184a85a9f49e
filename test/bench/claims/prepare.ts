// A ledger and a cloud that agree on the claims that wait for their pods, written by their own code.
import { randomUUID } from 'node:crypto'
import { systemClock } from '../../../internal/base/clock.ts'
import { systemRandom } from '../../../internal/base/random.ts'
import type { Claim, ClaimChange } from '../../../internal/ipam/claim.ts'
import type { LeaderTx } from '../../../internal/ports.ts'
import { openVpcSim } from '../../../internal/sim/vpc/sim.ts'
import { openDatabase } from '../../../internal/sqlite/database.ts'
import { beginChanges, pruneChanges } from '../../../internal/store/leader/claim-feed.ts'
import { leaderLedger } from '../../../internal/store/leader/ledger.ts'
import { leaderMigrations } from '../../../migrations/index.ts'
import { type KeptClaim, nodeSubnet, podSubnet, vpc, zone } from './kept-claims.ts'

const atOnce = 1000
/** As a leader keeps them for watches. */
const keptChanges = 10_000
const nothing = { reason: '', message: '' }

/** Each claim has lived: a pod came, got its address, ran, and went, a while ago. */
export async function prepareLedger(path: string, claims: readonly KeptClaim[]): Promise<void> {
  const db = openDatabase({ path, kind: 'leader', migrations: leaderMigrations })
  try {
    beginChanges(db, systemClock.now())
    const ledger = leaderLedger(db, systemClock)
    for (let at = 0; at < claims.length; at += atOnce) {
      const some = claims.slice(at, at + atOnce)
      await Promise.all(some.map((claim, i) => ledger.write((tx) => live(tx, claim, at + i))))
    }
    await ledger.write((tx) => tx.setComplete())
    while (pruneChanges(db, { atLeast: keptChanges, since: Number.MAX_SAFE_INTEGER }) > 0);
  } finally {
    db.close()
  }
}

function live(tx: LeaderTx, kept: KeptClaim, index: number): void {
  const { address, expireAfter, name, namespace, reservation, token } = kept
  let claim: Claim = tx.addClaim({
    ...{ name, namespace, expireAfter, reserveToken: token, owner: undefined },
    ...{ uid: randomUUID(), ipUid: randomUUID(), podUid: randomUUID(), node: `node-${index % 20}` },
    ...{ policy: 'Never', mode: 'shared', nominatedAddress: undefined, nominatedSubnets: [] },
  })
  const change = (to: ClaimChange) => {
    claim = tx.changeClaim(claim, { ...to, ...nothing })
  }
  change({ phase: 'Attaching', address, subnetId: podSubnet.id, zone, reservation })
  change({ phase: 'Bound', eniId: 'eni-bench001' })
  change({
    ...{ phase: 'Retained', podUid: undefined, node: undefined, eniId: undefined },
    retainedAt: systemClock.now(),
    expiresAt: expireAfter,
  })
}

export interface PreparedNode {
  readonly name: string
  readonly instanceId: string
}

/** Reservations of the claims, and instances that are nodes. */
export function prepareCloud(
  path: string,
  claims: readonly KeptClaim[],
  nodes: number,
): readonly PreparedNode[] {
  const sim = openVpcSim({ path, random: systemRandom })
  const now = systemClock.now()
  try {
    sim.admin.createVpc(vpc, now)
    for (const subnet of [podSubnet, nodeSubnet]) sim.admin.createSubnet(subnet, now)
    for (const { address, reservation: id, tags } of claims)
      sim.admin.reserveIp({ id, subnetId: podSubnet.id, address, name: 'bench', tags }, now)
    return Array.from({ length: nodes }, (_, index) => {
      const name = `node-${index}`
      const wanted = { instanceType: 'S5.MEDIUM4', subnetId: nodeSubnet.id, name }
      return { name, instanceId: sim.admin.createInstance(wanted, now).id }
    })
  } finally {
    sim.close()
  }
}
