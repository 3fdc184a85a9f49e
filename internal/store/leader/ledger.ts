// The leader's ledger over SQLite: what each step of an intent does to ENIs and addresses, in one transaction.
import type { Clock } from '../../base/clock.ts'
import { podIps } from '../../ipam/eni-tags.ts'
import { IpamError } from '../../ipam/errors.ts'
import type { Action } from '../../ipam/plan-node.ts'
import type { Intent } from '../../ipam/settle-intent.ts'
import type { CloudEni } from '../../ipam/types.ts'
import type { LeaderLedger, LeaderTx, LedgerNode, SeenEni } from '../../ports.ts'
import type { Database } from '../../sqlite/database.ts'
import { groupCommit } from '../../sqlite/group-commit.ts'
import type { Cidr } from '../../value/cidr.ts'
import type { Ipv4 } from '../../value/ipv4.ts'
import type { Millis } from '../../value/millis.ts'
import {
  addClaim,
  changeClaim,
  claimNames,
  claimsOfOwner,
  claimsWhere,
  expiredClaims,
  findClaim,
  findClaimOf,
  findWaiting,
  hasStaticClaims,
  listOwners,
  nameCall,
  placedClaims,
  removeClaim,
  renameCall,
  restoreClaim,
  staticClaims,
  unreservedClaims,
  untimedClaims,
  waitingClaims,
} from './claims.ts'
import { addEipClaim, changeEipClaim, ledgerEips, removeEipClaim, restoreEipClaim } from './eip-claims.ts'
import {
  addEni,
  doomEni,
  expectIps,
  findEni,
  identifyEni,
  poolEnis,
  publishedEnis,
  removeEni,
  setEniState,
} from './enis.ts'
import { enterEpoch } from './epoch.ts'
import { claimsExpire, expiryClock, setExpiryClock } from './expiry-clock.ts'
import {
  addIntent,
  findIntent,
  leftSince,
  openIntents,
  reopenIntent,
  rewindIntents,
  setMissing,
  updateIntent,
} from './intents.ts'
import {
  addIp,
  changedLast,
  findIp,
  ipsOf,
  modeOfIp,
  nodeOfIp,
  raiseGrants,
  rebindIp,
  removeIp,
  setIpState,
  setPod,
} from './ips.ts'
import { isComplete, setComplete } from './meta.ts'
import { addNode, findNode, listNodes, removeNode, setBounds, setPhase } from './nodes.ts'
import { listSuspects, setSuspects, unclaimedEnis } from './quarantine.ts'
import {
  adoptEni,
  allEnis,
  clearLedger,
  correctEni,
  forgetEni,
  rewindLedger,
  touchedSince,
} from './survey.ts'

/** What no second view has claimed for so long takes up no room any more: pods wait for it. */
const claimedWithin: Millis = 60_000

/** The ledger in `db`, a database of `leaderMigrations`. */
export function leaderLedger(db: Database, clock: Clock): LeaderLedger {
  const commits = groupCommit(db, clock)
  return {
    write: (change) => commits.write(() => change(leaderTx(db, clock.now()))),
    nodes: () => listNodes(db),
    node: (name) => findNode(db, name),
    pool(name) {
      const node = findNode(db, name)
      if (node === undefined) return undefined
      return {
        node: name,
        phase: node.phase,
        shared: node.shared,
        exclusive: node.exclusive,
        instanceEnis: node.instanceEnis,
        quotaIpsPerEni: node.quota.instanceType === '' ? undefined : node.quota.ipsPerEni,
        enis: poolEnis(db, name),
        unclaimed: unclaimedEnis(db, name, clock.now() - claimedWithin),
      }
    },
    publishedEnis: (name) => publishedEnis(db, name),
    openIntents: () => openIntents(db),
    addressesOf: (eni) => new Set(ipsOf(db, eni).map(({ address }) => address)),
    nodeOf: (address) => nodeOfIp(db, address),
    modeOf: (address) => modeOfIp(db, address),
    podAddresses() {
      const rows = db.all<{ address: Ipv4; pod_uid: string }>(
        `SELECT address, pod_uid FROM ip WHERE pod_uid IS NOT NULL`,
      )
      return new Map(rows.map((row) => [row.address, row.pod_uid]))
    },
    complete: () => isComplete(db),
    eniIds: () => db.all<{ id: string }>(`SELECT id FROM eni WHERE id IS NOT NULL`).map(({ id }) => id),
    allEnis: () => allEnis(db),
    leftSince: (eni, since) => leftSince(db, eni, since),
    touchedSince: (from) => touchedSince(db, from),
    suspects: () => listSuspects(db),
    claim: (pod) => findClaim(db, pod),
    claimOf: (address) => findClaimOf(db, address),
    placedClaims: (node) => placedClaims(db, node),
    claimsWhere: (phase) => claimsWhere(db, phase),
    claimNames: (phase) => claimNames(db, phase),
    untimedClaims: (of) => untimedClaims(db, of),
    waitingClaims: (node) => waitingClaims(db, node),
    owners: () => listOwners(db),
    claimsOfOwner: (uid) => claimsOfOwner(db, uid),
    staticClaims: () => staticClaims(db),
    eips: ledgerEips(db),
    hasStaticClaims: () => hasStaticClaims(db),
    unreservedClaims: () => unreservedClaims(db),
    expiredClaims: (limit) => expiredClaims(db, limit),
    claimsExpire: () => claimsExpire(db),
    expiryClock: () => expiryClock(db),
    obstacle: commits.obstacle,
  }
}

