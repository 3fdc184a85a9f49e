// JSON that came from outside: parsed without throwing, and never trusted to have a shape.

export type JsonObject = Readonly<Record<string, unknown>>

/** The value `text` is the JSON of, or undefined when it is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

/** Is `value` an object with keys (not null, not an array)? */
export function isRecord(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Deeper than anything that is meant, and far from what JSON.stringify, which calls itself, can still write. */
export const maxLevels = 200

/** Are there lists or objects in each other, more than `levels`? */
export function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels <= 0 || Object.values(value).some((each) => isDeeperThan(each, levels - 1))
}

/** A value as a message shows it: short, on one line. */
export function quoteJson(value: unknown): string {
  if (value === undefined) return 'missing'
  if (isDeeperThan(value, maxLevels)) return 'nested very deep'
  const text = JSON.stringify(value)
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}
