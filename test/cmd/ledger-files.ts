// Databases of a leader and of a node agent with a known content, made through the ledgers themselves.
import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Action } from '../../internal/ipam/plan-node.ts'
import type { CloudEni, CloudIp } from '../../internal/ipam/types.ts'
import type { LeaderLedger, LedgerNode, NodeLedger } from '../../internal/ports.ts'
import { openDatabase } from '../../internal/sqlite/database.ts'
import { leaderLedger } from '../../internal/store/leader/ledger.ts'
import { nodeLedger } from '../../internal/store/node/ledger.ts'
import { type Cidr, gatewayOf, parseCidr } from '../../internal/value/cidr.ts'
import { type Ipv4, parseIpv4 } from '../../internal/value/ipv4.ts'
import { parseMac } from '../../internal/value/mac.ts'
import type { Millis } from '../../internal/value/millis.ts'
import { leaderMigrations, nodeMigrations } from '../../migrations/index.ts'
import { VirtualClock } from '../fake/virtual-clock.ts'
import { ledgerBounds } from '../given.ts'

const cidr = must(parseCidr('10.0.1.0/24'))
export const ipv4 = (text: string): Ipv4 => must(parseIpv4(text))

export interface OpenLeader {
  readonly path: string
  readonly clock: VirtualClock
  readonly ledger: LeaderLedger
  /** One change, committed when this resolves. */
  write: LeaderLedger['write']
  close(): void
}

/** An open, empty leader's database in `directory`; its time is `at`. */
export function openLeader(directory: string, at: Millis): OpenLeader {
  mkdirSync(directory, { recursive: true })
  const path = join(directory, 'leader.db')
  const db = openDatabase({ path, kind: 'leader', migrations: leaderMigrations })
  const clock = new VirtualClock(at)
  const ledger = leaderLedger(db, clock)
  return {
    path,
    clock,
    ledger,
    write: (change) => clock.runUntil(ledger.write(change)),
    close: () => db.close(),
  }
}

/**
 * node-a has eni-a1 (10.0.1.9 idle, 10.0.1.10 with default/web-0, 10.0.1.100 idle) and an ENI being created;
 * node-b has eni-b1 (10.0.1.20 being unassigned, 10.0.1.21 idle) and an assignment that failed.
 */
export async function fillLeader(leader: OpenLeader): Promise<void> {
  const { write, ledger } = leader
  const a = node('node-a')
  const b = node('node-b')
  await write((tx) => {
    tx.addNode(b)
    tx.addNode(a)
  })
  await addEni(leader, a, cloudEni('eni-a1', 1, ['10.0.1.100', '10.0.1.9', '10.0.1.10']))
  await addEni(leader, b, cloudEni('eni-b1', 2, ['10.0.1.20', '10.0.1.21']))
  await write((tx) => tx.setPod(ipv4('10.0.1.10'), { namespace: 'default', name: 'web-0', uid: 'uid-web-0' }))
  await write((tx) => tx.record(a, creation(2), cidr, 'token-a2'))
  const eni = must(ledger.pool('node-b')?.enis[0]).key
  const asked = await write((tx) =>
    tx.record(b, { kind: 'assign', eni, count: 2, reason: '2 below minWarm' }, undefined, 'token-b'),
  )
  await write((tx) => tx.fail(asked, 'Cannot assign addresses:\nthe subnet is full'))
  await write((tx) =>
    tx.record(
      b,
      { kind: 'unassign', eni, addresses: [ipv4('10.0.1.20')], reason: 'returned by the node' },
      undefined,
      'token-u',
    ),
  )
  await write((tx) => {
    tx.setSuspects([
      {
        kind: 'eni-elsewhere',
        subject: 'eni-b1',
        node: 'node-b',
        reason: 'it is attached to "ins-9", and its node is "ins-b"',
        remedy: 'detach it in the console',
        firstSeen: leader.clock.now(),
        lastSeen: leader.clock.now(),
        reads: 1,
        held: false,
      },
    ])
  })
}

/** The node may have two exclusive ENIs, and has one in slot 2, with pod default/own. */
export async function addExclusiveEni(leader: OpenLeader, name: string, address: string): Promise<void> {
  const primaryIp = ipv4(address)
  const owner = node(name)
  const exclusive = { minWarm: 0, maxWarm: 1, maxEnis: 2, ipsPerEni: 1 }
  const bounds = ledgerBounds(owner.shared, exclusive)
  await leader.write((tx) => tx.setBounds(name, bounds))
  const create: Action = {
    kind: 'create',
    mode: 'exclusive',
    slot: 2,
    subnetId: 'subnet-1',
    ips: 0,
    reason: '1 more wanted',
  }
  await addEni(leader, owner, { ...cloudEni('eni-own', 7, []), primaryIp }, create)
  await leader.write((tx) => tx.setPod(primaryIp, { namespace: 'default', name: 'own', uid: 'uid-own' }))
}

