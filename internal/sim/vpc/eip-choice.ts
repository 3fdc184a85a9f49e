// Public addresses that are given out: from blocks kept for documentation, which no real host has.
import { type Random, randomInt } from '../../base/random.ts'
import type { Database } from '../../sqlite/database.ts'
import { type Cidr, cidrRange } from '../../value/cidr.ts'
import { ApiError } from './api-error.ts'

/** TEST-NET-3 and TEST-NET-2. The other one is left to those out there. */
export const publicBlocks = ['203.0.113.0/24', '198.51.100.0/24'] as const satisfies readonly string[]

const numbers: readonly number[] = publicBlocks.flatMap((block) => {
  const { first, size } = cidrRange(block as string as Cidr)
  return Array.from({ length: size - 2 }, (_, i) => first + 1 + i)
})

/** The next free one after a random place. Throws ResourceInsufficient. */
export function freePublicNumber(db: Database, random: Random): number {
  const taken = new Set(db.all<{ number: number }>('SELECT number FROM eip').map(({ number }) => number))
  const start = randomInt(random, 0, numbers.length - 1)
  const ordered = [...numbers.slice(start), ...numbers.slice(0, start)]
  const free = ordered.find((number) => !taken.has(number))
  if (free !== undefined) return free
  throw new ApiError('ResourceInsufficient', 'There is no public address left.')
}

export function isPublicNumber(number: number): boolean {
  return numbers.includes(number)
}
