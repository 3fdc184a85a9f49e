// Events are stored in their core/v1 form and shown in both: core/v1 and events.k8s.io/v1.
import { asObject, asText, at, type JsonObject, type KubeObject } from './object.ts'
import type { ResourceType } from './resource.ts'

const aboutFields = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath']

export const eventFields: ResourceType['fields'] = {
  ...sharedFields('involvedObject'),
  reportingComponent: (event) => asText(event['reportingComponent']),
  source: (event) => asText(at(event, 'source', 'component')) || asText(event['reportingComponent']),
}

/** events.k8s.io/v1 selects by "regarding" what core/v1 selects by "involvedObject". */
export const regardingFields: ResourceType['fields'] = {
  ...sharedFields('regarding'),
  reportingController: (event) => asText(event['reportingController']),
}

function sharedFields(about: 'involvedObject' | 'regarding'): ResourceType['fields'] {
  const aboutEntries = aboutFields.map((field) => [
    `${about}.${field}`,
    (event: KubeObject) => asText(at(event, about, field)),
  ])
  return {
    ...Object.fromEntries(aboutEntries),
    reason: (event) => asText(event['reason']),
    type: (event) => asText(event['type']),
  }
}

// events.k8s.io/v1 name, core/v1 name
const renamed: readonly (readonly [string, string])[] = [
  ['regarding', 'involvedObject'],
  ['note', 'message'],
  ['reportingController', 'reportingComponent'],
  ['deprecatedSource', 'source'],
  ['deprecatedFirstTimestamp', 'firstTimestamp'],
  ['deprecatedLastTimestamp', 'lastTimestamp'],
  ['deprecatedCount', 'count'],
]

export function eventFromStored(stored: KubeObject): KubeObject {
  return {
    ...rename(stored, 'from-core'),
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: stored.metadata,
  }
}

export function eventToStored(event: KubeObject): KubeObject {
  const { metadata } = event
  const stored: KubeObject = { ...rename(event, 'to-core'), apiVersion: 'v1', kind: 'Event', metadata }
  stored['involvedObject'] = asObject(stored['involvedObject'])
  return stored
}

function rename(event: JsonObject, direction: 'from-core' | 'to-core'): JsonObject {
  const names = new Map(
    renamed.map(([newer, core]) => (direction === 'from-core' ? [core, newer] : [newer, core])),
  )
  return Object.fromEntries(Object.entries(event).map(([key, value]) => [names.get(key) ?? key, value]))
}