function leaderTx(db: Database, now: Millis): LeaderTx {
  return {
    enterEpoch: (epoch) => enterEpoch(db, epoch),
    addNode: (node) => addNode(db, node, now),
    setPhase: (name, phase) => setPhase(db, name, phase),
    setBounds: (name, change) => setBounds(db, name, change),
    removeNode: (name) => removeNode(db, name),
    record: (node, action, cidr, token) => record(db, now, node, action, cidr, token),
    resend: (intent, token, addresses) => resend(db, now, intent, token, addresses),
    acceptCreation: (intent, eniId) => updateIntent(db, now, intent.id, { state: 'accepted', eniId }),
    acceptAssignment: (intent, addresses) =>
      updateIntent(db, now, intent.id, { state: 'accepted', addresses }),
    accept: (intent) => updateIntent(db, now, intent.id, { state: 'accepted' }),
    noteUnanswered: (intent, error) => updateIntent(db, now, intent.id, { error }),
    noteMissing: (intent, missing) => setMissing(db, intent.id, missing ? now : undefined),
    rewind() {
      rewindIntents(db, now)
      rewindLedger(db, now)
    },
    finish: (intent, eni, { partly = false } = {}) => finish(db, now, intent, eni, partly),
    fail: (intent, error, more = {}) => fail(db, now, intent, error, more),
    setPod: (address, pod) => setPod(db, now, address, pod),
    adoptEni: (eni, reason) => adoptEni(db, now, eni, reason),
    adoptIp: (eni, address, reason) => addIp(db, now, { eni, address }, reason),
    dropIp: (address, reason) => removeIp(db, now, address, reason),
    correctEni: (eni, state) => correctEni(db, now, eni, state),
    forgetEni: (eni, reason) => forgetEni(db, now, eni, reason),
    setSuspects: (suspects) => setSuspects(db, suspects),
    raiseGrants: (grant) => raiseGrants(db, grant),
    clear: () => clearLedger(db, now),
    addClaim: (claim) => addClaim(db, now, claim),
    restoreClaim: (claim) => restoreClaim(db, now, claim),
    changeClaim: (claim, change) => changeClaim(db, now, claim, change),
    removeClaim: (claim) => removeClaim(db, claim),
    addEipClaim: (claim) => addEipClaim(db, now, claim),
    restoreEipClaim: (claim) => restoreEipClaim(db, now, claim),
    changeEipClaim: (claim, change) => changeEipClaim(db, now, claim, change),
    removeEipClaim: (claim) => removeEipClaim(db, now, claim),
    renewIp(address, reason) {
      if (findIp(db, address)?.state === 'bound') rebindIp(db, now, address, reason)
    },
    setExpiryClock: (clock) => setExpiryClock(db, clock),
    setComplete: () => setComplete(db),
    prune({ historyFor, failuresFor }) {
      db.run(`DELETE FROM intent WHERE state = 'done' AND changed_at < ?`, now - historyFor)
      db.run(`DELETE FROM intent WHERE state = 'failed' AND changed_at < ?`, now - failuresFor)
      db.run(`DELETE FROM ip_history WHERE at < ?`, now - historyFor)
    },
  }
}

