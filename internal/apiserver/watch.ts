// watch: the changes of a collection as a stream of events, seen through its selectors.
import type { Cancel } from '../base/clock.ts'
import type { NextTurn } from '../base/turns.ts'
import { selectInTurns } from './list-in-turns.ts'
import type { JsonObject, KubeObject } from './object.ts'
import { parseVersion, select, selectorOf } from './read.ts'
import { negotiate, type Representation } from './represent.ts'
import type { Call, Sink, WatchAnswer } from './request.ts'
import { badRequest, StatusError } from './status-error.ts'
import type { Change, Stop, Subscription } from './storage.ts'
import { collectionOf, shown } from './stored-object.ts'

/** Quiet watches learn the newest revision this often, so that they can resume from it. */
const bookmarkEvery = 60_000

/** With `nextTurn`, objects that are there at its beginning are sent in parts. */
export function watchObjects(call: Call, nextTurn?: NextTurn): WatchAnswer {
  const { context, type, query } = call
  const as = negotiate(call.headers['accept'], query, type, () => context.clock.now())
  selectorOf(call) // refuses bad selectors before the stream begins
  const from = query.get('resourceVersion') ?? ''
  if (from !== '') parseVersion(from)
  const timeout = query.get('timeoutSeconds') ?? '0'
  if (!/^\d+$/.test(timeout)) throw badRequest(`invalid timeoutSeconds "${timeout}"`)
  return {
    status: 200,
    contentType: as.contentType,
    start: (sink) => new Watch(call, as, sink, nextTurn).start(from, Number(timeout) * 1000),
  }
}

class Watch {
  private readonly call: Call
  private readonly as: Representation
  private readonly sink: Sink
  private readonly nextTurn: NextTurn | undefined
  private readonly matches: (object: KubeObject) => boolean
  private readonly cancels: Cancel[] = []
  private over = false
  private readonly wantsBookmarks: boolean

  constructor(call: Call, as: Representation, sink: Sink, nextTurn: NextTurn | undefined) {
    this.call = call
    this.as = as
    this.sink = sink
    this.nextTurn = nextTurn
    this.matches = selectorOf(call)
    this.wantsBookmarks = isTrue(call.query.get('allowWatchBookmarks'))
  }

  start(from: string, timeoutMs: number): Stop {
    const { clock, storage } = this.call.context
    if (timeoutMs > 0) this.cancels.push(clock.after(timeoutMs, () => this.end()))
    this.refusing(() => {
      // Without a version, or from "any" version, what exists comes first.
      const initial = from === '' || from === '0' || isTrue(this.call.query.get('sendInitialEvents'))
      if (!initial) this.follow(parseVersion(from), timeoutMs)
      else if (this.call.query.get('sendInitialEvents') === 'false')
        this.follow(storage.revision(), timeoutMs)
      else if (this.nextTurn === undefined) this.follow(this.sendInitial(), timeoutMs)
      else void this.sendInitialInTurns(this.nextTurn, timeoutMs)
    })
    return () => this.stop()
  }

  /** What cannot be watched is told in the stream, and ends it. */
  private refusing(work: () => void): void {
    try {
      work()
    } catch (error) {
      if (!(error instanceof StatusError)) throw error
      this.refuse(error)
    }
  }

  private refuse(error: StatusError): void {
    this.send('ERROR', error.toJSON())
    this.cancels.push(this.call.context.clock.after(0, () => this.end()))
  }

  private follow(since: number, timeoutMs: number): void {
    const { clock, storage } = this.call.context
    const collection = collectionOf(this.call.type, this.call.path.namespace)
    const subscription = storage.watch(collection, since, (change) => this.sendChange(change))
    this.cancels.push(() => subscription.stop())
    if (this.wantsBookmarks)
      this.bookmarkLater(subscription, timeoutMs > 0 ? clock.now() + timeoutMs : undefined)
  }

  /** What is there, without the parameters of a list. */
  private initialCall(): Call {
    const query = new URLSearchParams(this.call.query)
    for (const name of ['limit', 'continue', 'resourceVersion', 'resourceVersionMatch']) query.delete(name)
    return { ...this.call, query }
  }

  /** Returns the version that it is of. */
  private sendInitial(): number {
    const { items, ending } = select(this.initialCall())
    for (const object of items) this.send('ADDED', this.as.event(object))
    this.endInitial(ending.revision)
    return ending.revision
  }

  /** As fast as they are read, and in the meantime the process does other things. Never rejects. */
  private async sendInitialInTurns(nextTurn: NextTurn, timeoutMs: number): Promise<void> {
    try {
      for await (const { items, ending } of selectInTurns(this.initialCall(), nextTurn)) {
        if (this.over) return
        for (const object of items) this.send('ADDED', this.as.event(object))
        await this.sink.taken()
        if (this.over || ending === undefined) continue
        this.endInitial(ending.revision)
        this.follow(ending.revision, timeoutMs)
      }
    } catch (error) {
      if (error instanceof StatusError) this.refuse(error)
      else this.sink.fail(error)
    }
  }

  private endInitial(revision: number): void {
    if (!this.wantsBookmarks || !isTrue(this.call.query.get('sendInitialEvents'))) return
    this.sendBookmark({ annotations: { 'k8s.io/initial-events-end': 'true' } }, revision)
  }

  private sendChange({ type, object, previous }: Change): void {
    const now = shown(this.call.type, object)
    const before = previous === undefined ? undefined : shown(this.call.type, previous)
    const matched = before !== undefined && this.matches(before)
    const matching = type !== 'DELETED' && this.matches(now)
    if (matching) this.send(matched ? 'MODIFIED' : 'ADDED', this.as.event(now))
    else if (matched) this.send('DELETED', this.as.event(now))
  }

  private bookmarkLater(subscription: Subscription, deadline: number | undefined): void {
    const { clock } = this.call.context
    const untilDeadline = deadline === undefined ? Number.POSITIVE_INFINITY : deadline - clock.now() - 2000
    const delay = Math.min(bookmarkEvery, untilDeadline)
    if (delay <= 0) return
    const cancel = clock.after(delay, () => {
      this.sendBookmark({}, subscription.position())
      this.bookmarkLater(subscription, deadline)
    })
    this.cancels.push(cancel)
  }

  private sendBookmark(metadata: JsonObject, revision: number): void {
    this.send('BOOKMARK', this.as.bookmark({ ...metadata, resourceVersion: String(revision) }))
  }

  private send(type: string, object: JsonObject): void {
    if (!this.over) this.sink.send(`${JSON.stringify({ type, object })}\n`)
  }

  private end(): void {
    if (this.over) return
    this.stop()
    this.sink.end()
  }

  private stop(): void {
    this.over = true
    for (const cancel of this.cancels.splice(0)) cancel()
  }
}

function isTrue(text: string | null): boolean {
  return text === 'true' || text === '1'
}
