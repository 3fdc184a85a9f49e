// Events tell of the last hour: older ones go, so that a long-lived server does not fill up with them.
import { asText } from './object.ts'
import type { Context } from './request.ts'
import { revisionOf } from './stored-object.ts'

const keepMs = 3_600_000
/** Looked for at every so many-th revision, so that most writes do not pay for it. */
const every = 100

const events = { group: '', resource: 'events' }

/** To be called when an event has been written. */
export function expireEvents({ storage, clock }: Context): void {
  if (storage.revision() % every !== 0) return
  const oldest = clock.now() - keepMs
  for (const event of storage.list(events).items) {
    const { namespace = '', name = '', creationTimestamp } = event.metadata
    const last = asText(event['lastTimestamp']) || asText(event['eventTime']) || asText(creationTimestamp)
    if (Date.parse(last) < oldest) storage.remove({ ...events, namespace, name }, event, revisionOf(event))
  }
}
