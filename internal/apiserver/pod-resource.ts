// What the server checks and fills in for pods.
import {
  asObject,
  asObjects,
  asText,
  at,
  type Json,
  type JsonObject,
  type KubeObject,
  sameJson,
} from './object.ts'
import type { ResourceType, Writing } from './resource.ts'
import { type Cause, forbiddenField, requiredField } from './status-error.ts'

export const podFields: ResourceType['fields'] = {
  'spec.nodeName': (pod) => asText(at(pod, 'spec', 'nodeName')),
  'spec.restartPolicy': (pod) => asText(at(pod, 'spec', 'restartPolicy')),
  'spec.schedulerName': (pod) => asText(at(pod, 'spec', 'schedulerName')),
  'spec.serviceAccountName': (pod) => asText(at(pod, 'spec', 'serviceAccountName')),
  'spec.hostNetwork': (pod) => String(at(pod, 'spec', 'hostNetwork') === true),
  'status.phase': (pod) => asText(at(pod, 'status', 'phase')),
  'status.podIP': (pod) => asText(at(pod, 'status', 'podIP')),
  'status.nominatedNodeName': (pod) => asText(at(pod, 'status', 'nominatedNodeName')),
}

export function preparePod(pod: KubeObject, { old }: Writing): void {
  const spec = asObject(pod['spec'])
  if (pod['spec'] === undefined) return
  spec['restartPolicy'] ??= 'Always'
  spec['dnsPolicy'] ??= 'ClusterFirst'
  spec['schedulerName'] ??= 'default-scheduler'
  spec['terminationGracePeriodSeconds'] ??= 30
  spec['securityContext'] ??= {}
  for (const container of [...asObjects(spec['containers']), ...asObjects(spec['initContainers'])]) {
    container['resources'] ??= {}
    container['imagePullPolicy'] ??= pullPolicy(asText(container['image']))
    for (const port of asObjects(container['ports'])) port['protocol'] ??= 'TCP'
  }
  if (old === undefined && asObject(pod['status'])['qosClass'] === undefined) {
    pod['status'] = { ...asObject(pod['status']), qosClass: qosClass(spec) }
  }
}

function pullPolicy(image: string): string {
  const tag = /:([^/:@]+)(@|$)/.exec(image)?.[1]
  return !image.includes('@') && (tag === undefined || tag === 'latest') ? 'Always' : 'IfNotPresent'
}

function qosClass(spec: JsonObject): string {
  const containers = [...asObjects(spec['containers']), ...asObjects(spec['initContainers'])]
  const resources = containers.map((container) => asObject(container['resources']))
  const count = (value: Json | undefined): number =>
    ['cpu', 'memory'].filter((name) => at(value, name) !== undefined).length
  if (resources.every(({ limits, requests }) => count(limits) + count(requests) === 0)) return 'BestEffort'
  const guaranteed = resources.every(
    ({ limits, requests }) =>
      count(limits) === 2 &&
      ['cpu', 'memory'].every((name) => [undefined, at(limits, name)].includes(at(requests, name))),
  )
  return guaranteed ? 'Guaranteed' : 'Burstable'
}

export function checkPod(pod: KubeObject, { old }: Writing): readonly Cause[] {
  const spec = asObject(pod['spec'])
  const containers = asObjects(spec['containers'])
  const causes: Cause[] = containers.length === 0 ? [requiredField('spec.containers')] : []
  for (const [i, { name, image }] of containers.entries()) {
    if (asText(name) === '') causes.push(requiredField(`spec.containers[${i}].name`))
    if (asText(image) === '') causes.push(requiredField(`spec.containers[${i}].image`))
  }
  if (old !== undefined && !sameJson(mutableRemoved(spec), mutableRemoved(asObject(old['spec'])))) {
    causes.push(
      forbiddenField(
        'spec',
        'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\n',
      ),
    )
  }
  return causes
}

function mutableRemoved(spec: JsonObject): JsonObject {
  const { activeDeadlineSeconds: _, tolerations: __, ...rest } = spec
  const withoutImage = (list: Json | undefined): JsonObject[] =>
    asObjects(list).map(({ image: ___, ...container }) => container)
  return {
    ...rest,
    containers: withoutImage(rest['containers']),
    initContainers: withoutImage(rest['initContainers']),
  }
}
