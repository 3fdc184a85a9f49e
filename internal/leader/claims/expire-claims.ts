// Lets claims go whose time without a pod is over (S5).
import type { Log } from '../../base/log.ts'
import type { AnyClaim } from '../../ipam/claim.ts'
import { letGo } from '../../ipam/lifecycle.ts'
import { podText } from '../../ipam/pod-need.ts'
import type { PodName } from '../../ipam/types.ts'
import type { LeaderLedger } from '../../ports.ts'
import type { ClaimTable } from './claim-table.ts'
import type { ExpiryTicker } from './expiry-ticker.ts'
import type { PodThere } from './pod-there.ts'

export interface ExpiryOptions<C extends AnyClaim> {
  readonly table: ClaimTable<C>
  readonly ledger: Pick<LeaderLedger, 'write'>
  readonly log: Log
  readonly ticker: ExpiryTicker
  readonly podThere: PodThere
  readonly wake: (pod: PodName) => void
}

/** Looked up together. */
const atOnce = 100

/** Returns what begins a look, unless one is under way. It must be known which pods there are. Never throws. */
export function createExpiry<C extends AnyClaim>(options: ExpiryOptions<C>): () => void {
  const { ledger, log, podThere, table, ticker, wake } = options
  let looking = false

  async function look(): Promise<void> {
    await ticker.tick()
    const due = () => table.expired(atOnce)
    for (let some = due(); some.length > 0; some = due())
      for (const claim of some) {
        if ((await podThere(claim)) === undefined) await expire(claim)
        else await stopTime(claim)
      }
  }

  /** Its pod is back: it is about to take it, or it does so unseen, and the time begins anew when that is gone. */
  async function stopTime(claim: C): Promise<void> {
    await ledger.write((tx) => table.change(tx, claim, { expiresAt: undefined }))
    wake(claim)
  }

  async function expire(claim: C): Promise<void> {
    await ledger.write((tx) => table.change(tx, claim, letGo('Expired', 'its time is over')))
    log.info('claim expired', { pod: podText(claim), of: table.words.has, address: claim.address })
    wake(claim)
  }

  return () => {
    if (looking) return
    looking = true
    look()
      .catch((error: unknown) => log.warn('claims not expired', { error: (error as Error).message }))
      .finally(() => {
        looking = false
      })
  }
}
