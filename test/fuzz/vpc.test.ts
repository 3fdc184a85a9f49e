// Answers of the VPC that are wrong in places, for every call of ours: each gives values that can be used, or an error of ours; a
// mutation whose answer cannot be read has an unknown outcome.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { silentLog } from '../../internal/base/log.ts'
import { seededRandom } from '../../internal/base/random.ts'
import type { CloudEip, CloudEipQuota } from '../../internal/ipam/types.ts'
import type { Reservation } from '../../internal/ports.ts'
import { ApiError } from '../../internal/sim/vpc/api-error.ts'
import { parseIpv4 } from '../../internal/value/ipv4.ts'
import { createCloud } from '../../internal/vpc/cloud.ts'
import { TencentError, type Transport } from '../../internal/vpc/transport.ts'
import { VirtualClock } from '../fake/virtual-clock.ts'
import { fuzz } from './fuzz.ts'
import { type Mutation, mutate, mutations } from './mutate.ts'
import { oddName, oddValue } from './odd.ts'
import { outcomeOf } from './outcome.ts'
import {
  type CallName,
  callNames,
  calls,
  cloudTime,
  eipId,
  reservationId,
  reservedAddress,
  type SmallCloud,
  smallCloud,
} from './vpc-inputs.ts'

const names = fc.constantFrom(...callNames)

/** The simulated cloud, whose answers become what `distort` makes of them; at most so many: what goes on longer goes on for ever. */
function distorted({ sim }: SmallCloud, distort: (answer: object, nth: number) => unknown): Transport {
  let asked = 0
  return {
    async request(product, action, params) {
      assert.ok(++asked < 300, 'asked again and again')
      try {
        const answer = sim.handle(action, JSON.parse(JSON.stringify(params)), cloudTime, product)
        return distort(answer, asked) as Readonly<Record<string, unknown>>
      } catch (error) {
        if (!(error instanceof ApiError)) throw error
        const { code, message } = distort({ code: error.code, message: error.message }, asked) as TencentError
        throw new TencentError({ code, message })
      }
    },
  }
}

async function check(name: CallName, distort: (answer: object, nth: number) => unknown): Promise<void> {
  const world = smallCloud()
  try {
    const clock = new VirtualClock(cloudTime)
    const transport = distorted(world, distort)
    const cloud = createCloud({ transport, clock, random: seededRandom(1), log: silentLog })
    const value = await clock.runUntil(outcomeOf(calls[name](cloud, world)))
    assertUsable(name, value, world)
  } finally {
    world.sim.close()
  }
}

fuzz(
  '[R6] an answer of the VPC that is wrong in places is used, or refused with an error of ours',
  fc.tuple(names, mutations),
  ([name, changes]) => check(name, (answer) => mutate(answer, changes)),
)

fuzz(
  '[R6] each answer of the VPC wrong in places of its own is used, or refused with an error of ours',
  fc.tuple(names, fc.array(mutations, { minLength: 1, maxLength: 5 })),
  ([name, many]) =>
    check(name, (answer, nth) => mutate(answer, many[nth % many.length] ?? ([] as readonly Mutation[]))),
)

fuzz(
  '[R6] an answer of the VPC of any type is refused with an error of ours',
  fc.tuple(names, oddName, oddName),
  ([name, odd, field]) =>
    check(name, (answer, nth) => {
      if (nth % 2 === 0) return oddValue(odd)
      return Object.fromEntries(Object.keys(answer).map((key) => [key, oddValue(field)]))
    }),
)

fuzz(
  '[R6] a list of the VPC that never ends, shrinks or repeats itself is given up',
  fc.tuple(
    fc.constant<CallName>('list ENIs by tag'),
    fc.array(fc.oneof(fc.nat(100_000), fc.constantFrom(2 ** 53, -1, 1e300, '7', null)), {
      minLength: 1,
      maxLength: 4,
    }),
    fc.array(fc.nat(3), { minLength: 1, maxLength: 4 }),
  ),
  ([name, totals, counts]) =>
    check(name, (answer, nth) => {
      const { NetworkInterfaceSet: [first] = [] } = answer as { NetworkInterfaceSet?: unknown[] }
      const items = Array.from({ length: counts[nth % counts.length] ?? 0 }, (_, i) => ({
        ...(first as object),
        NetworkInterfaceId: `eni-${String(nth * 3 + i).padStart(8, '0')}`,
      }))
      return { ...answer, NetworkInterfaceSet: items, TotalCount: totals[nth % totals.length] }
    }),
  { cost: 4 },
)

