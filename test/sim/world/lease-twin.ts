// The lease as candidates see it: one record, writes that say which version they replace, latency, outages and lost answers.
import { IpamError } from '../../../internal/ipam/errors.ts'
import type { LeaseStore, StoredLease } from '../../../internal/ports.ts'
import type { Process } from './process.ts'

export class LeaseTwin {
  record: StoredLease | undefined
  /** Every write that took effect, in order. */
  readonly writes: StoredLease[] = []
  latency = { minMs: 1, maxMs: 20 }
  out = false
  /** So many of the next writes take effect, and their answers never come. */
  loseAnswers = 0
  #version = 0

  /** As by somebody's hand. */
  delete(): void {
    this.record = undefined
  }

  /** What `process` has of it; `out` cuts off this one alone. */
  store(process: Process, out: () => boolean = () => false): LeaseStore {
    const io = <T>(where: string, effect: () => T) =>
      process.io(() => {
        if (this.out || out()) throw new IpamError('unavailable', `Cannot ${where}: the API server is out`)
        return effect()
      }, this.latency)
    return {
      read: () => io('read lease', () => this.record),
      write: (next, version) =>
        io('write lease', () => {
          if (this.record === undefined && version !== undefined)
            throw new IpamError('not_found', 'Cannot write lease: it is gone')
          if (this.record?.version !== version)
            throw new IpamError('conflict', 'Cannot write lease: it has changed')
          const stored = { ...next, version: String(++this.#version) }
          this.record = stored
          this.writes.push(stored)
          if (this.loseAnswers > 0) {
            this.loseAnswers--
            throw new IpamError('unavailable', 'Cannot write lease: no answer')
          }
          return stored
        }),
    }
  }
}