function record(
  db: Database,
  now: Millis,
  node: LedgerNode,
  action: Action,
  cidr: Cidr | undefined,
  token: string,
): Intent {
  const common = { node: node.name, instanceId: node.instanceId, token, reason: action.reason }
  if (action.kind === 'create') {
    const { claim, mode, slot, subnetId, ips } = action
    if (claim !== undefined) nameCall(db, claim, token)
    if (cidr === undefined)
      throw new IpamError('bad_input', `Cannot record an ENI in "${subnetId}": its block is unknown`)
    const eni = addEni(db, now, {
      node: node.name,
      slot,
      mode,
      subnetId,
      cidr,
      // What a claim gets is no part of the pool.
      ips: mode === 'exclusive' ? 1 : claim === undefined ? ips : 0,
    })
    return addIntent(db, now, {
      ...common,
      kind: 'create',
      eni,
      eniId: undefined,
      subnetId,
      slot,
      mode,
      count: ips,
      addresses: [],
    })
  }
  const eni = findEni(db, action.eni)
  const about = {
    ...common,
    eni: eni.key,
    eniId: eni.id ?? undefined,
    subnetId: eni.subnet_id,
    slot: eni.slot,
    mode: eni.mode,
  }
  switch (action.kind) {
    case 'attach':
      setEniState(db, now, eni.key, 'attaching')
      return addIntent(db, now, { ...about, kind: 'attach', count: 0, addresses: [] })
    case 'assign':
      if (action.claim !== undefined) nameCall(db, action.claim, token)
      // What is kept for claims is no part of the pool.
      else if (action.addresses === undefined) expectIps(db, eni.key, action.count)
      return addIntent(db, now, {
        ...about,
        kind: 'assign',
        count: action.count,
        addresses: action.addresses ?? [],
        exact: action.addresses !== undefined,
      })
    case 'unassign': {
      const { addresses } = action
      const thereSince = changedLast(db, addresses) ?? now
      for (const address of addresses) setIpState(db, now, address, 'unassigning', action.reason)
      return addIntent(db, now, { ...about, kind: 'unassign', count: 0, addresses, thereSince })
    }
    case 'migrate': {
      const from = findEni(db, action.from)
      if (from.id === null || findIp(db, action.address)?.eni !== from.key)
        throw new IpamError('conflict', `Cannot move ${action.address}: it is not on ENI ${from.id} any more`)
      setIpState(db, now, action.address, 'unassigning', action.reason)
      return addIntent(db, now, {
        ...about,
        kind: 'migrate',
        from: { eni: from.key, eniId: from.id, node: from.node },
        count: 1,
        addresses: [action.address],
      })
    }
    case 'detach':
      doomEni(db, eni.key)
      setEniState(db, now, eni.key, 'detaching')
      return addIntent(db, now, {
        ...about,
        kind: 'detach',
        count: 0,
        addresses: [],
        thereSince: eni.changed_at,
      })
    case 'delete':
      doomEni(db, eni.key)
      setEniState(db, now, eni.key, 'deleting')
      return addIntent(db, now, { ...about, kind: 'delete', count: 0, addresses: [] })
  }
}

function resend(
  db: Database,
  now: Millis,
  intent: Intent,
  token: string,
  addresses: readonly Ipv4[],
): Intent {
  if (intent.kind !== 'unassign') {
    updateIntent(db, now, intent.id, { token })
    renameCall(db, intent.token, token)
  } else {
    // Named together with one that is gone already, the others would be refused too.
    for (const gone of intent.addresses.filter((one) => !addresses.includes(one)))
      removeIp(db, now, gone, 'unassigned')
    updateIntent(db, now, intent.id, { token, addresses })
  }
  reopenIntent(db, intent.id)
  return findIntent(db, intent.id)
}

