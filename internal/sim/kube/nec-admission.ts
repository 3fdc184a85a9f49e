// Whether a write of a NEC may set the annotations it sets (P6–P8): what nec-policy.yaml says in CEL, for a server in this process.
import { necAnnotations, readNecSettings } from '../../ipam/nec-settings.ts'
import type { NodeOverrides, NodeUse } from '../../ipam/types.ts'
import { isRecord } from '../../wire/json.ts'

/** Of the policy, and of its binding. */
export const necPolicyName = 'tke-eni-nec-annotations'

const { maxSharedEnis, maxIpsPerEni, maxExclusiveEnis } = necAnnotations

/**
 * Why the annotations of `object` are refused; undefined when they are not, or are those of `old`. `old` is undefined when `object` is
 * being created.
 */
export function judgeNecWrite(object: unknown, old: unknown): string | undefined {
  const now = annotationsOf(object)
  const before = annotationsOf(old)
  if (old !== undefined && Object.values(necAnnotations).every((key) => now[key] === before[key]))
    return undefined
  const name = String(below(object, 'metadata', 'name'))
  const settings = readNecSettings(now, name, maximaOf(before), useOf(old))
  return settings.ok ? undefined : `Cannot apply ${settings.fault}`
}

/** The maxima that are there already, each by itself. */
function maximaOf(annotations: Readonly<Record<string, string>>): NodeOverrides {
  const each = [maxSharedEnis, maxIpsPerEni, maxExclusiveEnis].map((key) => {
    const text = annotations[key]
    const read = text === undefined ? undefined : readNecSettings({ [key]: text }, '', {}, undefined)
    return read?.ok ? read.overrides : {}
  })
  return Object.assign({}, ...each)
}

function useOf(nec: unknown): NodeUse {
  const count = (field: string) => {
    const value = below(nec, 'status', 'node', field)
    return typeof value === 'number' ? value : 0
  }
  return {
    inUse: count('inUse'),
    enisInUse: count('enisInUse'),
    mostInUse: count('mostInUse'),
    exclusiveInUse: count('directInUse'),
  }
}

function annotationsOf(nec: unknown): Readonly<Record<string, string>> {
  const annotations = below(nec, 'metadata', 'annotations')
  if (!isRecord(annotations)) return {}
  return Object.fromEntries(
    Object.entries(annotations).flatMap(([key, value]) => (typeof value === 'string' ? [[key, value]] : [])),
  )
}

function below(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((here, key) => (isRecord(here) ? here[key] : undefined), value)
}
