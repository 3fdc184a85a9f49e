// Valid JSON made wrong in a few places: what a reader of it must stand.
import fc from 'fast-check'
import { type Json, type OddName, oddName, oddPart, textOf } from './odd.ts'

const ways = ['drop', 'odd', 'repeat', 'copy', 'swap', 'wrap', 'text', 'number', 'negate', 'rename'] as const

export interface Mutation {
  /** Which of the places there are, counted round and round. */
  readonly at: number
  readonly how: (typeof ways)[number]
  /** Another place, for what takes two. */
  readonly other: number
  readonly odd: OddName
}

export const mutation: fc.Arbitrary<Mutation> = fc.record({
  at: fc.nat(10_000),
  how: fc.oneof(fc.constant('odd' as const), fc.constantFrom(...ways)),
  other: fc.nat(10_000),
  odd: oddName,
})

export const mutations: fc.Arbitrary<readonly Mutation[]> = fc.array(mutation, { minLength: 1, maxLength: 4 })

/** Lists and objects that may be changed. */
type Holder = Record<string | number, Json>

interface Place {
  readonly holder: Holder
  readonly key: string | number
}

/** A copy of `value` with the mutations made in it. */
export function mutate(value: unknown, changes: readonly Mutation[]): unknown {
  return JSON.parse(mutateText(value, changes))
}

/** As mutate(), as JSON text. */
export function mutateText(value: unknown, changes: readonly Mutation[]): string {
  const root: Holder = { value: structuredClone(value) as Json }
  for (const change of changes) {
    const places = placesIn(root)
    const at = places[change.at % places.length]
    const other = places[change.other % places.length]
    if (at !== undefined && other !== undefined) apply(change, at, other)
  }
  return textOf(root['value'] ?? null)
}

function apply({ how, odd }: Mutation, at: Place, other: Place): void {
  const { holder, key } = at
  const here = holder[key] ?? null
  const set = (value: Json) => put(holder, key, value)
  switch (how) {
    case 'drop':
      return remove(at)
    case 'odd':
      return set(oddPart(odd))
    case 'repeat':
      if (Array.isArray(holder)) holder.push(structuredClone(here))
      else put(holder, `${key}2`, structuredClone(here))
      return
    case 'copy':
      return set(structuredClone(other.holder[other.key] ?? null))
    case 'swap': {
      const there = structuredClone(other.holder[other.key] ?? null)
      put(other.holder, other.key, structuredClone(here))
      return set(there)
    }
    case 'wrap':
      return set(odd.length % 2 === 0 ? [here] : { value: here })
    case 'text':
      return set(written(here))
    case 'number':
      return set(Number.parseInt(written(here), 10) || 7)
    case 'negate':
      return set(typeof here === 'number' ? -here : typeof here === 'boolean' ? !here : `-${written(here)}`)
    case 'rename':
      remove(at)
      return put(holder, Array.isArray(holder) ? holder.length : `${key}x`, here)
  }
}

function written(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function put(holder: Holder, key: string | number, value: Json): void {
  // Not by assignment: a key "__proto__" is a key like any other.
  Object.defineProperty(holder, key, { value, writable: true, enumerable: true, configurable: true })
}

function remove({ holder, key }: Place): void {
  if (Array.isArray(holder)) holder.splice(Number(key), 1)
  else delete holder[key]
}

/** Every value below `root`, its own included; what is very large or deep is left out. */
function placesIn(root: Holder): readonly Place[] {
  const places: Place[] = []
  const visit = (holder: Holder, levels: number) => {
    const keys = Array.isArray(holder) ? holder.keys() : Object.keys(holder)
    for (const key of [...keys].slice(0, 30)) {
      places.push({ holder, key })
      const value = holder[key]
      if (typeof value === 'object' && value !== null && levels < 12) visit(value as Holder, levels + 1)
    }
  }
  visit(root, 0)
  return places
}
