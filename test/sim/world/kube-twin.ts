// Kubernetes as leader and agents see it: objects, watches that lag, break and start over, and outages.
import type { Clock } from '../../../internal/base/clock.ts'
import { type Random, randomInt } from '../../../internal/base/random.ts'
import { IpamError } from '../../../internal/ipam/errors.ts'
import type { Nec, NodeFact, Notice, PodFact } from '../../../internal/ipam/types.ts'
import type { Feed, LeaderKube, NodeKube, Stop } from '../../../internal/ports.ts'
import type { Process } from './process.ts'

interface Watcher<T> {
  readonly process: Process
  readonly feed: Feed<T>
  readonly wants: (item: T) => boolean
  readonly queue: (() => void)[]
  scheduled: boolean
  stopped: boolean
}

const apiLatency = { minMs: 1, maxMs: 20 }

/** One kind of object, by key, with everybody who watches it. */
class Collection<T> {
  readonly items = new Map<string, T>()
  readonly #watchers = new Set<Watcher<T>>()
  readonly #clock: Clock
  readonly #random: Random
  readonly #out: () => boolean

  constructor(clock: Clock, random: Random, out: () => boolean) {
    this.#clock = clock
    this.#random = random
    this.#out = out
  }

  put(key: string, item: T): void {
    this.items.set(key, item)
    for (const watcher of this.#watchers) {
      if (watcher.wants(item)) this.#deliver(watcher, () => watcher.feed.changed(item))
    }
  }

  remove(key: string): void {
    const item = this.items.get(key)
    if (item === undefined) return
    this.items.delete(key)
    for (const watcher of this.#watchers) {
      if (watcher.wants(item)) this.#deliver(watcher, () => watcher.feed.removed(item))
    }
  }

  watch(process: Process, feed: Feed<T>, wants: (item: T) => boolean): Stop {
    const watcher: Watcher<T> = { process, feed, wants, queue: [], scheduled: false, stopped: false }
    this.#watchers.add(watcher)
    this.#relist(watcher)
    return () => {
      watcher.stopped = true
      this.#watchers.delete(watcher)
    }
  }

  /** Every watch breaks and lists anew, as after a 410 or an outage. */
  breakWatches(): void {
    for (const watcher of this.#watchers) {
      watcher.queue.length = 0
      this.#relist(watcher)
    }
  }

  #relist(watcher: Watcher<T>): void {
    this.#deliver(watcher, () => watcher.feed.replaced([...this.items.values()].filter(watcher.wants)))
  }

  #deliver(watcher: Watcher<T>, event: () => void): void {
    watcher.queue.push(event)
    if (watcher.scheduled) return
    watcher.scheduled = true
    this.#clock.after(randomInt(this.#random, 1, 50), () => this.#drain(watcher))
  }

  #drain(watcher: Watcher<T>): void {
    watcher.scheduled = false
    if (watcher.stopped || !watcher.process.alive) {
      this.#watchers.delete(watcher)
      return
    }
    if (this.#out()) {
      watcher.queue.length = 0 // the watch is cut; a list follows when the server is back
      return
    }
    for (const event of watcher.queue.splice(0)) event()
  }
}

export class KubeTwin {
  readonly nodes: Collection<NodeFact>
  readonly pods: Collection<PodFact>
  readonly necs: Collection<Nec>
  readonly notices: Notice[] = []
  /** Writes to the API server, for counting. */
  writes = 0
  #out = false

  constructor(clock: Clock, random: Random) {
    const out = () => this.#out
    this.nodes = new Collection<NodeFact>(clock, random, out)
    this.pods = new Collection<PodFact>(clock, random, out)
    this.necs = new Collection<Nec>(clock, random, out)
  }

  setOutage(out: boolean): void {
    const back = this.#out && !out
    this.#out = out
    if (back) this.breakWatches()
  }

  breakWatches(): void {
    for (const collection of [this.nodes, this.pods, this.necs]) collection.breakWatches()
  }

  leader(process: Process): LeaderKube {
    return {
      watchNodes: (feed) => this.nodes.watch(process, feed, () => true),
      watchPods: (feed) => this.pods.watch(process, feed, () => true),
      watchNecs: (feed) => this.necs.watch(process, feed, () => true),
      getNode: (name) => this.#call(process, 'get node', () => this.nodes.items.get(name)),
      publishNec: (name, publication) =>
        this.#call(process, 'publish nec', () => {
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
        this.#call(process, 'delete nec', () => {
          this.#necOfAtMost(epoch, name)
          this.necs.remove(name)
        }),
      notify: (notice) => void this.notices.push(notice),
    }
  }

  agent(process: Process, node: string): NodeKube {
    return {
      watchNec: (feed) => this.necs.watch(process, feed, ({ name }) => name === node),
      watchPods: (feed) => this.pods.watch(process, feed, (pod) => pod.node === node),
      report: (report) =>
        this.#call(process, 'report', () => {
          this.writes++
          const nec = this.necs.items.get(node)
          if (nec === undefined) throw new IpamError('not_found', `Cannot report: there is no NEC "${node}"`)
          this.necs.put(node, { ...nec, report })
        }),
      notify: (notice) => void this.notices.push(notice),
    }
  }

  /** As the API server refuses a leader of the past. */
  #necOfAtMost(epoch: number, name: string): Nec | undefined {
    const nec = this.necs.items.get(name)
    const found = nec?.publication?.epoch ?? 0
    if (found <= epoch) return nec
    throw new IpamError('deposed', `Cannot write NEC "${name}" in epoch ${epoch}: it is of epoch ${found}`)
  }

  #call<T>(process: Process, where: string, effect: () => T): Promise<T> {
    return process.io(
      where,
      () => {
        if (this.#out) throw new IpamError('unavailable', `Cannot ${where}: the API server is out`)
        return effect()
      },
      apiLatency,
    )
  }
}
