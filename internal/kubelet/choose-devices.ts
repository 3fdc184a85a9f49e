// Which devices stand for the addresses of a pool. They are names and nothing else: no device is an address, only their number
// tells. But the kubelet notes which pod has which, and starts no container whose device is gone or unhealthy: what pods have
// stays, and stays healthy.
import type { ResourceCounts } from '../ports.ts'
import type { Device } from './messages.ts'

/** `used` are in the hands of pods; the rest has the lowest numbers, so that little changes when the counts do. */
export function chooseDevices(
  name: string,
  counts: ResourceCounts,
  used: ReadonlySet<string>,
): readonly Device[] {
  const taken = [...used].toSorted(byNumber)
  const numbers = Array.from({ length: counts.capacity }, (_, i) => `${name}-${i}`)
  const free = numbers.filter((id) => !used.has(id)).slice(0, Math.max(0, counts.capacity - taken.length))
  const healthyFree = Math.max(0, counts.allocatable - taken.length)
  const devices = [
    ...taken.map((id) => ({ id, health: 'Healthy' })),
    ...free.map((id, i) => ({ id, health: i < healthyFree ? 'Healthy' : 'Unhealthy' })),
  ]
  return devices.toSorted((a, b) => byNumber(a.id, b.id))
}

/** Of those that are available the lowest numbers, so that holes are few when the pool shrinks. */
export function preferDevices(
  available: readonly string[],
  mustInclude: readonly string[],
  size: number,
): readonly string[] {
  const others = available.filter((id) => !mustInclude.includes(id)).toSorted(byNumber)
  return [...mustInclude, ...others].slice(0, size)
}

function byNumber(a: string, b: string): number {
  return numberOf(a) - numberOf(b) || (a < b ? -1 : Number(a > b))
}

function numberOf(id: string): number {
  return Number(/(\d+)$/.exec(id)?.[1] ?? 0)
}
