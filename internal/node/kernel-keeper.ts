// Keeps the kernel as the ledger says: ENIs set up as they appear, drift repaired, leftovers of ours removed (D1–D5).
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { startRounds } from '../base/rounds.ts'
import { linkAlias } from '../ipam/link-identity.ts'
import { type DesiredKernel, planRepair } from '../ipam/plan-repair.ts'
import { forwardingKey, rpFilterKey } from '../ipam/sysctl-keys.ts'
import type { KernelChange, KernelSurvey, Link } from '../ipam/types.ts'
import type { Attachment, Linux, NodeEni, NodeLedger } from '../ports.ts'
import type { Ipv4 } from '../value/ipv4.ts'
import type { Mac } from '../value/mac.ts'
import type { Millis } from '../value/millis.ts'
import type { GivenEnis } from './given-enis.ts'
import type { LocalPool } from './local-pool.ts'
import type { Sandboxes } from './sandboxes.ts'
import type { NodeSettings } from './settings.ts'
import type { Strangers } from './strangers.ts'

export interface KernelKeeper {
  /** Looks and repairs soon. */
  wake(): void
  /** Has one look succeeded? */
  ready(): boolean
  stop(): void
}

export interface KernelKeeperOptions {
  readonly ledger: NodeLedger
  readonly linux: Linux
  readonly pool: LocalPool
  readonly sandboxes: Sandboxes
  readonly strangers: Strangers
  readonly givenEnis: GivenEnis
  readonly clock: Clock
  readonly log: Log
  readonly settings: NodeSettings
}

/** A published ENI's link usually appears within seconds: it is looked for often at first, then seldom. */
const missingEniRetry = { ms: 300, times: 100, laterMs: 5000 }

