// The leader's ledger over SQLite: what each step of an intent does to ENIs and addresses, in one transaction.
import type { Clock } from '../../base/clock.ts'
import { IpamError } from '../../ipam/errors.ts'
import type { Action } from '../../ipam/plan-node.ts'
import type { Intent } from '../../ipam/settle-intent.ts'
import type { CloudEni } from '../../ipam/types.ts'
import type { LeaderLedger, LeaderTx, LedgerNode } from '../../ports.ts'
import type { Database } from '../../sqlite/database.ts'
import { groupCommit } from '../../sqlite/group-commit.ts'
import type { Cidr } from '../../value/cidr.ts'
import type { Ipv4 } from '../../value/ipv4.ts'
import type { Millis } from '../../value/millis.ts'
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
import {
  addIntent,
  findIntent,
  openIntents,
  reopenIntent,
  rewindIntents,
  setMissing,
  updateIntent,
} from './intents.ts'
import { addIp, ipsOf, rebindIp, removeIp, setIpState, setPod } from './ips.ts'
import { addNode, findNode, listNodes, removeNode, setPhase } from './nodes.ts'

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
        limits: node.limits,
        targets: node.targets,
        enis: poolEnis(db, name),
      }
    },
    publishedEnis: (name) => publishedEnis(db, name),
    openIntents: () => openIntents(db),
    addressesOf: (eni) => new Set(ipsOf(db, eni).map(({ address }) => address)),
    podAddresses() {
      const rows = db.all<{ address: Ipv4; pod_uid: string }>(
        `SELECT address, pod_uid FROM ip WHERE pod_uid IS NOT NULL`,
      )
      return new Map(rows.map((row) => [row.address, row.pod_uid]))
    },
  }
}

function leaderTx(db: Database, now: Millis): LeaderTx {
  return {
    addNode: (node) => addNode(db, node, now),
    setPhase: (name, phase) => setPhase(db, name, phase),
    removeNode: (name) => removeNode(db, name),
    record: (node, action, cidr, token) => record(db, now, node, action, cidr, token),
    resend(intent, token) {
      updateIntent(db, now, intent.id, { token })
      reopenIntent(db, intent.id)
      return findIntent(db, intent.id)
    },
    acceptCreation: (intent, eniId) => updateIntent(db, now, intent.id, { state: 'accepted', eniId }),
    acceptAssignment: (intent, addresses) =>
      updateIntent(db, now, intent.id, { state: 'accepted', addresses }),
    accept: (intent) => updateIntent(db, now, intent.id, { state: 'accepted' }),
    noteUnanswered: (intent, error) => updateIntent(db, now, intent.id, { error }),
    noteMissing: (intent, missing) => setMissing(db, intent.id, missing ? now : undefined),
    rewind: () => rewindIntents(db, now),
    finish: (intent, eni) => finish(db, now, intent, eni),
    fail: (intent, error) => fail(db, now, intent, error),
    setPod: (address, pod) => setPod(db, now, address, pod),
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
    const { slot, subnetId, ips } = action
    if (cidr === undefined)
      throw new IpamError('bad_input', `Cannot record an ENI in "${subnetId}": its block is unknown`)
    const eni = addEni(db, now, { node: node.name, slot, subnetId, cidr, ips })
    return addIntent(db, now, {
      ...common,
      kind: 'create',
      eni,
      eniId: undefined,
      subnetId,
      slot,
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
  }
  switch (action.kind) {
    case 'attach':
      setEniState(db, now, eni.key, 'attaching')
      return addIntent(db, now, { ...about, kind: 'attach', count: 0, addresses: [] })
    case 'assign':
      expectIps(db, eni.key, action.count)
      return addIntent(db, now, { ...about, kind: 'assign', count: action.count, addresses: [] })
    case 'unassign':
      for (const address of action.addresses) setIpState(db, now, address, 'unassigning', action.reason)
      return addIntent(db, now, { ...about, kind: 'unassign', count: 0, addresses: action.addresses })
    case 'detach':
      doomEni(db, eni.key)
      setEniState(db, now, eni.key, 'detaching')
      return addIntent(db, now, { ...about, kind: 'detach', count: 0, addresses: [] })
    case 'delete':
      doomEni(db, eni.key)
      setEniState(db, now, eni.key, 'deleting')
      return addIntent(db, now, { ...about, kind: 'delete', count: 0, addresses: [] })
  }
}

function finish(db: Database, now: Millis, intent: Intent, eni: CloudEni | undefined): void {
  updateIntent(db, now, intent.id, { state: 'done' })
  if (eni === undefined) return forgetEni(db, now, intent)
  switch (intent.kind) {
    case 'create':
      identifyEni(db, intent.eni, eni)
      setEniState(db, now, intent.eni, 'available')
      return bind(db, now, intent, eni)
    case 'assign':
      return bind(db, now, intent, eni)
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
function bind(db: Database, now: Millis, intent: Intent, eni: CloudEni): void {
  expectIps(db, intent.eni, 0)
  const known = new Set(ipsOf(db, intent.eni).map(({ address }) => address))
  for (const { address, state } of eni.ips) {
    if (state === 'available' && !known.has(address))
      addIp(db, now, { address, eni: intent.eni }, intent.reason)
  }
}

function forgetEni(db: Database, now: Millis, intent: Intent): void {
  for (const ip of ipsOf(db, intent.eni)) removeIp(db, now, ip.address, 'its ENI is deleted')
  removeEni(db, intent.eni)
}

function fail(db: Database, now: Millis, intent: Intent, error: string): void {
  updateIntent(db, now, intent.id, { state: 'failed', error })
  switch (intent.kind) {
    case 'create':
      return forgetEni(db, now, intent)
    case 'attach':
      return setEniState(db, now, intent.eni, 'available')
    case 'assign':
      return expectIps(db, intent.eni, 0)
    case 'unassign':
      for (const address of intent.addresses) rebindIp(db, now, address, `unassignment refused: ${error}`)
      return
    case 'detach':
      return setEniState(db, now, intent.eni, 'attached')
    case 'delete':
      return setEniState(db, now, intent.eni, 'available')
  }
}