type Found = {
  id: string
  ips?: readonly { address: string }[]
  primaryIp?: string
  instanceId?: string
  tags?: object
  subnetId?: string
  address?: string
}

/** What came through is what the port promises. */
function assertUsable(name: CallName, value: unknown, { eni, instance }: SmallCloud): void {
  if (value === undefined) return
  if (name.startsWith('describe') || name.startsWith('list')) {
    const found = value as readonly Found[]
    assert.equal(new Set(found.map(({ id }) => id)).size, found.length, 'each once')
    for (const one of found) assertOne(name, one, eni, instance)
  } else if (name === 'assign a named address') assert.deepEqual(value, [reservedAddress])
  else if (name === 'reserve an address') {
    const { id, subnetId, address } = value as Reservation
    assert.match(id, /^rsvip-[0-9a-z]{8,}$/)
    assert.deepEqual([subnetId, parseIpv4(address)], ['subnet-0000pods', address])
  } else if (name === 'assign addresses') {
    const addresses = value as readonly string[]
    assert.equal(new Set(addresses).size, 2)
    for (const address of addresses) assert.ok(parseIpv4(address))
  } else if (name === 'allocate an EIP') assert.match(value as string, /^eip-[0-9a-z]{8,}$/)
  else if (name === 'read the EIP quota') assertQuota(value as CloudEipQuota)
  else if (name === 'create an ENI') assert.match((value as Found).id, /^eni-[0-9a-z]{8,}$/)
  else
    for (const count of Object.values(value as object)) assert.ok(Number.isSafeInteger(count) && count >= 0)
}

function assertQuota({ singleLineDaily, singleLineTotal, ...always }: CloudEipQuota): void {
  for (const { used, limit } of [...Object.values(always), singleLineDaily, singleLineTotal].filter(
    (quota) => quota !== undefined,
  ))
    assert.ok(Number.isSafeInteger(used) && used >= 0 && Number.isSafeInteger(limit) && limit >= 0)
}

function assertEip(name: CallName, one: CloudEip, eni: string): void {
  assert.match(one.id, /^eip-[0-9a-z]{8,}$/)
  for (const address of [one.address, one.privateIp])
    assert.ok(address === undefined || parseIpv4(address) !== undefined)
  assert.ok(one.address !== undefined || one.state === 'creating')
  if (name === 'list EIPs of an ENI') assert.equal(one.eniId, eni)
  if (name === 'describe EIPs by id') assert.ok(one.id === eipId || one.id === 'eip-00000000', one.id)
}

function assertOne(name: CallName, one: Found, eni: string, instance: string): void {
  if (name === 'describe ENIs by id') assert.ok(one.id === eni || one.id === 'eni-00000000', one.id)
  if (name === 'describe instances') assert.equal(one.id, instance)
  if (name === 'describe subnets') assert.equal(one.id, 'subnet-0000pods')
  if (name.includes('reservations')) assert.ok(typeof one.subnetId === 'string' && one.subnetId !== '')
  if (name === 'describe reservations by id')
    assert.ok(one.id === reservationId || one.id === 'rsvip-00000000', one.id)
  if (name === 'describe reservations by address')
    assert.deepEqual([one.subnetId, one.address], ['subnet-0000pods', reservedAddress])
  if (name.includes('EIP')) assertEip(name, one as unknown as CloudEip, eni)
  if (['list ENIs by tag', 'list reservations by tag', 'list EIPs by tag'].includes(name))
    assert.deepEqual(
      Object.entries(one.tags ?? {}).filter(([key]) => key === 'cluster'),
      [['cluster', 'c']],
    )
  for (const { address } of one.ips ?? []) assert.ok(parseIpv4(address))
  if (one.ips !== undefined) {
    const all = [one.primaryIp, ...one.ips.map(({ address }) => address)]
    assert.equal(new Set(all).size, all.length, 'each address once')
  }
}
