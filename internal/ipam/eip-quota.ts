// How many public addresses an instance takes, that of its own ENI included: no call of the API says it.

/** Least CPUs of a size, and how many it takes. Source: CVM use limits (vpc-api.md, part 1). */
const sizes: readonly (readonly [cpus: number, eips: number])[] = [
  [48, 10],
  [42, 9],
  [36, 8],
  [30, 7],
  [24, 6],
  [18, 5],
  [12, 4],
  [6, 3],
]
const smallest = 2

export function eipsOfInstance(cpus: number): number {
  return sizes.find(([least]) => cpus >= least)?.[1] ?? smallest
}

/** For pods (E5): one less, the instance itself keeps one. */
export function eipsForPods(cpus: number): number {
  return eipsOfInstance(cpus) - 1
}
