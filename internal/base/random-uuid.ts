// A UUID of version 4 from a source of chance of ours, so that a seeded run repeats.
import { type Random, randomInt } from './random.ts'

export function randomUuid(random: Random): string {
  const hex = (digits: number): string =>
    randomInt(random, 0, 16 ** digits - 1)
      .toString(16)
      .padStart(digits, '0')
  const variant = randomInt(random, 8, 11).toString(16)
  return `${hex(8)}-${hex(4)}-4${hex(3)}-${variant}${hex(3)}-${hex(6)}${hex(6)}`
}
