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
