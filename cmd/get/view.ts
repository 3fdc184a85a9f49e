// What a resource of `tke-eni get` is to those who print, filter and follow it.
import { humanDuration } from '../../internal/apiserver/human-duration.ts'
import type { Column } from '../../internal/base/table.ts'
import type { Millis } from '../../internal/value/millis.ts'

export interface View<Item> {
  readonly one: string
  readonly many: string
  /** Given the time that ages are counted to. */
  readonly columns: (now: () => Millis) => readonly Column<Item>[]
  /** What stays the same while the item changes. */
  readonly identity: (item: Item) => string
  readonly answersTo: (item: Item, name: string) => boolean
  /** What a name must look like, and whether one does; without it any name may be. */
  readonly nameForm?: { readonly wants: string; readonly matches: (name: string) => boolean }
  /** The item as its disappearance is shown; without it, items that disappear are none of anybody's business. */
  readonly asGone?: (item: Item) => Item
}

/** The time since `since` as kubectl prints it. */
export function age(since: string | null, now: () => Millis): string | null {
  return since === null ? null : humanDuration(Math.max(0, now() - Date.parse(since)))
}

/** "namespace/name" */
export function podName(pod: {
  readonly podNamespace: string | null
  readonly podName: string | null
}): string | null {
  return pod.podName === null ? null : `${pod.podNamespace ?? ''}/${pod.podName}`
}

/** Long ids of containers by their first characters, as crictl prints them. */
export function shortId(id: string | null): string | null {
  return id === null ? null : id.slice(0, 13)
}
