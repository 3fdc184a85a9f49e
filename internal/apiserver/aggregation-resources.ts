// What says where other servers are that have a part in the API: APIServices and webhooks, and the endpoints of their Services.
import { defineResource } from './define-resource.ts'
import { asObjects, asText, at, type KubeObject } from './object.ts'
import { age, ageColumn, column, printer } from './printers.ts'
import type { ResourceType } from './resource.ts'
import { coreStrategic } from './strategic-rules.ts'

const addressesOf = (object: KubeObject, list: string): string =>
  asObjects(object[list])
    .flatMap(({ addresses }) => (Array.isArray(addresses) ? addresses : []))
    .map((address) => (typeof address === 'string' ? address : asText(at(address, 'ip'))))
    .join(',') || '<none>'

export const aggregationResources: readonly ResourceType[] = [
  defineResource({
    group: '',
    version: 'v1',
    resource: 'endpoints',
    singular: 'endpoints',
    kind: 'Endpoints',
    listKind: 'EndpointsList',
    namespaced: true,
    shortNames: ['ep'],
    strategic: coreStrategic,
    printer: printer([column('Endpoints'), ageColumn], (object, now) => [
      addressesOf(object, 'subsets'),
      age(object, now),
    ]),
  }),
  defineResource({
    group: 'discovery.k8s.io',
    version: 'v1',
    resource: 'endpointslices',
    kind: 'EndpointSlice',
    namespaced: true,
    strategic: coreStrategic,
    printer: printer([column('AddressType'), column('Endpoints'), ageColumn], (object, now) => [
      asText(object['addressType']),
      addressesOf(object, 'endpoints'),
      age(object, now),
    ]),
  }),
  defineResource({
    group: 'apiregistration.k8s.io',
    version: 'v1',
    resource: 'apiservices',
    kind: 'APIService',
    namespaced: false,
    hasStatus: true,
    strategic: coreStrategic,
    printer: printer([column('Service'), ageColumn], (object, now) => [
      `${asText(at(object, 'spec', 'service', 'namespace'))}/${asText(at(object, 'spec', 'service', 'name'))}`,
      age(object, now),
    ]),
  }),
  defineResource({
    group: 'admissionregistration.k8s.io',
    version: 'v1',
    resource: 'mutatingwebhookconfigurations',
    kind: 'MutatingWebhookConfiguration',
    namespaced: false,
    categories: ['api-extensions'],
    countsGenerations: true,
    strategic: coreStrategic,
    printer: printer([{ ...column('Webhooks'), type: 'integer' }, ageColumn], (object, now) => [
      asObjects(object['webhooks']).length,
      age(object, now),
    ]),
  }),
]
