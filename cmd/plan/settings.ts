// Settings as they are typed for `tke-eni plan`, and the annotations that they would make.
import { nearest } from '../../internal/base/nearest.ts'
import { IpamError } from '../../internal/ipam/errors.ts'
import { keyPrefix } from '../../internal/ipam/names.ts'
import { necAnnotations } from '../../internal/ipam/nec-settings.ts'
import type { NodeOverrides } from '../../internal/ipam/types.ts'

export interface SettingChange {
  readonly annotation: string
  /** undefined: it is removed. */
  readonly value: string | undefined
}

const known: readonly string[] = Object.values(necAnnotations)

/** "name=value" or "name-". Throws `bad_input`. */
export function readChanges(texts: readonly string[]): readonly SettingChange[] {
  return texts.map((text) => {
    const [, name = '', value] = /^([^=]*)=(.*)$/s.exec(text) ?? /^(.*)-$/s.exec(text) ?? []
    const annotation = name.startsWith(keyPrefix) ? name : `${keyPrefix}${name}`
    if (name === '') {
      throw new IpamError('bad_input', `Cannot plan "${text}": it is neither name=value nor name-`, { hint })
    }
    if (known.includes(annotation)) return { annotation, value }
    const near = nearest(annotation, known)?.slice(keyPrefix.length)
    const meant = near === undefined ? '' : `, did you mean "${near}"?`
    throw new IpamError('bad_input', `Cannot plan "${text}": there is no setting "${name}"${meant}`, { hint })
  })
}

const hint = 'see "tke-eni plan --help"'

/** The annotations of a node where `overrides` are in force, with the changes. */
export function annotationsOf(
  overrides: NodeOverrides,
  changes: readonly SettingChange[],
): Readonly<Record<string, string>> {
  const names = necAnnotations
  const now: Readonly<Record<string, number | undefined>> = {
    [names.sharedMinWarm]: overrides.sharedWarm?.minWarm,
    [names.sharedMaxWarm]: overrides.sharedWarm?.maxWarm,
    [names.exclusiveMinWarm]: overrides.exclusiveWarm?.minWarm,
    [names.exclusiveMaxWarm]: overrides.exclusiveWarm?.maxWarm,
    [names.maxSharedEnis]: overrides.maxSharedEnis,
    [names.maxIpsPerEni]: overrides.maxIpsPerEni,
    [names.maxExclusiveEnis]: overrides.maxExclusiveEnis,
  }
  const changed = new Map(changes.map(({ annotation, value }) => [annotation, value]))
  return Object.fromEntries(
    known.flatMap((name) => {
      const value = changed.has(name) ? changed.get(name) : now[name]?.toString()
      return value === undefined ? [] : [[name, value]]
    }),
  )
}
