// What operators set with annotations of a NEC (P6–P8, P10). A set that is wrong in one place is refused whole.
import { keyPrefix } from './names.ts'
import type { NodeOverrides, NodeUse, WarmTargets } from './types.ts'

export const necAnnotations = {
  sharedMinWarm: `${keyPrefix}route-eni-ip-min-warm-target`,
  sharedMaxWarm: `${keyPrefix}route-eni-ip-max-warm-target`,
  exclusiveMinWarm: `${keyPrefix}direct-eni-min-warm-target`,
  exclusiveMaxWarm: `${keyPrefix}direct-eni-max-warm-target`,
  maxSharedEnis: `${keyPrefix}route-eni-max-attach`,
  maxIpsPerEni: `${keyPrefix}max-ip-per-route-eni`,
  maxExclusiveEnis: `${keyPrefix}direct-eni-max-attach`,
} as const

/** More is a slip of the finger. */
const most = 10_000

export type NecSettings =
  | { readonly ok: true; readonly overrides: NodeOverrides }
  /** Continues "Cannot apply ": which annotation, its value, what is so and what to do. */
  | { readonly ok: false; readonly fault: string }

/**
 * Reads the annotations. `before` is in force; a maximum is refused when it is below what pods use on the node, unless it is in force
 * already. `use` is undefined while the node has said nothing: then nothing is in use.
 */
export function readNecSettings(
  annotations: Readonly<Record<string, string>>,
  node: string,
  before: NodeOverrides,
  use: NodeUse | undefined,
): NecSettings {
  const faults: string[] = []
  const refuse = (key: string, why: string) =>
    faults.push(`${shortName(key)} "${shown(annotations[key] ?? '')}" on node ${node}: ${why}`)

  function read(key: string, least = 0): number | undefined {
    const text = annotations[key]
    if (text === undefined) return undefined
    const value = /^[0-9]{1,5}$/.test(text) ? Number(text) : Number.NaN
    if (value >= least && value <= most) return value
    refuse(key, `it is not a whole number from ${least} to ${most}`)
    return undefined
  }

  function warm(minKey: string, maxKey: string): WarmTargets | undefined {
    const minWarm = read(minKey)
    const maxWarm = read(maxKey)
    for (const [key, other] of [
      [minKey, maxKey],
      [maxKey, minKey],
    ] as const) {
      if (annotations[key] !== undefined && annotations[other] === undefined)
        refuse(key, `${shortName(other)} is not set; set both annotations in one command`)
    }
    if (minWarm === undefined || maxWarm === undefined) return undefined
    if (minWarm <= maxWarm) return { minWarm, maxWarm }
    refuse(minKey, `it is above ${shortName(maxKey)} "${maxWarm}"; set both annotations`)
    return undefined
  }

  function maximum(
    key: string,
    inForce: number | undefined,
    used: number | undefined,
    [one, many]: readonly [string, string],
    least: number,
  ): number | undefined {
    const value = read(key, least)
    if (value === undefined || value === inForce || value >= (used ?? 0)) return value
    refuse(key, `pods use ${used} ${used === 1 ? one : many}; set at least ${used}`)
    return undefined
  }

  const names = necAnnotations
  const overrides = {
    sharedWarm: warm(names.sharedMinWarm, names.sharedMaxWarm),
    exclusiveWarm: warm(names.exclusiveMinWarm, names.exclusiveMaxWarm),
    maxSharedEnis: maximum(
      names.maxSharedEnis,
      before.maxSharedEnis,
      use?.enisInUse,
      ['shared ENI', 'shared ENIs'],
      0,
    ),
    maxIpsPerEni: maximum(
      names.maxIpsPerEni,
      before.maxIpsPerEni,
      use?.mostInUse,
      ['address of one ENI', 'addresses of one ENI'],
      1,
    ),
    maxExclusiveEnis: maximum(
      names.maxExclusiveEnis,
      before.maxExclusiveEnis,
      use?.exclusiveInUse,
      ['exclusive ENI', 'exclusive ENIs'],
      0,
    ),
  }
  if (faults.length > 0) return { ok: false, fault: faults.join('; ') }
  const given = Object.entries(overrides).filter(([, value]) => value !== undefined)
  return { ok: true, overrides: Object.fromEntries(given) }
}

/** Not longer than it takes to know it again, on one line, and without what a terminal would obey. */
function shown(text: string): string {
  const characters = [...text]
  const cut = characters.length > 40 ? [...characters.slice(0, 37), '...'] : characters
  return cut.join('').replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ')
}

/** As people type it, without the prefix that all have. */
export function shortName(key: string): string {
  return key.slice(keyPrefix.length)
}
