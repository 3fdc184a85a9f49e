// What changed settings would do to a node, before they are applied: the planners that would do it run on a copy of its pools,
// step by step, until nothing is left to do.
import { type Ipv4, parseIpv4 } from '../value/ipv4.ts'
import type { Millis } from '../value/millis.ts'
import type { LocalIp } from './choose-address.ts'
import { type Action, planNode } from './plan-node.ts'
import { planReturn, withinPlaces } from './plan-return.ts'
import type { NodePool, PoolEni } from './pool.ts'
import { type CloudSubnet, type EniMode, eniModes, type NodeBounds } from './types.ts'

export interface ForecastInput {
  readonly pool: NodePool
  /** What would be in force. */
  readonly bounds: NodeBounds
  /** Addresses that pods have. */
  readonly used: ReadonlySet<Ipv4>
  /** Pods that count, if more than have an address. */
  readonly pods?: Readonly<Record<EniMode, number>>
  readonly zone: string
  readonly subnets: readonly CloudSubnet[]
  readonly release: { readonly quickRelease: boolean; readonly releaseEvery: Millis }
}

export interface Forecast {
  /** Addresses for pods, and ENIs, of each mode: now and in the end. */
  readonly before: Readonly<Record<EniMode, PoolSize>>
  readonly after: Readonly<Record<EniMode, PoolSize>>
  readonly bound: number
  readonly freed: number
  /** Calls to the cloud by what they do; describing not counted. */
  readonly calls: Readonly<Partial<Record<Action['kind'], number>>>
  /** Calls one after the other that growth takes: each waits for the one before it to be done. */
  readonly steps: number
  /** How long idle surplus is waited for: one release interval for each release that is not due at once. */
  readonly releasing: Millis
}

export interface PoolSize {
  readonly enis: number
  readonly bound: number
}

/** Far above what any node takes. */
const mostRounds = 10_000

/** As if nothing else happened meanwhile: no pod comes or ends, every call succeeds. */
export function forecast(input: ForecastInput): Forecast {
  const { bounds, pool, release, subnets, used, zone } = input
  const model = new Model({ ...pool, ...bounds })
  const pods = countPods(input, model.usedBy(used))
  const calls: Partial<Record<Action['kind'], number>> = {}
  const before = model.sizes()
  const returned = new Set<Ipv4>()
  let bound = 0
  let freed = 0
  let steps = 0
  let now = 0
  let releasing = 0
  for (let round = 0; round < mostRounds; round++) {
    const demand = { pods, returned, zone, subnets }
    const { actions } = planNode(model.pool(), demand)
    if (actions.length > 0) {
      for (const action of actions) {
        calls[action.kind] = (calls[action.kind] ?? 0) + 1
        const { came, gone } = model.perform(action)
        bound += came
        freed += gone
      }
      if (actions.some(({ kind }) => kind === 'create' || kind === 'assign' || kind === 'attach')) steps++
      continue
    }
    const ips = eniModes.flatMap((mode) => model.ips(mode, used, returned))
    const enis = eniModes.flatMap((mode) => model.enis(mode))
    const placed = withinPlaces(bounds, ips, enis, pods)
    const given = eniModes.map((mode) => {
      const policy = { ...placed[mode], ...release, cooldown: 0 }
      const state = {
        ips: model.ips(mode, used, returned),
        enis: model.enis(mode),
        pods: pods[mode],
      }
      const atOnce = planReturn({ ...state, timerFrom: now }, policy, now).give
      const due = planReturn({ ...state, timerFrom: now }, policy, now + release.releaseEvery).give
      return { atOnce, due }
    })
    const atOnce = given.flatMap((each) => each.atOnce)
    const give = atOnce.length > 0 ? atOnce : given.flatMap((each) => each.due)
    if (give.length === 0) break
    if (atOnce.length === 0) {
      now += release.releaseEvery
      releasing += release.releaseEvery
    }
    for (const { address } of give) returned.add(address)
  }
  return { before, after: model.sizes(), bound, freed, calls, steps, releasing }
}

function countPods({ pods }: ForecastInput, used: Readonly<Record<EniMode, number>>) {
  const most = (mode: EniMode) => Math.max(used[mode], pods?.[mode] ?? 0)
  return { shared: most('shared'), exclusive: most('exclusive') }
}

