// A request and its answer, without a wire: what HTTP carries, and what code in the same process calls directly.
import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import type { KnownPolicy } from './admission.ts'
import type { Registry } from './registry.ts'
import type { ResourcePath } from './request-path.ts'
import type { ResourceType } from './resource.ts'
import type { Stop, Storage } from './storage.ts'

export interface ApiRequest {
  readonly method: string
  /** Path and query. */
  readonly url: string
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string | undefined>>
  readonly body?: string
}

export interface Answer {
  readonly status: number
  readonly contentType: string
  readonly body: string | Uint8Array
  /** Shown to people by kubectl ("Warning: ..."). */
  readonly warnings?: readonly string[]
}

/** Where a watch writes: one JSON text per event. */
export interface Sink {
  send(event: string): void
  /** Resolves when whoever reads has taken what was sent, or most of it. */
  taken(): Promise<void>
  /** The stream breaks off. */
  fail(error: unknown): void
  end(): void
}

export interface WatchAnswer {
  readonly status: 200
  readonly contentType: string
  /** Starts; `sink.end` is called at most once, and never after the returned Stop. */
  readonly start: (sink: Sink) => Stop
}

/** One that may be long: its parts are made while it is written. */
export interface StreamedAnswer {
  readonly status: 200
  readonly contentType: string
  readonly parts: AsyncIterable<string>
}

export type ApiAnswer = Answer | WatchAnswer

export function isWatch(answer: ApiAnswer): answer is WatchAnswer {
  return 'start' in answer
}

/** What all requests share. */
export interface Context {
  readonly storage: Storage
  readonly clock: Clock
  readonly random: Random
  readonly registry: Registry
  readonly policies: readonly KnownPolicy[]
}

/** A request to one resource. */
export interface Call {
  readonly context: Context
  readonly type: ResourceType
  readonly path: ResourcePath
  readonly query: URLSearchParams
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: string | undefined
}

export const healthy: Answer = { status: 200, contentType: 'text/plain; charset=utf-8', body: 'ok' }

export function jsonAnswer(status: number, value: unknown, contentType = 'application/json'): Answer {
  return { status, contentType, body: `${JSON.stringify(value)}\n` }
}
