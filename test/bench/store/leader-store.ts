// Addresses assigned to ENIs through the leader's store, as the leader does it when the cloud answers at once.
import { systemClock } from '../../../internal/base/clock.ts'
import type { CloudEni } from '../../../internal/ipam/types.ts'
import type { LeaderLedger, LedgerNode } from '../../../internal/ports.ts'
import { openDatabase } from '../../../internal/sqlite/database.ts'
import { leaderLedger } from '../../../internal/store/leader/ledger.ts'
import type { Cidr } from '../../../internal/value/cidr.ts'
import type { Ipv4 } from '../../../internal/value/ipv4.ts'
import type { Mac } from '../../../internal/value/mac.ts'
import { leaderMigrations } from '../../../migrations/index.ts'
import { ledgerBounds } from '../../given.ts'

const enis = 64
const ipsPerEni = 29
/** Enough for a steady figure at each width, without filling more than the ENIs have. */
const allocations = 1500

/** Allocations a second with `width` of them under way at any time, each on an ENI of its own. */
export async function allocateThroughLeader(path: string, width: number): Promise<number> {
  const db = openDatabase({ path, kind: 'leader', migrations: leaderMigrations })
  try {
    const ledger = leaderLedger(db, systemClock)
    const targets: Target[] = []
    for (let number = 1; number <= enis; number += 1) targets.push(await addEni(ledger, number))
    const share = Math.ceil(allocations / width)
    const begin = performance.now()
    await Promise.all(
      Array.from({ length: width }, (_, worker) =>
        fill(
          ledger,
          targets.filter((_target, index) => index % width === worker),
          share,
        ),
      ),
    )
    return (share * width) / ((performance.now() - begin) / 1000)
  } finally {
    db.close()
  }
}

interface Target {
  readonly number: number
  readonly node: LedgerNode
  readonly key: number
  readonly eni: CloudEni
}

async function addEni(ledger: LeaderLedger, number: number): Promise<Target> {
  const node: LedgerNode = {
    name: `node-${number}`,
    uid: `uid-${number}`,
    instanceId: `ins-${number}`,
    zone: 'bench-1',
    phase: 'active',
    ...ledgerBounds({ minWarm: 5, maxWarm: 5, maxEnis: 1, ipsPerEni }),
  }
  const eni: CloudEni = {
    id: `eni-${number}`,
    name: '',
    subnetId: 'subnet-1',
    mac: `20:90:6f:00:00:${number.toString(16).padStart(2, '0')}` as Mac,
    state: 'available',
    primary: false,
    instanceId: undefined,
    primaryIp: `10.0.${number}.1` as Ipv4,
    ips: [],
    tags: {},
  }
  const creation = {
    kind: 'create',
    mode: 'shared',
    slot: 1,
    subnetId: eni.subnetId,
    ips: 0,
    reason: 'bench',
  } as const
  const intent = await ledger.write((tx) => {
    tx.addNode(node)
    return tx.record(node, creation, '10.0.0.0/16' as Cidr, `create-${number}`)
  })
  await ledger.write((tx) => tx.acceptCreation(intent, eni.id))
  await ledger.write((tx) => tx.finish({ ...intent, eniId: eni.id }, eni))
  return { number, node, key: intent.eni, eni }
}

async function fill(ledger: LeaderLedger, targets: readonly Target[], count: number): Promise<void> {
  for (let done = 0; done < count; done += 1) {
    const target = targets[done % targets.length]
    if (target === undefined) return
    await assign(ledger, target, Math.floor(done / targets.length))
  }
}

async function assign(
  ledger: LeaderLedger,
  { number, node, key, eni }: Target,
  index: number,
): Promise<void> {
  const address = `10.0.${number}.${10 + index}` as Ipv4
  const action = { kind: 'assign', eni: key, count: 1, reason: 'bench' } as const
  const intent = await ledger.write((tx) => tx.record(node, action, undefined, `assign-${number}-${index}`))
  await ledger.write((tx) => tx.acceptAssignment(intent, [address]))
  await ledger.write((tx) =>
    tx.finish({ ...intent, addresses: [address] }, { ...eni, ips: [{ address, state: 'available' }] }),
  )
}
