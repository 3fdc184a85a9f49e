// What operators write onto NECs: what one command draws, and which sets of annotations are right, told a second time and naively, so
// that the product's own reading of them is not what judges it.
import { pick, type Random, randomInt } from '../../../internal/base/random.ts'
import type { NodeReport } from '../../../internal/ipam/types.ts'

const prefix = 'tke.cloud.tencent.com/'
const pairs = [
  ['route-eni-ip-min-warm-target', 'route-eni-ip-max-warm-target'],
  ['direct-eni-min-warm-target', 'direct-eni-max-warm-target'],
] as const
export const maxima = ['route-eni-max-attach', 'max-ip-per-route-eni', 'direct-eni-max-attach'] as const
const names: readonly string[] = [...pairs.flat(), ...maxima]

export type Annotations = Readonly<Record<string, string>>
/** What of it counts, by short name. */
export type Settings = Readonly<Record<string, number>>

/** Of one command, by short name; null: this one is taken off. */
export function drawAnnotations(random: Random): Readonly<Record<string, string | null>> {
  const roll = random.next()
  if (roll < 0.12) return Object.fromEntries(names.map((name) => [name, null]))
  if (roll < 0.35) return drawWrong(random)
  const drawn: Record<string, string | null> = {}
  for (let i = randomInt(random, 1, 2); i > 0; i--) Object.assign(drawn, drawRight(random))
  return drawn
}

function drawRight(random: Random): Record<string, string | null> {
  const [key] = [pick(random, [...pairs, ...pairs, ...maxima]) ?? maxima[0]]
  if (typeof key !== 'string') {
    const least = randomInt(random, 0, key === pairs[0] ? 6 : 2)
    const most = least + randomInt(random, 0, key === pairs[0] ? 4 : 1)
    return random.next() < 0.15
      ? { [key[0]]: null, [key[1]]: null }
      : { [key[0]]: String(least), [key[1]]: String(most) }
  }
  if (random.next() < 0.2) return { [key]: null }
  return {
    [key]: String(key === 'max-ip-per-route-eni' ? randomInt(random, 1, 12) : randomInt(random, 0, 4)),
  }
}

function drawWrong(random: Random): Record<string, string | null> {
  const [least, most] = pick(random, pairs) ?? pairs[0]
  const value = randomInt(random, 1, 6)
  const wrong: readonly Record<string, string | null>[] = [
    { [least]: String(value + 1), [most]: String(value) },
    { [least]: String(value + 1), [most]: String(value) },
    { [least]: String(value), [most]: null },
    { [least]: null, [most]: String(value) },
    { [least]: String(-value), [most]: String(value) },
    { [least]: '', [most]: String(value) },
    { [least]: '0', [most]: '20000' },
    { [pick(random, maxima) ?? maxima[0]]: pick(random, ['1.5', 'two', '-1', '1e1', '99999']) ?? '' },
    { 'max-ip-per-route-eni': '0' },
  ]
  return pick(random, wrong) ?? {}
}

/** The annotations after the command. */
export function annotated(
  before: Annotations,
  command: Readonly<Record<string, string | null>>,
): Annotations {
  const after: Record<string, string> = { ...before }
  for (const [name, value] of Object.entries(command)) {
    if (value === null) delete after[prefix + name]
    else after[prefix + name] = value
  }
  return after
}

/** What the annotations set when `before` is in force and the agent tells of such use; undefined: they are wrong. */
export function judgeAnnotations(
  annotations: Annotations,
  use: NodeReport | undefined,
  before: Settings,
): Settings | undefined {
  const settings: Record<string, number> = {}
  for (const name of names) {
    const text = annotations[prefix + name]
    if (text === undefined) continue
    const value = Number(text)
    if (!/^\d+$/.test(text) || value > 10_000) return undefined
    settings[name] = value
  }
  for (const [least, most] of pairs) {
    const [a, b] = [settings[least], settings[most]]
    if (a === undefined && b === undefined) continue
    if (a === undefined || b === undefined || a > b) return undefined
  }
  if (settings['max-ip-per-route-eni'] === 0) return undefined
  const used: Readonly<Record<string, number | undefined>> = {
    'route-eni-max-attach': use?.enisInUse,
    'max-ip-per-route-eni': use?.mostInUse,
    'direct-eni-max-attach': use?.exclusiveInUse,
  }
  const tooLow = maxima.some((name) => {
    const value = settings[name]
    return value !== undefined && value !== before[name] && value < (used[name] ?? 0)
  })
  return tooLow ? undefined : settings
}
