// Values that a test writes down as text; what is malformed is a mistake in the test.
import assert from 'node:assert/strict'
import type { NodeDefaults, NodeReport, NodeTerms, PoolBounds, WarmTargets } from '../internal/ipam/types.ts'
import { type Cidr, parseCidr } from '../internal/value/cidr.ts'
import { type Ipv4, parseIpv4 } from '../internal/value/ipv4.ts'
import { type Mac, parseMac } from '../internal/value/mac.ts'

export const ip = (text: string): Ipv4 => known(parseIpv4(text))
export const ips = (...texts: readonly string[]): Ipv4[] => texts.map(ip)
export const cidr = (text: string): Cidr => known(parseCidr(text))
export const mac = (text: string): Mac => known(parseMac(text))

/** 10.0.1.n */
export const nth = (n: number): Ipv4 => ip(`10.0.1.${n}`)

/** Of the pool of exclusive ENIs on a node that may have none. */
export const noPool: PoolBounds = { minWarm: 0, maxWarm: 0, maxEnis: 0, ipsPerEni: 1 }

/** On an instance that takes as many ENIs as the wider of the two pools: bounds that are its own and the leader's, no annotations. */
export function nodeBounds(shared: PoolBounds, exclusive = noPool): NodeTerms {
  return {
    shared,
    exclusive,
    instanceEnis: Math.max(shared.maxEnis, exclusive.maxEnis),
    defaults: { shared: warmOf(shared), exclusive: warmOf(exclusive) },
    overrides: {},
  }
}

function warmOf({ minWarm, maxWarm }: WarmTargets): WarmTargets {
  return { minWarm, maxWarm }
}

/** Defaults for nodes without exclusive ENIs. */
export function warm(minWarm: number, maxWarm: number): NodeDefaults {
  return { shared: { minWarm, maxWarm }, exclusive: { minWarm: 0, maxWarm: 0 } }
}

/** As `nodeBounds`, and the quotas of the instance, as a ledger has them. */
export function ledgerBounds(shared: PoolBounds, exclusive = noPool) {
  const bounds = nodeBounds(shared, exclusive)
  const { ipsPerEni } = shared
  return { ...bounds, quota: { instanceType: 'SA2.SMALL1', enis: bounds.instanceEnis, ipsPerEni, eips: 1 } }
}

/** What an agent tells that has its addresses in use on one ENI. */
export function nodeReport(told: Partial<NodeReport>): NodeReport {
  const { inUse = 0 } = told
  return {
    returned: [],
    inUse,
    idle: 0,
    enisInUse: Math.min(1, inUse),
    mostInUse: inUse,
    exclusiveInUse: 0,
    exclusiveIdle: 0,
    withheld: 0,
    exclusiveWithheld: 0,
    unlinked: [],
    databaseId: 'db',
    version: 'test',
    ...told,
  }
}

/** The value, which must be there. */
export function known<T>(value: T | undefined): T {
  assert.ok(value !== undefined)
  return value
}
