// A ledger whose writes somebody hears of.
import type { LeaderLedger } from '../ports.ts'

/** `after` hears that something was written. */
export function heard(ledger: LeaderLedger, after: () => void): LeaderLedger {
  return {
    ...ledger,
    async write(change) {
      const value = await ledger.write(change)
      after()
      return value
    },
  }
}
