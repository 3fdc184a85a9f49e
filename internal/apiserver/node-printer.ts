// The columns of `kubectl get nodes`.
import { asObject, asObjects, asText, at, type KubeObject } from './object.ts'
import { age, ageColumn, column, printer } from './printers.ts'
import type { Cell } from './resource.ts'

export const nodePrinter = printer(
  [
    column('Status'),
    column('Roles'),
    ageColumn,
    column('Version'),
    column('Internal-IP', 1),
    column('External-IP', 1),
    column('OS-Image', 1),
    column('Kernel-Version', 1),
    column('Container-Runtime', 1),
  ],
  nodeCells,
)

function nodeCells(node: KubeObject, now: number): Cell[] {
  const info = asObject(at(node, 'status', 'nodeInfo'))
  return [
    nodeStatus(node),
    roles(node),
    age(node, now),
    asText(info['kubeletVersion']),
    address(node, 'InternalIP'),
    address(node, 'ExternalIP'),
    asText(info['osImage']) || '<unknown>',
    asText(info['kernelVersion']) || '<unknown>',
    asText(info['containerRuntimeVersion']) || '<unknown>',
  ]
}

function nodeStatus(node: KubeObject): string {
  const ready = asObjects(at(node, 'status', 'conditions')).find(({ type }) => type === 'Ready')
  const words = [ready === undefined ? 'Unknown' : ready['status'] === 'True' ? 'Ready' : 'NotReady']
  if (at(node, 'spec', 'unschedulable') === true) words.push('SchedulingDisabled')
  return words.join(',')
}

const rolePrefix = 'node-role.kubernetes.io/'

function roles({ metadata: { labels = {} } }: KubeObject): string {
  const names = Object.entries(labels).flatMap(([key, value]) => {
    if (key.startsWith(rolePrefix)) return [key.slice(rolePrefix.length)]
    return key === 'kubernetes.io/role' && value !== '' ? [value] : []
  })
  return names.sort().join(',') || '<none>'
}

function address(node: KubeObject, type: string): string {
  return (
    asText(asObjects(at(node, 'status', 'addresses')).find((item) => item['type'] === type)?.['address']) ||
    '<none>'
  )
}
