// Pure: a notice as a core/v1 Event, which is what `kubectl describe` shows with its count.
import type { Notice } from '../ipam/types.ts'
import { formatTime, type Millis } from '../value/millis.ts'
import { necGroup } from './nec-api.ts'

/** One Event: what it says now, and what of it is written. */
export interface EventRecord {
  readonly key: string
  readonly name: string
  readonly firstAt: Millis
  notice: Notice
  lastAt: Millis
  count: number
  /** undefined while it does not exist yet. */
  writtenAt: Millis | undefined
}

const component = 'tke-eni'

/** Longest message the API server takes. */
const maxMessage = 1024

/** What makes notices alike: the same object and reason, and a message that differs only in words with digits (ids, counts, addresses). */
export function eventKey({ about, type, reason, message }: Notice): string {
  const words = message.replaceAll(/\S*\d\S*/g, '#')
  return JSON.stringify([about.kind, about.namespace, about.name, about.uid, type, reason, words])
}

/** Where the Event lives: an object without a namespace has its Events in "default". */
export function eventNamespace({ about }: Notice): string {
  return about.namespace ?? 'default'
}

/** A new Event. */
export function eventBody(event: EventRecord, instance: string): unknown {
  const { about, type, reason } = event.notice
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: event.name, namespace: eventNamespace(event.notice) },
    involvedObject: {
      apiVersion: about.kind === 'NodeENIConfig' ? `${necGroup}/v1` : 'v1',
      kind: about.kind,
      name: about.name,
      ...(about.namespace === undefined ? {} : { namespace: about.namespace }),
      ...(about.uid === undefined ? {} : { uid: about.uid }),
    },
    type,
    reason,
    source: { component, host: instance },
    reportingComponent: component,
    reportingInstance: instance,
    firstTimestamp: formatTime(event.firstAt),
    ...eventUpdate(event),
  }
}

/** The merge patch of an Event that happened again. */
export function eventUpdate({ notice, count, lastAt }: EventRecord) {
  return { message: cut(notice.message), count, lastTimestamp: formatTime(lastAt) }
}

function cut(message: string): string {
  return message.length <= maxMessage ? message : `${message.slice(0, maxMessage - 1)}…`
}