/** A node's pools where every action takes effect at once. */
class Model {
  #pool: NodePool
  #enis: PoolEni[]
  #made = 0

  constructor(pool: NodePool) {
    this.#pool = pool
    // What is under way is taken for done.
    this.#enis = pool.enis.map((eni) => ({ ...eni, busy: false, state: settled(eni), expectedIps: 0 }))
  }

  pool(): NodePool {
    return { ...this.#pool, enis: this.#enis }
  }

  enis(mode: EniMode) {
    return this.#enis
      .filter((eni) => eni.mode === mode)
      .map(({ key, slot }) => ({ id: String(key), slot, mode }))
  }

  ips(mode: EniMode, used: ReadonlySet<Ipv4>, returned: ReadonlySet<Ipv4>): readonly LocalIp[] {
    return this.#enis
      .filter((eni) => eni.mode === mode && eni.goal === 'serve')
      .flatMap((eni) =>
        eni.ips.map(({ address, grant }) => ({
          address,
          eniId: String(eni.key),
          grant,
          state: returned.has(address) ? ('returning' as const) : ('usable' as const),
          published: true,
          inUse: used.has(address),
          coolingUntil: 0,
        })),
      )
  }

  usedBy(used: ReadonlySet<Ipv4>): Readonly<Record<EniMode, number>> {
    const count = (mode: EniMode) =>
      this.#enis
        .filter((eni) => eni.mode === mode)
        .reduce((sum, { ips }) => sum + ips.filter(({ address }) => used.has(address)).length, 0)
    return { shared: count('shared'), exclusive: count('exclusive') }
  }

  sizes(): Readonly<Record<EniMode, PoolSize>> {
    const of = (mode: EniMode): PoolSize => {
      const enis = this.#enis.filter((eni) => eni.mode === mode)
      return { enis: enis.length, bound: enis.reduce((sum, { ips }) => sum + ips.length, 0) }
    }
    return { shared: of('shared'), exclusive: of('exclusive') }
  }

  /** How many addresses for pods came and went by it. */
  perform(action: Action): { came: number; gone: number } {
    if (action.kind === 'create') {
      const { mode, slot, subnetId } = action
      const count = mode === 'exclusive' ? 1 : action.ips
      const key = -++this.#made
      this.#enis.push({
        key,
        id: undefined,
        slot,
        mode,
        subnetId,
        state: 'available',
        goal: 'serve',
        served: false,
        busy: false,
        expectedIps: 0,
        ips: this.#madeUp(count),
      })
      return { came: count, gone: 0 }
    }
    const eni = this.#enis.find(({ key }) => key === action.eni)
    if (eni === undefined) return { came: 0, gone: 0 }
    switch (action.kind) {
      case 'attach':
        this.#change(eni, { state: 'attached', served: true })
        return { came: 0, gone: 0 }
      case 'assign':
        this.#change(eni, { ips: [...eni.ips, ...this.#madeUp(action.count)] })
        return { came: action.count, gone: 0 }
      case 'unassign':
        this.#change(eni, { ips: eni.ips.filter(({ address }) => !action.addresses.includes(address)) })
        return { came: 0, gone: action.addresses.length }
      case 'migrate':
        this.#change(eni, { ips: [...eni.ips, ...this.#madeUp(1)] })
        return { came: 1, gone: 0 }
      case 'detach':
        this.#change(eni, { state: 'available', goal: 'delete' })
        return { came: 0, gone: 0 }
      case 'delete':
        this.#enis = this.#enis.filter(({ key }) => key !== eni.key)
        return { came: 0, gone: eni.ips.length }
    }
  }

  #change(eni: PoolEni, change: Partial<PoolEni>): void {
    this.#enis = this.#enis.map((each) => (each.key === eni.key ? { ...each, ...change } : each))
  }

  /** Addresses that nobody has: it matters only how many there are. */
  #madeUp(count: number): PoolEni['ips'] {
    return Array.from({ length: count }, () => {
      const n = ++this.#made
      const address = parseIpv4(`0.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`)
      if (address === undefined) throw new Error('more addresses than can be made up')
      return { address, state: 'bound', grant: Number.MAX_SAFE_INTEGER - n }
    })
  }
}

function settled({ state }: PoolEni): PoolEni['state'] {
  if (state === 'attaching') return 'attached'
  return state === 'creating' ? 'available' : state
}
