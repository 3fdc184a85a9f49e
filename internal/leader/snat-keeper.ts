// Keeps what pods with EIPs send from being masqueraded as their nodes' (E9): whose EIP is bound now is all that decides. What fails here
// holds nothing else up.
import { backoffDelay } from '../base/backoff.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import { createWorkQueue } from '../base/work-queue.ts'
import type { EipClaim } from '../ipam/eip-claim.ts'
import { errorCode, withHint } from '../ipam/errors.ts'
import type { PodUid } from '../ipam/types.ts'
import type { LeaderKube, LeaderLedger } from '../ports.ts'
import { type Ipv4, ipv4ToNumber } from '../value/ipv4.ts'
import type { Millis } from '../value/millis.ts'
import { claimNotice } from './pod-notice.ts'
import type { LeaderSettings } from './settings.ts'

export interface SnatKeeper {
  /** Something of claims to EIPs may have changed. Cheap. */
  wake(): void
  stop(): Promise<void>
}

export interface SnatOptions {
  readonly kube: Pick<LeaderKube, 'keepSources' | 'notify'>
  readonly ledger: Pick<LeaderLedger, 'eips' | 'complete'>
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly settings: Pick<LeaderSettings, 'manageMasqConfig' | 'createMasqConfig'>
}

/** A burst of pods makes one write; ip-masq-agent itself looks once a minute. */
const gatherFor: Millis = 1000
/** Others may write over it. */
const lookEvery: Millis = 60_000
const retry = { firstMs: 2000, maxMs: 300_000 }

const notKept = 'EipSourceNotKept'
const absent =
  'there is no ConfigMap kube-system/ip-masq-agent-config. Where ip-masq-agent runs, what the pod sends leaves with the address of its node; make the ConfigMap, or set create-masq-config'

export function createSnatKeeper(options: SnatOptions): SnatKeeper {
  const { clock, kube, ledger, log, random, settings } = options
  const told = new Map<PodUid, string>()
  let last: { readonly sources: string; readonly at: Millis } | undefined
  let warned: string | undefined
  let failures = 0
  const queue = createWorkQueue({ clock, concurrency: 1, work: keep })

  function wake(delay: Millis = gatherFor): void {
    queue.add('sources', delay)
  }

  async function keep(): Promise<void> {
    // Of a ledger that is not whole yet nobody knows what is missing in it.
    if (!settings.manageMasqConfig || !ledger.complete()) return
    const bound = [...ledger.eips.where('Bound'), ...ledger.eips.where('Attaching').filter(isFound)]
    const addresses = bound.map(({ privateIp }) => privateIp).filter((address) => address !== undefined)
    const sources = addresses.toSorted((a, b) => ipv4ToNumber(a) - ipv4ToNumber(b)).join(' ')
    const isSame = last?.sources === sources
    if (isSame && (sources === '' || clock.now() - (last?.at ?? 0) < lookEvery)) return
    try {
      const trouble = await attempt(addresses)
      tell(bound, trouble)
      if (trouble !== undefined && trouble !== warned && bound.length > 0)
        log.warn('sources of EIP pods not kept', { error: trouble })
      warned = trouble
      if (!isSame && trouble === undefined) log.info('sources of EIP pods kept', { addresses })
      last = { sources, at: clock.now() }
      failures = 0
    } catch (error) {
      if (errorCode(error) === 'deposed') return
      if (failures === 0) log.warn('sources of EIP pods not kept', { error: withHint(error) })
      wake(backoffDelay(retry, failures++, random))
    }
  }

  /** What somebody has to mend; what passes is thrown. */
  async function attempt(addresses: readonly Ipv4[]): Promise<string | undefined> {
    try {
      const outcome = await kube.keepSources(addresses, { create: settings.createMasqConfig })
      return outcome === 'absent' ? absent : undefined
    } catch (error) {
      const code = errorCode(error)
      if (code !== 'bad_input' && code !== 'denied') throw error
      return `${withHint(error)}. Until then what the pod sends may leave with the address of its node`
    }
  }

  /** Each pod once of each trouble. */
  function tell(bound: readonly EipClaim[], trouble: string | undefined): void {
    const pods = new Set(bound.map(({ podUid }) => podUid))
    for (const uid of told.keys()) if (trouble === undefined || !pods.has(uid)) told.delete(uid)
    if (trouble === undefined) return
    for (const claim of bound) {
      if (claim.podUid === undefined || told.get(claim.podUid) === trouble) continue
      told.set(claim.podUid, trouble)
      kube.notify(
        claimNotice(claim, notKept, `the EIP may not be seen from outside as the pod's: ${trouble}`),
      )
    }
  }

  return { wake: () => wake(), stop: queue.stop }
}

/** After a ledger was lost it is on the address, as far as is known, and what is on its way is known of none. */
function isFound({ acted, privateIp }: EipClaim): boolean {
  return acted === undefined && privateIp !== undefined
}
