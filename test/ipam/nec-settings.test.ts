// What annotations of a NEC set: the table that the admission policy is held to as well, and what holds for any text.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { necAnnotations, readNecSettings } from '../../internal/ipam/nec-settings.ts'
import type { NodeOverrides } from '../../internal/ipam/types.ts'
import { annotationsOf, necSettingsCases } from './nec-settings.cases.ts'

for (const row of necSettingsCases)
  test(row.does.replace(/^((?:\[\w+\])*) ?/, '$1 readNecSettings() ').trim(), () => {
    const { inForce = {}, use, want } = row
    const settings = readNecSettings(annotationsOf(row), 'n1', inForce, use)
    assert.deepEqual(
      settings,
      typeof want === 'string' ? { ok: false, fault: want } : { ok: true, overrides: want },
    )
  })

test('[P7] readNecSettings() reads back what is in force, whatever is in use, and nothing twice', () => {
  const number = fc.nat(30)
  const some = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined })
  const pair = some(fc.tuple(number, number).map(([minWarm, more]) => ({ minWarm, maxWarm: minWarm + more })))
  const anyUse = some(
    fc.record({
      inUse: number,
      enisInUse: number,
      mostInUse: number,
      exclusiveInUse: number,
    }),
  )
  const anyOverrides = fc
    .record({
      sharedWarm: pair,
      exclusiveWarm: pair,
      maxSharedEnis: some(number),
      maxIpsPerEni: some(fc.integer({ min: 1, max: 30 })),
      maxExclusiveEnis: some(number),
    })
    .map((all) => Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)))
  fc.assert(
    fc.property(anyOverrides, anyUse, (overrides, use) => {
      assert.deepEqual(readNecSettings(written(overrides), 'n1', overrides, use), { ok: true, overrides })
    }),
  )
})

test('[R6] readNecSettings() takes any text, and names each annotation that it refuses', () => {
  const value = fc.oneof(fc.string(), fc.nat(12_000).map(String))
  const anyAnnotations = fc.dictionary(fc.constantFrom(...Object.values(necAnnotations)), value)
  fc.assert(
    fc.property(anyAnnotations, (annotations) => {
      const settings = readNecSettings(annotations, 'n1', {}, undefined)
      if (!settings.ok) {
        const named = Object.keys(annotations).filter((key) =>
          settings.fault.includes(key.split('/')[1] ?? key),
        )
        assert.ok(named.length > 0, settings.fault)
        return
      }
      for (const bounds of [settings.overrides.sharedWarm, settings.overrides.exclusiveWarm])
        assert.ok(bounds === undefined || bounds.minWarm <= bounds.maxWarm)
    }),
  )
})

/** Annotations that set them. */
function written(overrides: NodeOverrides): Readonly<Record<string, string>> {
  const { sharedWarm, exclusiveWarm, maxSharedEnis, maxIpsPerEni, maxExclusiveEnis } = overrides
  const all = {
    [necAnnotations.sharedMinWarm]: sharedWarm?.minWarm,
    [necAnnotations.sharedMaxWarm]: sharedWarm?.maxWarm,
    [necAnnotations.exclusiveMinWarm]: exclusiveWarm?.minWarm,
    [necAnnotations.exclusiveMaxWarm]: exclusiveWarm?.maxWarm,
    [necAnnotations.maxSharedEnis]: maxSharedEnis,
    [necAnnotations.maxIpsPerEni]: maxIpsPerEni,
    [necAnnotations.maxExclusiveEnis]: maxExclusiveEnis,
  }
  return Object.fromEntries(
    Object.entries(all).flatMap(([key, value]) => (value === undefined ? [] : [[key, String(value)]])),
  )
}
