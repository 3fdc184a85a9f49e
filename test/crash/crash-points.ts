// Named points at which a process may die: right before and right after each call through a port. One decorator for the
// simulation and for the real processes of test builds, so that both die at the same points.
//
//   leader.cloud.createEni.before        the VPC has not been asked
//   leader.cloud.createEni.after         it has answered, and nobody has heard
//   leader.ledger.record+accept.before   all changes are made, nothing is committed
//   leader.ledger.record+accept.after    committed, and nobody has heard
import type {
  Cloud,
  LeaderKube,
  LeaderLedger,
  LeaderTx,
  LeaseStore,
  Linux,
  NodeKube,
  NodeLedger,
  NodeTx,
} from '../../internal/ports.ts'

/** Whose call is it, and to whom. */
export interface CrashPorts {
  readonly 'leader.cloud': Cloud
  readonly 'leader.kube': LeaderKube
  readonly 'leader.ledger': LeaderLedger
  readonly 'leader.lease': LeaseStore
  readonly 'node.linux': Linux
  readonly 'node.kube': NodeKube
  readonly 'node.ledger': NodeLedger
}

/** Called at each point; false: the process is dead, by this or an earlier point. It hears and does nothing any more. */
export type Reached = (point: string) => boolean

type CallsOf<Port> = {
  [Name in keyof Port]: Port[Name] extends (...args: never[]) => Promise<unknown> ? Name : never
}[keyof Port]
type Calls<Port> = Readonly<
  Record<Exclude<CallsOf<Port>, Port extends LeaderLedger | NodeLedger ? 'write' : never>, true>
>

/** Every call that waits for the outside, reads too; a ledger's `write` is named by what it changes. */
const calls: { readonly [Name in keyof CrashPorts]: Calls<CrashPorts[Name]> } = {
  'leader.cloud': {
    describeEnis: true,
    describeSubnets: true,
    describeInstances: true,
    describeEniQuota: true,
    createEni: true,
    attachEni: true,
    detachEni: true,
    deleteEni: true,
    assignIps: true,
    unassignIps: true,
    migrateIp: true,
    reserveIp: true,
    describeReservations: true,
    releaseReservation: true,
    allocateEip: true,
    describeEips: true,
    associateEip: true,
    disassociateEip: true,
    releaseEip: true,
    describeEipQuota: true,
  },
  'leader.kube': {
    getNode: true,
    getPod: true,
    getNec: true,
    publishNec: true,
    deleteNec: true,
    setUnavailable: true,
    keepSources: true,
    setPublicIp: true,
    getWorkload: true,
    serverTime: true,
  },
  'leader.ledger': {},
  'leader.lease': { read: true, write: true },
  'node.linux': {
    links: true,
    survey: true,
    apply: true,
    connectPod: true,
    disconnectPod: true,
    inspectPod: true,
    giveEni: true,
    takeEni: true,
    inspectEni: true,
    findEnis: true,
    namespaceExists: true,
  },
  'node.kube': { report: true },
  'node.ledger': {},
}

/** What changes nothing, or is the same in every transaction. */
const unnamed = ['now', 'ips', 'leaderEpoch', 'enterEpoch'] as const
type Unnamed = (typeof unnamed)[number]

/** What a transaction can change. */
const changes: {
  readonly leader: Readonly<Record<Exclude<keyof LeaderTx, Unnamed>, true>>
  readonly node: Readonly<Record<Exclude<keyof NodeTx, Unnamed>, true>>
} = {
  leader: {
    addNode: true,
    setPhase: true,
    setBounds: true,
    removeNode: true,
    record: true,
    resend: true,
    acceptCreation: true,
    acceptAssignment: true,
    accept: true,
    noteUnanswered: true,
    noteMissing: true,
    rewind: true,
    finish: true,
    fail: true,
    setPod: true,
    adoptEni: true,
    adoptIp: true,
    dropIp: true,
    correctEni: true,
    forgetEni: true,
    setSuspects: true,
    raiseGrants: true,
    clear: true,
    addClaim: true,
    restoreClaim: true,
    changeClaim: true,
    removeClaim: true,
    addEipClaim: true,
    restoreEipClaim: true,
    changeEipClaim: true,
    removeEipClaim: true,
    renewIp: true,
    setExpiryClock: true,
    setComplete: true,
    prune: true,
  },
  node: {
    sync: true,
    attach: true,
    adopt: true,
    detach: true,
    giveBack: true,
    letGo: true,
    setQuarantine: true,
    namePod: true,
    confirm: true,
    necFollowed: true,
    setReleaseTimer: true,
    setEips: true,
    setStaticIps: true,
    setBootId: true,
    setLeaderEpoch: true,
    prune: true,
  },
}

/** `leader.ledger.record.before` and so on: each is part of the name of some transaction. */
export function ledgerChanges(): readonly string[] {
  return Object.entries(changes).flatMap(([role, names]) =>
    Object.keys(names).flatMap((name) => [`${role}.ledger.${name}.before`, `${role}.ledger.${name}.after`]),
  )
}

/** Those that the transaction of a ledger's point makes; none for a point of calls. */
export function changesAt(point: string): readonly string[] {
  const [role = '', port, names = '', side = ''] = point.split('.')
  return port === 'ledger' ? names.split('+').map((name) => `${role}.ledger.${name}.${side}`) : []
}

/** Every point of calls, `before` and `after`; those of ledgers depend on what is written. */
export function callPoints(): readonly string[] {
  return Object.entries(calls).flatMap(([name, methods]) =>
    Object.keys(methods).flatMap((method) => [`${name}.${method}.before`, `${name}.${method}.after`]),
  )
}

/** `port` with its crash points. */
export function withCrashPoints<Name extends keyof CrashPorts, Port extends CrashPorts[Name]>(
  name: Name,
  port: Port,
  reached: Reached,
): Port {
  return new Proxy(port, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key)
      if (typeof value !== 'function') return value
      const method = (...args: unknown[]): unknown => Reflect.apply(value, target, args)
      const called = String(key)
      if (called in calls[name]) {
        return (...args: unknown[]) => around(`${name}.${called}`, async () => await method(...args), reached)
      }
      if (called === 'write' && name.endsWith('.ledger')) {
        return (change: (tx: object) => unknown) => commit(name, method, change, reached)
      }
      return method
    },
  })
}

/** `call` between the points `<name>.before` and `<name>.after`. */
export async function around(
  point: string,
  call: () => Promise<unknown>,
  reached: Reached,
): Promise<unknown> {
  if (!reached(`${point}.before`)) return never()
  try {
    return await call()
  } finally {
    if (!reached(`${point}.after`)) await never()
  }
}

async function commit(
  name: string,
  write: (change: (tx: object) => unknown) => unknown,
  change: (tx: object) => unknown,
  reached: Reached,
): Promise<unknown> {
  const used = new Set<string>()
  const point = () => `${name}.${[...used].join('+')}`
  let dead = false
  try {
    return await write((tx) => {
      const value = change(remembering(tx, used))
      dead = used.size > 0 && !reached(`${point()}.before`)
      if (dead) throw new Error(`the process died at ${point()}.before`) // nothing of it is kept
      return value
    })
  } finally {
    if (dead || (used.size > 0 && !reached(`${point()}.after`))) await never()
  }
}

function remembering(tx: object, used: Set<string>): object {
  return new Proxy(tx, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key)
      if (typeof value === 'function' && !unnamed.some((name) => name === key)) used.add(String(key))
      return value
    },
  })
}

function never(): Promise<never> {
  return new Promise(() => {})
}
