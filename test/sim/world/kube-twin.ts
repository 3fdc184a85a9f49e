// Kubernetes as leader and agents see it: objects, watches that lag, break and start over, outages, and answers that get lost.
import type { Clock } from '../../../internal/base/clock.ts'
import type { Random } from '../../../internal/base/random.ts'
import { isLater } from '../../../internal/ipam/epoch.ts'
import { IpamError } from '../../../internal/ipam/errors.ts'
import type { Nec, NodeFact, Notice, PodFact } from '../../../internal/ipam/types.ts'
import type { LeaderKube, NodeKube, Workload } from '../../../internal/ports.ts'
import { editMasqConfig, type MasqNote } from '../../../internal/wire/masq-config.ts'
import type { Chaos } from './chance.ts'
import { Collection, noWatchFaults, type WatchFaults } from './kube-collection.ts'
import type { Process } from './process.ts'

export interface KubeFaults extends WatchFaults {
  /** Per call: refused, and nothing has happened. */
  readonly refused: number
  /** Per write: it has taken effect, and the answer is lost. */
  readonly lostAnswers: number
}

export const noKubeFaults: KubeFaults = { ...noWatchFaults, refused: 0, lostAnswers: 0 }

const apiLatency = { minMs: 1, maxMs: 20 }

export class KubeTwin {
  readonly nodes: Collection<NodeFact>
  readonly pods: Collection<PodFact>
  readonly necs: Collection<Nec>
  /** By `workloadKey`. */
  readonly workloads: Collection<Workload>
  /** Kinds that the leader may not see. */
  readonly hiddenKinds = new Set<string>()
  /** Kinds that the API server knows, and cannot read. */
  readonly brokenKinds = new Set<string>()
  /** Kinds that were uninstalled. */
  readonly unservedKinds = new Set<string>()
  /** What ip-masq-agent is told, with what of it is ours; undefined: there is no ConfigMap. */
  masqConfig: { readonly text: string; readonly note?: MasqNote | undefined } | undefined
  readonly notices: Notice[] = []
  /** Writes to the API server, for counting. */
  writes = 0
  faults: KubeFaults = noKubeFaults
  #out = false
  #deaf = false
  readonly #cutOff = new Set<string>()
  readonly #chaos: Chaos | undefined
  readonly #clock: Clock

  constructor(clock: Clock, random: Random, chaos?: Chaos) {
    this.#chaos = chaos
    this.#clock = clock
    const options = {
      clock,
      random,
      faults: () => this.faults,
      deaf: (process: Process) => this.#deaf || this.isCutOff(process),
    }
    this.nodes = new Collection<NodeFact>(options)
    this.pods = new Collection<PodFact>(options)
    this.necs = new Collection<Nec>(options)
    this.workloads = new Collection<Workload>(options)
  }

  setOutage(out: boolean): void {
    const back = this.#out && !out
    this.#out = out
    if (back) this.breakWatches()
  }

  /** Watches hear nothing and do not notice, while calls go on; then they start over. */
  setDeaf(deaf: boolean): void {
    const back = this.#deaf && !deaf
    this.#deaf = deaf
    if (back) this.breakWatches()
  }

  /** The API server does not answer this machine, or nobody. */
  isCutOff(process: Process): boolean {
    return this.#out || this.#cutOff.has(process.machine.name)
  }

  /** As an outage, of one machine. */
  cutOff(machine: string, cut: boolean): void {
    if (cut) this.#cutOff.add(machine)
    else if (this.#cutOff.delete(machine)) this.breakWatches()
  }

  healCuts(): void {
    this.#cutOff.clear()
  }

  /** The latest epoch that a NEC shows, past every cache. */
  highestEpoch(process: Process): Promise<number> {
    return this.#call(process, 'list NECs', () =>
      Math.max(0, ...[...this.necs.items.values()].map(({ publication }) => publication?.epoch ?? 0)),
    )
  }

  breakWatches(): void {
    for (const collection of [this.nodes, this.pods, this.necs, this.workloads]) collection.breakWatches()
  }

