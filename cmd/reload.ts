// SIGHUP: the settings are read again. What can change while the daemon runs does; of the rest it is said that it needs a restart.
import type { Log } from '../internal/base/log.ts'
import { withHint } from '../internal/ipam/errors.ts'
import { settingName } from '../internal/wire/settings.ts'
import type { Hangups } from './hangups.ts'

export interface Reloads<T> {
  /** `heard` gets all settings, of which only what can change is other than before; the result ends that. */
  subscribe(heard: (settings: T) => void): () => void
}

export interface ReloadOptions<T> {
  readonly settings: T
  /** Throws `bad_input` as at start: then everything stays as it is. */
  readonly reread: () => Promise<T>
  /** Keys of what may change. */
  readonly hot: readonly (keyof T & string)[]
  readonly log: Log
  readonly hangups: Hangups
}

/** Listens to SIGHUP until `stop`. */
export function reloadOnHangup<T extends object>(options: ReloadOptions<T>): Reloads<T> & { stop(): void } {
  const { hangups, hot, log, reread } = options
  const listeners = new Set<(settings: T) => void>()
  let current = options.settings

  async function reload(): Promise<void> {
    try {
      const read = await reread()
      const changed = (Object.keys(read) as (keyof T & string)[]).filter(
        (key) => !same(read[key], current[key]),
      )
      const applied = changed.filter((key) => hot.includes(key))
      const cold = changed.filter((key) => !hot.includes(key))
      current = { ...current, ...Object.fromEntries(applied.map((key) => [key, read[key]])) }
      log.info('settings read again', { changed: applied.map(settingName) })
      if (cold.length > 0) log.warn('settings need a restart', { settings: cold.map(settingName) })
    } catch (error) {
      return log.error('settings not read again: those in force stay', { error: withHint(error) })
    }
    for (const heard of listeners) tell(heard)
  }

  /** Each for itself: what one cannot do must not keep the others from hearing. */
  function tell(heard: (settings: T) => void): void {
    try {
      heard(current)
    } catch (error) {
      log.error('settings read again, and not applied everywhere: restart', { error: withHint(error) })
    }
  }

  const stop = hangups.listen(() => void reload())
  return {
    subscribe(heard) {
      listeners.add(heard)
      heard(current)
      return () => listeners.delete(heard)
    },
    stop,
  }
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
