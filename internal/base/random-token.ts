// A token of 32 hexadecimal digits.
import type { Random } from './random.ts'

export function randomToken(random: Random): string {
  let token = ''
  while (token.length < 32)
    token += Math.floor(random.next() * 2 ** 32)
      .toString(16)
      .padStart(8, '0')
  return token
}