function finish(db: Database, now: Millis, intent: Intent, eni: CloudEni | undefined, partly: boolean): void {
  updateIntent(db, now, intent.id, { state: 'done' })
  if (intent.kind === 'migrate') return move(db, now, intent)
  if (eni === undefined) return deleteEni(db, now, intent)
  switch (intent.kind) {
    case 'create':
      identifyEni(db, intent.eni, eni)
      setEniState(db, now, intent.eni, 'available')
      // VPC gives a kept address that nothing keeps any more to anybody. No pod could have it here: once the ENI is gone it is reserved, or assigned, again.
      if (findClaimOf(db, eni.primaryIp)?.policy === 'Never') {
        expectIps(db, intent.eni, 0)
        return doomEni(db, intent.eni)
      }
      return bind(db, now, intent, eni, partly)
    case 'assign':
      return bind(db, now, intent, eni, partly)
    case 'attach':
      return setEniState(db, now, intent.eni, 'attached')
    case 'detach':
      return setEniState(db, now, intent.eni, 'available')
    case 'unassign':
      for (const address of intent.addresses) removeIp(db, now, address, 'unassigned')
      return
    case 'delete':
      throw new IpamError('conflict', `Cannot finish intent ${intent.id}: the ENI still exists`)
  }
}

/**
 * Item by item: what is there is bound. Only what the cloud shows counts, never what it announced: a repeated token may
 * bring the answer of an ENI that is gone, whose addresses have other places by now.
 */
function bind(db: Database, now: Millis, intent: Intent, eni: CloudEni, partly: boolean): void {
  expectIps(db, intent.eni, 0)
  // What has come beside those that were asked for by name a survey judges: it may be kept for somebody. A pool takes all, as it cannot tell its own.
  const named = intent.exact ? new Set(intent.addresses) : undefined
  for (const { address, state } of podIps(eni, intent.mode)) {
    if (named?.has(address) === false) continue
    const place = findIp(db, address)
    if (state !== 'available' || place?.eni === intent.eni) continue
    if (place === undefined) {
      addIp(db, now, { address, eni: intent.eni }, intent.reason)
      takeAddress(db, now, intent, address)
    } else if (!partly)
      throw new IpamError(
        'conflict',
        `Cannot bind ${address}: the ledger has it on ENI ${findEni(db, place.eni).id}`,
      )
  }
}

function move(db: Database, now: Millis, { addresses, eni }: Intent): void {
  for (const address of addresses) {
    removeIp(db, now, address, 'moved to another ENI')
    addIp(db, now, { address, eni }, 'moved from another ENI')
  }
}

/** In the very transaction in which the address comes into the ledger, so that it is never one of the pool. */
function takeAddress(
  db: Database,
  now: Millis,
  { eniId, node, subnetId, token }: Intent,
  address: Ipv4,
): void {
  const claim = findWaiting(db, token)
  // Whose address somebody has put there meanwhile has it already.
  if (claim === undefined || findClaimOf(db, address) !== undefined) return
  const zone = findNode(db, node)?.zone
  const none = { reason: '', message: '' }
  changeClaim(db, now, claim, { address, subnetId, zone, eniId, phase: 'Attaching', ...none })
}

function deleteEni(db: Database, now: Millis, intent: Intent): void {
  for (const ip of ipsOf(db, intent.eni)) removeIp(db, now, ip.address, 'its ENI is deleted')
  removeEni(db, intent.eni)
}

interface Failure {
  readonly seen?: SeenEni | undefined
  readonly forGood?: boolean
}

function fail(db: Database, now: Millis, intent: Intent, error: string, { seen, forGood }: Failure): void {
  updateIntent(db, now, intent.id, { state: 'failed', error })
  switch (intent.kind) {
    case 'create':
      return deleteEni(db, now, intent)
    case 'attach':
      // Where it can never go it is of no use: it is deleted, and another one made.
      if (forGood) doomEni(db, intent.eni)
      return setEniState(db, now, intent.eni, 'available')
    case 'assign':
      return expectIps(db, intent.eni, 0)
    case 'unassign':
    case 'migrate':
      return rebind(db, now, intent, error, seen)
    case 'detach':
      return setEniState(db, now, intent.eni, 'attached')
    case 'delete':
      return setEniState(
        db,
        now,
        intent.eni,
        seen?.instanceId === intent.instanceId ? 'attached' : 'available',
      )
  }
}

/** Never one that `seen` does not show: it is gone. */
function rebind(db: Database, now: Millis, intent: Intent, error: string, seen: SeenEni | undefined): void {
  const there = new Set(seen?.ips.map(({ address }) => address) ?? intent.addresses)
  for (const address of intent.addresses) {
    if (there.has(address)) rebindIp(db, now, address, `unassignment refused: ${error}`)
    else removeIp(db, now, address, 'unassigned')
  }
}
