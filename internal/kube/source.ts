// What is kept in step with the API server, and how patiently.
import type { BackoffPolicy } from '../base/backoff.ts'
import type { Millis } from '../value/millis.ts'

/** One collection and how its objects are read. */
export interface Source<T> {
  /** Plural, for logs and messages. */
  readonly what: string
  readonly path: string
  readonly fieldSelector?: string
  /** Pure; undefined for what is no object of this kind. */
  readonly read: (object: unknown) => T | undefined
  /**
   * 'consistent' asks for the truth of now. 'cached' spares etcd: the first list may be some seconds old, later ones
   * are at least as new as what we saw; for collections that thousands of clients read.
   */
  readonly freshness: 'consistent' | 'cached'
  /** Representations that are wanted; plain JSON when missing. */
  readonly accept?: { readonly list: string; readonly watch: string }
}

export interface ReflectorLimits {
  readonly pageSize: number
  /** The server ends a watch after this long, plus up to as much by chance. */
  readonly watchFor: Millis
  /** Silence (bookmarks come about every minute) after which a watch counts as dead and is made anew from where it was. */
  readonly stallAfter: Millis
  readonly backoff: BackoffPolicy
}
