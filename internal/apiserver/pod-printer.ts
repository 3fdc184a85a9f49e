// The columns of `kubectl get pods`: ready containers, the reason that says most, restarts, address, node.
import { ageOf } from './human-duration.ts'
import { asObject, asObjects, asText, at, type JsonObject, type KubeObject } from './object.ts'
import { age, ageColumn, column, printer } from './printers.ts'
import type { Cell } from './resource.ts'

export const podPrinter = printer(
  [
    column('Ready'),
    column('Status'),
    column('Restarts'),
    ageColumn,
    column('IP', 1),
    column('Node', 1),
    column('Nominated Node', 1),
    column('Readiness Gates', 1),
  ],
  podCells,
)

function podCells(pod: KubeObject, now: number): Cell[] {
  const spec = asObject(pod['spec'])
  const status = asObject(pod['status'])
  const containers = asObjects(status['containerStatuses'])
  const ready = containers.filter(
    (container) => container['ready'] === true && state(container, 'running') !== undefined,
  )
  const gates = asObjects(spec['readinessGates'])
  const passed = gates.filter((gate) => condition(status, asText(gate['conditionType'])) === 'True')
  return [
    `${ready.length}/${asObjects(spec['containers']).length}`,
    podReason(pod, status, containers),
    restarts(containers, now),
    age(pod, now),
    asText(at(asObjects(status['podIPs'])[0], 'ip')) || asText(status['podIP']) || '<none>',
    asText(spec['nodeName']) || '<none>',
    asText(status['nominatedNodeName']) || '<none>',
    gates.length === 0 ? '<none>' : `${passed.length}/${gates.length}`,
  ]
}

function podReason(pod: KubeObject, status: JsonObject, containers: readonly JsonObject[]): string {
  const base = asText(status['reason']) || asText(status['phase']) || 'Unknown'
  const initializing = initReason(asObjects(status['initContainerStatuses']))
  const reason = initializing ?? containersReason(status, containers) ?? base
  if (pod.metadata.deletionTimestamp === undefined) return reason
  return status['reason'] === 'NodeLost' ? 'Unknown' : 'Terminating'
}

function initReason(containers: readonly JsonObject[]): string | undefined {
  for (const [i, container] of containers.entries()) {
    const terminated = state(container, 'terminated')
    if (terminated !== undefined && Number(terminated['exitCode']) === 0) continue
    if (terminated !== undefined) return `Init:${terminatedReason(terminated)}`
    const waiting = asText(state(container, 'waiting')?.['reason'])
    if (waiting !== '' && waiting !== 'PodInitializing') return `Init:${waiting}`
    return `Init:${i}/${containers.length}`
  }
  return undefined
}

function containersReason(status: JsonObject, containers: readonly JsonObject[]): string | undefined {
  let reason: string | undefined
  let running = false
  for (const container of containers.toReversed()) {
    const waiting = asText(state(container, 'waiting')?.['reason'])
    const terminated = state(container, 'terminated')
    if (waiting !== '') reason = waiting
    else if (terminated !== undefined) reason = terminatedReason(terminated)
    else if (container['ready'] === true && state(container, 'running') !== undefined) running = true
  }
  if (reason !== 'Completed' || !running) return reason
  return condition(status, 'Ready') === 'True' ? 'Running' : 'NotReady'
}

function terminatedReason(terminated: JsonObject): string {
  const reason = asText(terminated['reason'])
  if (reason !== '') return reason
  const signal = Number(terminated['signal'] ?? 0)
  return signal === 0 ? `ExitCode:${asText(terminated['exitCode'])}` : `Signal:${signal}`
}

function restarts(containers: readonly JsonObject[], now: number): string {
  const total = containers.reduce((sum, container) => sum + Number(container['restartCount'] ?? 0), 0)
  const last = containers
    .map((container) => asText(at(container, 'lastState', 'terminated', 'finishedAt')))
    .sort()
    .at(-1)
  return total > 0 && last !== undefined && last !== '' ? `${total} (${ageOf(last, now)} ago)` : String(total)
}

function state(container: JsonObject, name: string): JsonObject | undefined {
  const value = at(container, 'state', name)
  return value === undefined || value === null ? undefined : asObject(value)
}

function condition(status: JsonObject, type: string): string {
  return asText(asObjects(status['conditions']).find((item) => item['type'] === type)?.['status'])
}
