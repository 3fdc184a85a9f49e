// Values that a test writes down as text; what is malformed is a mistake in the test.
import assert from 'node:assert/strict'
import type { NodeDefaults } from '../internal/ipam/node-bounds.ts'
import type { NodeBounds, NodeReport, PoolBounds } from '../internal/ipam/types.ts'
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

/** On an instance that takes as many ENIs as the wider of the two pools. */
export function nodeBounds(shared: PoolBounds, exclusive = noPool): NodeBounds {
  return { shared, exclusive, instanceEnis: Math.max(shared.maxEnis, exclusive.maxEnis) }
}

/** Defaults for nodes without exclusive ENIs. */
export function warm(minWarm: number, maxWarm: number): NodeDefaults {
  return { shared: { minWarm, maxWarm }, exclusive: { minWarm: 0, maxWarm: 0 } }
}

/** What a ledger says of a node beside its name and place: bounds that are its instance's and the leader's, no annotations. */
export function ledgerBounds(shared: PoolBounds, exclusive = noPool) {
  const bounds = nodeBounds(shared, exclusive)
  const { minWarm, maxWarm, ipsPerEni } = shared
  return {
    ...bounds,
    quota: { instanceType: 'SA2.SMALL1', enis: bounds.instanceEnis, ipsPerEni },
    defaults: {
      shared: { minWarm, maxWarm },
      exclusive: { minWarm: exclusive.minWarm, maxWarm: exclusive.maxWarm },
    },
    overrides: {},
  }
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
