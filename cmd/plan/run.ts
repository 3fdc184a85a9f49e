// Runs `tke-eni plan`: reads the nodes from the leader's database, forecasts each, prints.
import { systemClock } from '../../internal/base/clock.ts'
import { createTable } from '../../internal/base/table.ts'
import { IpamError } from '../../internal/ipam/errors.ts'
import { type Forecast, forecast } from '../../internal/ipam/forecast.ts'
import { necAnnotations, readNecSettings } from '../../internal/ipam/nec-settings.ts'
import { type BoundsSource, boundsOf } from '../../internal/ipam/node-bounds.ts'
import type { NodePool } from '../../internal/ipam/pool.ts'
import type { CloudSubnet, EniMode, NodeUse } from '../../internal/ipam/types.ts'
import { nodeDefaults } from '../../internal/node/settings.ts'
import type { LeaderLedger, LedgerNode } from '../../internal/ports.ts'
import { openReadonly } from '../../internal/sqlite/open-readonly.ts'
import { leaderLedger } from '../../internal/store/leader/ledger.ts'
import type { Ipv4 } from '../../internal/value/ipv4.ts'
import { leaderMigrations } from '../../migrations/index.ts'
import { Exit, exitCode } from '../exit.ts'
import { annotationsOf, readChanges, type SettingChange } from './settings.ts'
import { assumptions } from './waiting.ts'
import { warningsOf } from './warnings.ts'

export interface PlanRequest {
  readonly settings: readonly string[]
  readonly nodes: readonly string[] | undefined
  readonly quickRelease: boolean
  readonly output: 'table' | 'wide' | 'json'
  readonly db: string
}

/** What would become of one node. */
interface Line extends Partial<Forecast> {
  readonly node: string
  /** Why it would refuse the settings. */
  readonly refused?: string
  /** What it would lead to besides. */
  readonly warnings?: readonly string[]
}

/** Prints a line for each node; ends with 1 when one would refuse the settings. Throws `bad_input`, `not_found`, `storage`. */
export function runPlan(request: PlanRequest): void {
  const changes = readChanges(request.settings)
  const { database, close } = openReadonly(request.db, { leader: leaderMigrations })
  try {
    const ledger = leaderLedger(database, systemClock)
    const used = new Set(ledger.podAddresses().keys())
    const lines = nodesOf(ledger, request).map((node) => lineOf(node, ledger, used, changes, request))
    process.stdout.write(
      request.output === 'json' ? `${JSON.stringify(lines, null, 2)}\n` : toTable(lines, request),
    )
    if (request.output !== 'json') process.stdout.write(assumed(lines, ledger, used, changes))
    if (lines.some(({ refused }) => refused !== undefined)) throw new Exit(exitCode.failed)
  } finally {
    close()
  }
}

/** What the lines take for granted of pods that the database does not know. */
function assumed(
  lines: readonly Line[],
  ledger: LeaderLedger,
  used: ReadonlySet<Ipv4>,
  changes: readonly SettingChange[],
): string {
  const planned = lines.filter(({ refused }) => refused === undefined)
  const opensExclusive = changes.some(({ annotation }) => annotation === necAnnotations.maxExclusiveEnis)
  const modes = ({ exclusive }: NodePool): readonly EniMode[] =>
    exclusive.maxEnis > 0 || opensExclusive ? ['shared', 'exclusive'] : ['shared']
  const pools = planned.flatMap(({ node }) => ledger.pool(node) ?? [])
  return assumptions(pools, used, modes)
    .map((line) => `${line}\n`)
    .join('')
}

function nodesOf(ledger: LeaderLedger, { db, nodes }: PlanRequest): readonly LedgerNode[] {
  if (nodes === undefined) return ledger.nodes()
  return [...new Set(nodes)].map((name) => {
    const node = ledger.node(name)
    if (node === undefined)
      throw new IpamError('not_found', `Cannot plan for node "${name}": it is not in "${db}"`)
    return node
  })
}

function lineOf(
  node: LedgerNode,
  ledger: LeaderLedger,
  used: ReadonlySet<Ipv4>,
  changes: readonly SettingChange[],
  { quickRelease }: PlanRequest,
): Line {
  const { name, overrides, quota, shared, zone } = node
  const pool = ledger.pool(name)
  if (pool === undefined) return { node: name }
  const read = readNecSettings(annotationsOf(overrides, changes), name, overrides, useOf(pool, used))
  if (!read.ok) return { node: name, refused: `Cannot apply ${read.fault}` }
  const source: BoundsSource = {
    quota,
    defaults: node.defaults,
    overrides: read.overrides,
    maxPods: shared.maxPods,
  }
  const bounds = boundsOf(source, limitsOf(node))
  return {
    node: name,
    warnings: warningsOf(pool, bounds),
    ...forecast({
      pool,
      bounds,
      used,
      zone,
      subnets: endless(pool, zone),
      release: { quickRelease, releaseEvery: nodeDefaults.releaseEvery },
    }),
  }
}

