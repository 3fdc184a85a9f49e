// A log that keeps what it is told, and lets a test wait for it.
import type { Fields, Log } from '../../internal/base/log.ts'

export class LogBook implements Log {
  readonly entries: { level: string; event: string; fields: Fields }[] = []
  #waiting: { event: string; tell: () => void }[] = []

  debug(event: string, fields: Fields = {}): void {
    this.#note('debug', event, fields)
  }
  info(event: string, fields: Fields = {}): void {
    this.#note('info', event, fields)
  }
  warn(event: string, fields: Fields = {}): void {
    this.#note('warn', event, fields)
  }
  error(event: string, fields: Fields = {}): void {
    this.#note('error', event, fields)
  }
  child(): Log {
    return this
  }

  count(event: string): number {
    return this.entries.filter((entry) => entry.event === event).length
  }

  /** Resolves when `event` is logged the next time. */
  next(event: string): Promise<void> {
    return new Promise((tell) => this.#waiting.push({ event, tell }))
  }

  #note(level: string, event: string, fields: Fields): void {
    this.entries.push({ level, event, fields })
    const heard = this.#waiting.filter((waiter) => waiter.event === event)
    this.#waiting = this.#waiting.filter((waiter) => waiter.event !== event)
    for (const { tell } of heard) tell()
  }
}
