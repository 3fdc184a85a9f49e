// One kind of object in Kubernetes, with everybody who watches it: events that come late, twice, or in another order than
// those of other objects; watches that break and list anew; lists that are short of something for a while.
import type { Clock } from '../../../internal/base/clock.ts'
import { type Random, randomInt } from '../../../internal/base/random.ts'
import type { Feed, Stop } from '../../../internal/ports.ts'
import type { Process } from './process.ts'

export interface WatchFaults {
  /** Probability that an event comes twice. */
  readonly twice: number
  /** Probability that an event changes places with the one before it, of another object. */
  readonly swapped: number
  /** An event comes after so long at most. */
  readonly lateMs: number
}

export const noWatchFaults: WatchFaults = { twice: 0, swapped: 0, lateMs: 50 }

interface Watcher<T> {
  readonly process: Process
  readonly feed: Feed<T>
  readonly wants: (item: T) => boolean
  queue: Event[]
  scheduled: boolean
  stopped: boolean
}

interface Event {
  /** Of the object; undefined for a list. */
  readonly key: string | undefined
  readonly tell: () => void
}

export interface CollectionOptions {
  readonly clock: Clock
  readonly random: Random
  readonly faults: () => WatchFaults
  /** Watches hear nothing. */
  readonly deaf: (process: Process) => boolean
}

export class Collection<T> {
  readonly items = new Map<string, T>()
  /** Sees every version at once, whatever becomes of watches. */
  witness: (item: T) => void = () => {}
  /** As `witness`, of what is removed. */
  removedWitness: (item: T) => void = () => {}
  readonly #watchers = new Set<Watcher<T>>()
  readonly #options: CollectionOptions

  constructor(options: CollectionOptions) {
    this.#options = options
  }

  put(key: string, item: T): void {
    this.items.set(key, item)
    this.witness(item)
    for (const watcher of this.#watchers) {
      if (watcher.wants(item)) this.#deliver(watcher, { key, tell: () => watcher.feed.changed(item) })
    }
  }

  remove(key: string): void {
    const item = this.items.get(key)
    if (item === undefined) return
    this.items.delete(key)
    for (const watcher of this.#watchers) {
      if (watcher.wants(item)) this.#deliver(watcher, { key, tell: () => watcher.feed.removed(item) })
    }
    this.removedWitness(item)
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

  /** Every watch breaks and lists anew, as after a 410 or an outage; `short`: the list lacks what it names. */
  breakWatches(short: (key: string) => boolean = () => false): void {
    for (const watcher of this.#watchers) {
      watcher.queue.length = 0
      this.#relist(watcher, short)
    }
  }

  #relist(watcher: Watcher<T>, short: (key: string) => boolean = () => false): void {
    const tell = () => {
      const listed = [...this.items].filter(([key]) => !short(key)).map(([, item]) => item)
      watcher.feed.replaced(listed.filter(watcher.wants))
    }
    this.#deliver(watcher, { key: undefined, tell })
  }

  #deliver(watcher: Watcher<T>, event: Event): void {
    const { clock, random, faults } = this.#options
    watcher.queue.push(event)
    if (watcher.scheduled) return
    watcher.scheduled = true
    clock.after(randomInt(random, 1, faults().lateMs), () => watcher.process.hear(() => this.#drain(watcher)))
  }

  #drain(watcher: Watcher<T>): void {
    watcher.scheduled = false
    const events = watcher.queue
    watcher.queue = []
    if (watcher.stopped) return
    if (this.#options.deaf(watcher.process)) return // the watch is cut; a list follows when it is made anew
    for (const { tell } of this.#muddle(events)) tell()
  }

  #muddle(events: readonly Event[]): readonly Event[] {
    const { random, faults } = this.#options
    const { twice, swapped } = faults()
    if (twice === 0 && swapped === 0) return events
    const muddled: Event[] = []
    for (const event of events) {
      const last = muddled.at(-1)
      const apart = last?.key !== undefined && event.key !== undefined && last.key !== event.key
      if (last !== undefined && apart && random.next() < swapped) muddled.splice(-1, 1, event, last)
      else muddled.push(event)
      if (event.key !== undefined && random.next() < twice) muddled.push(event)
    }
    return muddled
  }
}