/** The leader's own settings are not in its database; what came of them is. */
function limitsOf({ exclusive, instanceEnis, overrides, quota }: LedgerNode) {
  return {
    maxEnisPerNode: instanceEnis < quota.enis ? instanceEnis : undefined,
    exclusiveEnis: exclusive.maxEnis > 0 || overrides.maxExclusiveEnis === 0,
  }
}

function useOf({ enis }: NodePool, used: ReadonlySet<Ipv4>): NodeUse {
  const counts = (mode: EniMode) =>
    enis
      .filter((eni) => eni.mode === mode)
      .map(({ ips }) => ips.filter(({ address }) => used.has(address)).length)
      .filter((count) => count > 0)
  const shared = counts('shared')
  return {
    inUse: shared.reduce((sum, count) => sum + count, 0),
    enisInUse: shared.length,
    mostInUse: Math.max(0, ...shared),
    exclusiveInUse: counts('exclusive').length,
  }
}

/** Only the cloud knows how many addresses are free. */
function endless({ enis }: NodePool, zone: string): readonly CloudSubnet[] {
  const ids = new Set(enis.map(({ subnetId }) => subnetId))
  const available = 1_000_000
  const cidr = '0.0.0.0/0' as CloudSubnet['cidr']
  return [...ids, 'any'].map((id) => ({ id, vpcId: '', cidr, zone, available }))
}

function toTable(lines: readonly Line[], { output }: PlanRequest): string {
  if (lines.length === 0) return 'There is no node.\n'
  const size = (mode: EniMode, what: 'enis' | 'bound') => (line: Line) => {
    const [before, after] = [line.before?.[mode][what], line.after?.[mode][what]]
    return before === after ? before : `${before} -> ${after}`
  }
  const table = createTable<Line>(
    [
      { header: 'NODE', cell: ({ node }) => node },
      { header: 'IPS', align: 'right', cell: size('shared', 'bound') },
      { header: 'SHARED ENIS', align: 'right', cell: size('shared', 'enis') },
      { header: 'EXCLUSIVE ENIS', align: 'right', cell: size('exclusive', 'enis') },
      { header: 'BINDS', align: 'right', cell: ({ bound }) => bound },
      { header: 'FREES', align: 'right', cell: ({ freed }) => freed },
      { header: 'CALLS', align: 'right', cell: callCount },
      { header: 'TAKES', cell: duration },
      { header: 'CALLS BY KIND', wide: true, cell: callsByKind },
    ],
    output === 'wide',
  )
  const planned = lines.filter(({ refused }) => refused === undefined)
  const refused = lines.flatMap((line) => line.refused ?? [])
  const told = [...refused, ...warnings(planned)]
  return `${table.add(planned)}${told.map((line) => `${line}\n`).join('')}`
}

/** Once for all nodes that it is so for. */
function warnings(lines: readonly Line[]): readonly string[] {
  const all = lines.flatMap(({ node, warnings = [] }) => warnings.map((text) => ({ node, text })))
  const nodesOf = [...Map.groupBy(all, ({ text }) => text)]
  return nodesOf.map(([text, those]) => {
    const [first, ...others] = those.map(({ node }) => node)
    const more = others.length === 0 ? '' : ` and ${others.length} more`
    return `Warning: ${first}${more}: ${text}`
  })
}

function callCount({ calls = {} }: Line): number {
  return Object.values(calls).reduce((sum, count) => sum + count, 0)
}

function callsByKind({ calls = {} }: Line): string {
  return Object.entries(calls)
    .map(([kind, count]) => `${count} ${kind}`)
    .join(', ')
}

/** A call is done within this, as a rule. */
const callSeconds = 2

function duration({ releasing = 0, steps = 0, freed = 0 }: Line): string {
  const grows = steps > 0 ? [`about ${steps * callSeconds} s to bind`] : []
  const shrinks =
    releasing > 0 ? [`${Math.round(releasing / 60_000)} min to free`] : freed > 0 ? ['frees at once'] : []
  return [...grows, ...shrinks].join(', ') || 'nothing to do'
}