export function startKernelKeeper(options: KernelKeeperOptions): KernelKeeper {
  const { ledger, linux, pool, sandboxes, strangers, givenEnis, clock, log, settings } = options
  let ready = false
  let misses = 0

  async function look(): Promise<Millis> {
    const before = { attachments: ledger.attachments(), busy: sandboxes.busy() }
    const survey = await linux.survey()
    const moving = inMotion(before, ledger.attachments())
    const judged = survey.podLinks.map(({ name }) => name).filter((name) => !moving.links.has(name))
    const unknown = await strangers.judge(survey, moving.links)
    const enis = ledger.enis()
    const attachments = ledger.attachments()
    const busy = both(both(moving, inMotion(before, attachments, judged)), unknown)
    const exclusive = exclusiveOnes(enis, attachments, busy.addresses)
    const eniOf = new Map(ledger.ips().map((ip) => [ip.address, ip.eniId]))
    const shared = enis.filter(({ mode }) => mode === 'shared')
    const macOf = new Map(shared.map(({ id, mac }) => [id, mac]))
    const desired: DesiredKernel = {
      enis: shared,
      spareEnis: exclusive.spare.map(({ mac }) => mac),
      pods: attachments.flatMap((attachment) => {
        const { address, hostLink } = attachment
        const eniMac = macOf.get(eniOf.get(address) ?? '')
        return eniMac === undefined ? [] : [{ address, hostLink, eniMac, alias: linkAlias(attachment) }]
      }),
      busy,
      routeTableBase: settings.routeTableBase,
      sysctls: sysctlsFor(survey.links, shared, settings.primaryLink),
    }
    const repair = planRepair(desired, survey)
    const unusable = new Set<Mac>(repair.missingEnis)
    let fault: unknown
    if (repair.changes.length > 0) {
      try {
        await linux.apply(repair.changes)
      } catch (error) {
        fault = error
        for (const mac of unfinished(desired, await linux.survey())) unusable.add(mac)
      }
      log.info('kernel repaired', {
        changes: repair.changes.length,
        kinds: [...new Set(repair.changes.map(({ kind }) => kind))],
      })
      // A leftover may have got a new owner while it was being removed: one more look puts back what that took away.
      const owned = new Set<string>(ledger.attachments().map(({ address }) => address))
      if (repair.changes.some((change) => owned.has(removedAddress(change) ?? ''))) rounds.wake()
    }
    const usable = enis.filter(({ mac }) => !unusable.has(mac))
    // An exclusive ENI that is not here may be in a pod's namespace, whatever the ledger says: nobody gets it, and it is not given back.
    const away = exclusive.spare.filter(({ mac }) => unusable.has(mac))
    const withheld = new Set([...unknown.addresses, ...away.map(({ primaryIp }) => primaryIp)])
    pool.setReady(new Set(usable.map(({ mac }) => mac)), withheld)
    const here = new Set(survey.links.map(({ mac }) => mac))
    const returned = exclusive.given.filter(({ mac }) => here.has(mac)).map(({ primaryIp }) => primaryIp)
    const lost = new Set([...repair.disconnected, ...returned])
    for (const attachment of attachments.filter(({ address }) => lost.has(address))) {
      await reconnect(attachment)
    }
    ready = true
    await givenEnis.adopt(away)
    if (fault !== undefined) throw fault // what could be repaired is, and serves; the rest is tried again
    return pauseFor(enis.filter(({ mac, published }) => published && unusable.has(mac)).length)
  }

  /** By the ledger: those that no pod has, and those that one has. What changes hands right now is neither. */
  function exclusiveOnes(
    enis: readonly Omit<NodeEni, 'ips'>[],
    attachments: readonly Attachment[],
    moving: ReadonlySet<Ipv4>,
  ) {
    const taken = new Set(attachments.map(({ address }) => address))
    const settled = enis.filter(({ mode, primaryIp }) => mode === 'exclusive' && !moving.has(primaryIp))
    return {
      spare: settled.filter(({ primaryIp }) => !taken.has(primaryIp)),
      given: settled.filter(({ primaryIp }) => taken.has(primaryIp)),
    }
  }

  /** An ENI that is no longer published may never come back: it is not waited for. */
  function pauseFor(missing: number): Millis {
    misses = missing === 0 ? 0 : misses + 1
    if (missing === 0) return settings.repairEvery
    return misses <= missingEniRetry.times ? missingEniRetry.ms : missingEniRetry.laterMs
  }

  /** What changed hands during the survey cannot be judged by it. */
  function inMotion(
    before: { readonly attachments: readonly Attachment[]; readonly busy: DesiredKernel['busy'] },
    now: readonly Attachment[],
    adopted: readonly string[] = [],
  ): DesiredKernel['busy'] {
    const settled = new Set([...before.attachments.map(({ hostLink }) => hostLink), ...adopted])
    const fresh = now.filter(({ hostLink }) => !settled.has(hostLink))
    const came = {
      addresses: new Set(fresh.map(({ address }) => address)),
      links: new Set(fresh.map(({ hostLink }) => hostLink)),
    }
    return both(came, both(before.busy, sandboxes.busy()))
  }

  async function reconnect(attachment: Attachment): Promise<void> {
    if (!(await linux.namespaceExists(attachment.netns))) return // its DEL, or the collector, will come
    try {
      await sandboxes.reconnect(attachment)
      log.info('pod connected again', { address: attachment.address, ...attachment.pod })
    } catch (error) {
      log.warn('pod not connected again', {
        address: attachment.address,
        ...attachment.pod,
        error: (error as Error).message,
      })
    }
  }

  const rounds = startRounds(clock, async () => {
    try {
      return await look()
    } catch (error) {
      log.warn('kernel not repaired', { error: (error as Error).message })
      return Math.min(settings.repairEvery, 2000)
    }
  })
  return {
    wake: () => rounds.wake(),
    ready: () => ready,
    stop: rounds.stop,
  }
}

/** ENIs that still need to be set up. */
function unfinished(desired: DesiredKernel, survey: KernelSurvey): readonly Mac[] {
  return planRepair(desired, survey).changes.flatMap((change) =>
    change.kind === 'set-up-eni' ? [change.eni.mac] : [],
  )
}

function both(a: DesiredKernel['busy'], b: DesiredKernel['busy']): DesiredKernel['busy'] {
  return { addresses: new Set([...a.addresses, ...b.addresses]), links: new Set([...a.links, ...b.links]) }
}

function removedAddress(change: KernelChange): string | undefined {
  if (change.kind === 'remove-rule') return change.rule.from ?? change.rule.to
  return change.kind === 'remove-route' ? change.route.to : undefined
}

/** Packets of a pod leave by another ENI than the one their answers would be looked up on: reverse path checks must be off (D3). */
function sysctlsFor(
  links: readonly Link[],
  enis: readonly { readonly mac: Mac }[],
  primaryLink: string,
): Readonly<Record<string, string>> {
  const macs = new Set(enis.map(({ mac }) => mac))
  const names = links.filter(({ mac }) => mac !== undefined && macs.has(mac)).map(({ name }) => name)
  return {
    [forwardingKey]: '1',
    ...Object.fromEntries(['all', primaryLink, ...names].map((name) => [rpFilterKey(name), '0'])),
  }
}
