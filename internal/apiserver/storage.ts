// What the REST conventions need of a place that keeps objects. One sequence of revisions orders every change;
// the embedded server keeps objects in SQLite, an aggregated API answers from its own tables.
import type { KubeObject } from './object.ts'

export interface Collection {
  readonly group: string
  readonly resource: string
  /** undefined: in all namespaces; '' for what lives in none. */
  readonly namespace?: string | undefined
}

export interface Key {
  readonly group: string
  readonly resource: string
  readonly namespace: string
  readonly name: string
}

export interface Page {
  readonly revision: number
  /** Ordered by namespace and name. Never change one in place. */
  readonly items: readonly KubeObject[]
  readonly more: boolean
}

export interface PageRequest {
  /** The state as of this revision; the newest when missing. */
  readonly at?: number | undefined
  /** Begins after this one. */
  readonly after?: { readonly namespace: string; readonly name: string } | undefined
  readonly limit?: number | undefined
}

export interface Change {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly revision: number
  readonly key: Key
  /** The new object; when deleted the last one, with the revision of its deletion. */
  readonly object: KubeObject
  readonly previous: KubeObject | undefined
}

export type Stop = () => void

export interface Subscription {
  stop(): void
  /** Every change up to this revision has been delivered. */
  position(): number
}

/** Objects carry their revision as metadata.resourceVersion. Everything is synchronous: a request is one turn, so nothing interleaves. */
export interface Storage {
  /** The newest revision. */
  revision(): number
  get(key: Key): KubeObject | undefined
  /** Throws StatusError 410 when the state at `at` is no longer kept. */
  list(collection: Collection, page?: PageRequest): Page
  /** How many `list` would give. */
  count(collection: Collection, page?: Omit<PageRequest, 'limit'>): number
  /** Writes a new object. Throws StatusError 409 when the key is taken. */
  create(key: Key, object: KubeObject): KubeObject
  /** Writes over the object whose revision is `expected`. Throws StatusError 409 when it is another. */
  replace(key: Key, object: KubeObject, expected: number): KubeObject
  /** Removes the object whose revision is `expected`; `last` is its last state. Throws StatusError 409 when it is another. */
  remove(key: Key, last: KubeObject, expected: number): KubeObject
  /**
   * Calls `onChange` for every change after revision `since`, in order and in later turns of the clock.
   * Throws StatusError 410 when changes since then are no longer kept.
   */
  watch(collection: Collection, since: number, onChange: (change: Change) => void): Subscription
  close(): void
}
