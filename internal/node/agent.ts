// The node agent: serves sandboxes from its own pool, whether or not leader, API server and cloud answer (R3).
import type { Clock } from '../base/clock.ts'
import { createKeyedLock } from '../base/keyed-lock.ts'
import type { Log } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import { hasUnclearPolicy, isStatic } from '../ipam/count-pod.ts'
import type { PodNeed } from '../ipam/pod-need.ts'
import type { EniId, EniMode, Nec, NodeBounds } from '../ipam/types.ts'
import type { Linux, NodeKube, NodeLedger, NodeTx, Sandbox, SandboxKey } from '../ports.ts'
import type { Ipv4 } from '../value/ipv4.ts'
import type { Millis } from '../value/millis.ts'
import { createGivenEnis } from './given-enis.ts'
import { createGuessedModes } from './guessed-modes.ts'
import { startHousekeeping } from './housekeeping.ts'
import { startKernelKeeper } from './kernel-keeper.ts'
import { createLocalPool } from './local-pool.ts'
import { podFacts } from './pod-facts.ts'
import type { PodNetwork } from './pod-network.ts'
import { createSandboxes, type SandboxInPlace } from './sandboxes.ts'
import type { NodeSettings } from './settings.ts'
import { createStrangers } from './strangers.ts'

export interface NodePorts {
  readonly kube: NodeKube
  readonly linux: Linux
  readonly ledger: NodeLedger
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

export interface Agent {
  /** `wanted`: what its network list is for; undefined: as the pod says. */
  add(sandbox: Sandbox, wanted: EniMode | undefined, signal?: AbortSignal): Promise<PodNetwork>
  remove(key: SandboxKey): Promise<void>
  check(key: SandboxInPlace): Promise<readonly string[]>
  collect(valid: readonly SandboxKey[]): Promise<void>
  /** Why an ADD could not be served now; undefined when it could. */
  obstacle(): string | undefined
  /** Why it does not follow its NEC; ADDs are served all the same. */
  doubt(): string | undefined
  /** What its pools may hold, as last published; undefined when that is not known yet. */
  bounds(): NodeBounds | undefined
  /** ENIs that are to have so many addresses of the pool at most, as last published. */
  mostOn(): ReadonlyMap<EniId, number>
  /** Nothing is bound before its pod is there: the leader serves pods that keep their addresses. */
  staticIps(): boolean
  /** Idle addresses that no pod has been able to get for a while. */
  unusable(): ReadonlySet<Ipv4>
  /** Looks whether it should give something back: settings have changed. */
  wake(): void
  stop(): void
}

const followRetry = 1000
const podKnownWithin = 2000

/** Starts the agent. A ledger from before a reboot is cleared of its sandboxes first: none of them lives. */
export async function startAgent(ports: NodePorts, settings: NodeSettings): Promise<Agent> {
  const { kube, linux, ledger, clock, log } = ports
  await forgetSandboxesOfAnotherBoot(ledger, settings, log)
  const pool = createLocalPool({ ...ports, nodeName: settings.nodeName, notify: kube.notify })
  const pods = podFacts(() => {
    guessedModes.look()
    housekeeping.wake()
  })
  const guessedModes = createGuessedModes({ ledger, pods, log, notify: kube.notify })
  const strangers = createStrangers({
    ledger,
    linux,
    pool,
    pods,
    clock,
    log,
    settings,
    notify: kube.notify,
    changed: () => keeper.wake(),
  })
  const givenEnis = createGivenEnis({ ledger, linux, pool, log, settings, notify: kube.notify })
  const sandboxes = createSandboxes({
    ledger,
    linux,
    pool,
    strangers,
    givenEnis,
    locks: createKeyedLock(),
    log,
    settings,
    notify: kube.notify,
  })
  const keeper = startKernelKeeper({
    ledger,
    linux,
    pool,
    sandboxes,
    strangers,
    givenEnis,
    clock,
    log,
    settings,
  })
  const housekeeping = startHousekeeping({ ...ports, pool, pods, sandboxes, settings })

  let latest: Nec | undefined
  let stopped = false
  const startedAt = clock.now()

  /** What could not be stored is tried again: the API server will not tell it twice. */
  async function follow(nec: Nec): Promise<void> {
    if (nec.name !== settings.nodeName) return log.warn('NEC of another node not followed', { nec: nec.name })
    latest = nec
    try {
      await pool.follow(nec)
      housekeeping.observeReport(nec.report)
    } catch (error) {
      log.error('NEC not stored', { error: (error as Error).message, retryIn: followRetry })
      clock.after(followRetry, () => {
        if (latest === nec && !stopped) void follow(nec)
      })
    }
    keeper.wake()
    housekeeping.wake()
  }

  /**
   * A pod that is not known yet will be in a moment: the kubelet hears of it by the same way. Before the first NEC the node may have
   * exclusive ENIs and serve static pods for all that is known; but an API server that is out keeps ADDs waiting only right after the start.
   * Where the node may have none, nor static pods, nobody waits to be known, but who is known to ask for an ENI is told that there are none.
   */
  async function needOfPod(
    { pod }: Sandbox,
    wanted: EniMode | undefined,
  ): Promise<PodNeed & { guessed: boolean }> {
    if (wanted === 'exclusive') return { mode: wanted, keepsIp: undefined, guessed: false }
    const isOff = pool.bounds()?.exclusive.maxEnis === 0
    const isPlain = isOff && pool.staticIps() === false
    const patience = pods.synced() ? podKnownWithin : startedAt + podKnownWithin - clock.now()
    if (!isPlain && pod.uid !== '' && !pods.has(pod.uid) && patience > 0)
      await pods.known(pod.uid, clock, patience)
    const fact = pod.uid === '' ? pods.named(pod) : pods.get(pod.uid)
    const mode = wanted ?? (pod.uid === '' ? 'shared' : (fact?.wants ?? 'shared'))
    const guessed = wanted === undefined && !isOff && pod.uid !== '' && fact === undefined
    if (fact !== undefined && hasUnclearPolicy(fact))
      return { mode, keepsIp: undefined, unclear: true, guessed }
    return { mode, keepsIp: fact && isStatic(fact), guessed }
  }

  const stops = [
    kube.watchNec({
      replaced: (necs) => void necs.map(follow),
      changed: (nec) => void follow(nec),
      removed: () => log.warn('NEC gone, pool kept'),
    }),
    kube.watchPods(pods.feed),
  ]

  return {
    async add(sandbox, wanted, signal) {
      let isGuess = false
      const network = await sandboxes.add(
        sandbox,
        async () => {
          const { guessed, ...need } = await needOfPod(sandbox, wanted)
          isGuess = guessed
          return need
        },
        signal,
      )
      if (isGuess) guessedModes.note(sandbox)
      return network
    },
    async remove(key) {
      await sandboxes.remove(key, 'CNI DEL')
      housekeeping.wake()
    },
    check: (key) => sandboxes.check(key),
    collect: (valid) => sandboxes.collect(valid),
    obstacle() {
      const full = ledger.obstacle()
      if (full !== undefined) return full
      if (!keeper.ready()) return 'the network of the node is being set up'
      if (ledger.enis().length > 0 || pool.staticIps() === true) return undefined
      return 'the leader has not bound an ENI to this node yet'
    },
    doubt: pool.doubt,
    wake: () => housekeeping.wake(),
    bounds: pool.bounds,
    mostOn: pool.mostOn,
    staticIps: () => pool.staticIps() === true,
    unusable: pool.unusable,
    stop() {
      stopped = true
      for (const stop of stops) stop()
      keeper.stop()
      housekeeping.stop()
    },
  }
}

async function forgetSandboxesOfAnotherBoot(
  ledger: NodeLedger,
  settings: NodeSettings,
  log: Log,
): Promise<void> {
  const before = ledger.bootId()
  if (before === settings.bootId) return
  const stale = before === undefined ? [] : ledger.attachments()
  await ledger.write((tx) => {
    for (const attachment of stale) tx.detach(attachment, tx.now + settings.cooldown, 'the node was rebooted')
    if (before !== undefined) letQuarantineGo(ledger, tx, settings.cooldown)
    tx.setBootId(settings.bootId)
  })
  if (stale.length > 0) log.info('sandboxes of an earlier boot forgotten', { sandboxes: stale.length })
}

/** Links do not outlive a boot; the addresses that they had rest as any others. */
function letQuarantineGo(ledger: NodeLedger, tx: NodeTx, cooldown: Millis): void {
  for (const { address, kind, subject } of ledger.quarantine()) {
    if (kind === 'pod-link')
      tx.letGo({ hostLink: subject, address }, tx.now + cooldown, 'the node was rebooted')
  }
  tx.setQuarantine([])
}