export interface OpenAgent {
  readonly path: string
  readonly clock: VirtualClock
  write: NodeLedger['write']
  close(): void
}

/** An open node agent's database in `directory`; its time is `at`. */
export function openAgent(directory: string, at: Millis): OpenAgent {
  mkdirSync(directory, { recursive: true })
  const path = join(directory, 'node.db')
  const db = openDatabase({ path, kind: 'node', migrations: nodeMigrations })
  const clock = new VirtualClock(at)
  const ledger = nodeLedger(db, clock, () => 'database-1')
  return { path, clock, write: (change) => clock.runUntil(ledger.write(change)), close: () => db.close() }
}

/** eni-a1: 10.0.1.9 idle, 10.0.1.10 with default/web-0, 10.0.1.11 returning, 10.0.1.12 cooling until `coolingUntil`. */
export async function fillAgent({ write }: OpenAgent, coolingUntil: Millis): Promise<void> {
  const addresses = ['10.0.1.10', '10.0.1.9', '10.0.1.11', '10.0.1.12'].map(ipv4)
  const { id, mac, primaryIp, subnetId } = cloudEni('eni-a1', 1, [])
  const place = { subnetId, subnetCidr: cidr, gateway: gatewayOf(cidr), slot: 1 }
  const eni = { id, mac, primaryIp, ...place, mode: 'shared', ips: [] } as const
  await write((tx) => {
    tx.sync([
      { kind: 'keep-eni', eni },
      ...addresses.map((address, i) => ({ kind: 'add-ip' as const, address, eniId: id, grant: i + 1 })),
    ])
  })
  await write((tx) => {
    tx.attach(attachment('web-0', '10.0.1.10'))
    tx.attach(attachment('job-0', '10.0.1.12'))
  })
  await write((tx) => {
    tx.detach({ containerId: 'container-of-job-0', ifname: 'eth0' }, coolingUntil, 'CNI DEL')
    tx.giveBack([ipv4('10.0.1.11')], '1 above maxWarm')
  })
}

export function attachment(name: string, address: string) {
  return {
    containerId: `container-of-${name}`,
    ifname: 'eth0',
    pod: { namespace: 'default', name, uid: `uid-${name}` },
    netns: `/run/netns/${name}`,
    address: ipv4(address),
    hostLink: `eni${name}`,
  }
}

/** Created, attached and bound, as far as the ledger is concerned. */
async function addEni(
  { write }: OpenLeader,
  owner: LedgerNode,
  eni: CloudEni,
  create = creation(1),
): Promise<void> {
  const created = await write((tx) => tx.record(owner, create, cidr as Cidr, `create-${eni.id}`))
  await write((tx) => tx.acceptCreation(created, eni.id))
  await write((tx) => tx.finish(created, eni))
  const attached = await write((tx) =>
    tx.record(owner, { kind: 'attach', eni: created.eni, reason: 'new ENI' }, undefined, `attach-${eni.id}`),
  )
  await write((tx) => tx.finish(attached, eni))
}

function creation(slot: number): Action {
  return { kind: 'create', mode: 'shared', slot, subnetId: 'subnet-1', ips: 3, reason: '3 below minWarm' }
}

export function node(name: string): LedgerNode {
  return {
    name,
    uid: `uid-${name}`,
    instanceId: `ins-${name}`,
    zone: 'ap-guangzhou-3',
    phase: 'active',
    ...ledgerBounds({ minWarm: 2, maxWarm: 4, maxEnis: 3, ipsPerEni: 9 }),
  }
}

function cloudEni(id: string, number: number, addresses: readonly string[]): CloudEni {
  return {
    id,
    name: id,
    subnetId: 'subnet-1',
    mac: must(parseMac(`20:90:6f:00:00:0${number}`)),
    state: 'available',
    primary: false,
    instanceId: undefined,
    primaryIp: ipv4(`10.0.1.20${number}`),
    ips: addresses.map((address): CloudIp => ({ address: ipv4(address), state: 'available' })),
    tags: {},
  }
}

function must<T>(value: T | undefined): T {
  assert.ok(value !== undefined)
  return value
}
