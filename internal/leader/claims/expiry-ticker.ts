// The clock by which claims expire. Time is believed only as far as this machine's clock and the API server's agree that it passed, so that
// one that was set a year ahead takes nobody's address: not at once, and not while it is corrected, little by little, either. While the API
// server does not answer, nobody can say whether a claim's pod is back: then nothing expires, and what passed counts when it answers.
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { IpamError } from '../../ipam/errors.ts'
import type { LeaderKube, LeaderLedger } from '../../ports.ts'
import type { Millis } from '../../value/millis.ts'

export interface ExpiryTicker {
  /** Stores how much time has passed, while anything waits for it; without an answer of the API server nothing. Throws `storage`. */
  tick(): Promise<void>
  /**
   * What a claim's time is counted from that begins now: with all that has passed since the last tick, and before this leader, or that would be
   * taken from it. Throws `storage`, and `unavailable` while nobody can say how long no leader ran.
   */
  current(): Promise<Millis>
}

export interface ExpiryTickerOptions {
  readonly kube: Pick<LeaderKube, 'serverTime'>
  readonly ledger: LeaderLedger
  readonly clock: Clock
  readonly log: Log
}

export function createExpiryTicker({ clock, kube, ledger, log }: ExpiryTickerOptions): ExpiryTicker {
  let lastAt: Millis | undefined

  async function tick(): Promise<void> {
    if (!ledger.claimsExpire()) {
      lastAt = undefined
      return
    }
    const server = await kube.serverTime().catch(() => undefined)
    if (server === undefined) {
      log.info('claims expire later: nobody can say how much time has passed')
      return
    }
    const local = clock.now()
    const { mark, now: before } = ledger.expiryClock()
    const passed = mark === undefined ? 0 : Math.max(0, Math.min(server - mark.server, local - mark.local))
    const now = Math.max(before, (mark?.now ?? before) + passed)
    lastAt = local
    await ledger.write((tx) => tx.setExpiryClock({ now, mark: { server, local, now } }))
  }

  return {
    tick,
    async current() {
      if (lastAt === undefined && ledger.claimsExpire()) {
        await tick()
        if (lastAt === undefined)
          throw new IpamError(
            'unavailable',
            'Cannot begin to count the time of a claim: the API server does not say how long no leader ran',
          )
      }
      const { now } = ledger.expiryClock()
      return now + (lastAt === undefined ? 0 : Math.max(0, clock.now() - lastAt))
    },
  }
}
