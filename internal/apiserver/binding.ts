// pods/binding: how a scheduler puts a pod on a node.
import { formatTime } from '../value/millis.ts'
import { objectOfBinding } from './body.ts'
import { asObject, asText, at, clone } from './object.ts'
import { type Answer, type Call, jsonAnswer } from './request.ts'
import { badRequest, conflict, notFound } from './status-error.ts'
import { keyOf, load, revisionOf } from './stored-object.ts'

export function bindPod(call: Call): Answer {
  const { context, type, path } = call
  const name = path.name ?? ''
  const target = asText(at(objectOfBinding(call), 'target', 'name'))
  if (target === '') throw badRequest('target.name: Required value')
  const pod = load(context, type, path.namespace, name)
  if (pod === undefined) throw notFound(type, name)
  const node = asText(at(pod, 'spec', 'nodeName'))
  if (node !== '')
    throw conflict(
      { group: '', resource: 'pods/binding' },
      name,
      `pod ${name} is already assigned to node "${node}"`,
    )
  const bound = clone(pod)
  bound['spec'] = { ...asObject(bound['spec']), nodeName: target }
  const scheduled = {
    type: 'PodScheduled',
    status: 'True',
    lastProbeTime: null,
    lastTransitionTime: formatTime(context.clock.now()),
  }
  bound['status'] = { ...asObject(bound['status']), conditions: [scheduled] }
  context.storage.replace(keyOf(type, path.namespace, name), bound, revisionOf(pod))
  return jsonAnswer(201, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 })
}