  leader(process: Process): LeaderKube {
    return {
      watchNodes: (feed) => this.nodes.watch(process, feed, () => true),
      watchPods: (feed) => this.pods.watch(process, feed, () => true),
      watchNecs: (feed) => this.necs.watch(process, feed, () => true),
      getNode: (name) => this.#call(process, 'get node', () => this.nodes.items.get(name)),
      getPod: (pod) =>
        this.#call(process, 'get pod', () =>
          [...this.pods.items.values()].find(
            (one) => one.name === pod.name && one.namespace === pod.namespace,
          ),
        ),
      getNec: (name) => this.#call(process, 'get NEC', () => this.necs.items.get(name)),
      publishNec: (name, publication) =>
        this.#write(process, 'publish NEC', () => {
          this.writes++
          const before = this.#necOfAtMost(publication.epoch, name)
          const fresh: Nec = {
            name,
            uid: `nec-${name}`,
            annotations: {},
            publication,
            report: undefined,
            fault: undefined,
          }
          this.necs.put(name, before === undefined ? fresh : { ...before, publication })
        }),
      deleteNec: (name, epoch) =>
        this.#write(process, 'delete NEC', () => {
          this.#necOfAtMost(epoch, name)
          this.necs.remove(name)
        }),
      setUnavailable: (name, unavailable) =>
        this.#write(process, 'set taint', () => {
          const node = this.nodes.items.get(name)
          if (node !== undefined) this.nodes.put(name, { ...node, unavailable })
        }),
      setPublicIp: ({ uid }, address) =>
        this.#write(process, 'set public address', () => {
          const pod = this.pods.items.get(uid)
          if (pod === undefined) return
          const { publicIp: _, ...others } = pod
          this.pods.put(uid, address === undefined ? others : { ...others, publicIp: address })
        }),
      getWorkload: (ref, namespace) =>
        this.#call(process, 'get workload', () => {
          this.#refuseHidden(ref.kind)
          return this.workloads.items.get(workloadKey(ref, namespace))
        }),
      watchWorkloads: (kind, feed, trouble) => {
        try {
          this.#refuseHidden(kind.kind)
        } catch (error) {
          trouble(error as Error)
          return () => {}
        }
        return this.workloads.watch(
          process,
          feed,
          (one) => one.apiVersion === kind.apiVersion && one.kind === kind.kind,
        )
      },
      keepSources: (addresses, { create }) =>
        this.#write(process, 'keep sources', () => {
          if (this.masqConfig === undefined && (!create || addresses.length === 0)) return 'absent'
          const { text, note } = this.masqConfig ?? { text: '{"NonMasqueradeCIDRs":["10.0.0.0/8"]}' }
          const wanted = addresses.map((address) => `${address}/32`)
          const edited = editMasqConfig(text, note, wanted)
          if ('fault' in edited)
            throw new IpamError('bad_input', `Cannot edit the ConfigMap: ${edited.fault}`)
          this.masqConfig = edited
          return 'kept'
        }),
      serverTime: () => this.#call(process, 'read the clock', () => this.#clock.now()),
      notify: (notice) => void this.notices.push(notice),
    }
  }

  agent(process: Process, node: string): NodeKube {
    return {
      watchNec: (feed) => this.necs.watch(process, feed, ({ name }) => name === node),
      watchPods: (feed) => this.pods.watch(process, feed, (pod) => pod.node === node),
      report: (report) =>
        this.#write(process, 'report', () => {
          this.writes++
          const nec = this.necs.items.get(node)
          if (nec === undefined) throw new IpamError('not_found', `Cannot report: there is no NEC "${node}"`)
          this.necs.put(node, { ...nec, report })
        }),
      notify: (notice) => void this.notices.push(notice),
    }
  }

  #refuseHidden(kind: string): void {
    if (this.unservedKinds.has(kind)) throw new IpamError('not_found', `Cannot get ${kind}: no such kind`)
    if (this.brokenKinds.has(kind))
      throw new IpamError('unavailable', `Cannot get ${kind}: conversion failed`)
    if (this.hiddenKinds.has(kind)) throw new IpamError('denied', `Cannot get ${kind}: forbidden`)
  }

  /** As the API server refuses a leader of the past. */
  #necOfAtMost(epoch: number, name: string): Nec | undefined {
    const nec = this.necs.items.get(name)
    const found = nec?.publication?.epoch ?? 0
    if (!isLater(found, epoch)) return nec
    throw new IpamError('deposed', `Cannot write NEC "${name}" in epoch ${epoch}: it is of epoch ${found}`)
  }

  #write<T>(process: Process, what: string, effect: () => T): Promise<T> {
    return this.#call(process, what, () => {
      const effected = effect()
      if (this.#decide('lose answer', process, what, this.faults.lostAnswers)) {
        throw new IpamError('unavailable', `Cannot ${what}: the connection broke`)
      }
      return effected
    })
  }

  #call<T>(process: Process, what: string, effect: () => T): Promise<T> {
    return process.io(() => {
      if (this.isCutOff(process) || this.#decide('refuse', process, what, this.faults.refused)) {
        throw new IpamError('unavailable', `Cannot ${what}: the API server is out`)
      }
      return effect()
    }, apiLatency)
  }

  #decide(kind: string, process: Process, what: string, rate: number): boolean {
    return rate > 0 && this.#chaos?.decide(`${kind} ${process.machine.name} ${what}`, rate) === true
  }
}

export function workloadKey(
  { apiVersion, kind, name }: Pick<Workload, 'apiVersion' | 'kind' | 'name'>,
  namespace: string,
): string {
  return `${apiVersion} ${kind} ${namespace}/${name}`
}
