// Looking into JSON of unknown shape: every step may be absent or of another type.

/** The value at `path`, or undefined where any step is not an object. */
export function at(value: unknown, ...path: readonly string[]): unknown {
  let here = value
  for (const key of path) {
    if (typeof here !== 'object' || here === null) return undefined
    here = (here as Readonly<Record<string, unknown>>)[key]
  }
  return here
}

/** The non-empty text at `path`. */
export function textAt(value: unknown, ...path: readonly string[]): string | undefined {
  const found = at(value, ...path)
  return typeof found === 'string' && found !== '' ? found : undefined
}

/** The list at `path`; empty when there is none. */
export function listAt(value: unknown, ...path: readonly string[]): readonly unknown[] {
  const found = at(value, ...path)
  return Array.isArray(found) ? found : []
}

/** Is all of `wanted` so in `now`? The API server adds defaults, and lists of ours are whole. */
export function holds(now: unknown, wanted: unknown): boolean {
  if (Array.isArray(wanted))
    return (
      Array.isArray(now) &&
      now.length === wanted.length &&
      wanted.every((each, i) => holds((now as readonly unknown[])[i], each))
    )
  if (wanted === null) return now === undefined || now === null // a merge patch removes it
  if (typeof wanted !== 'object') return now === wanted
  return Object.entries(wanted).every(([key, value]) => holds(at(now, key), value))
}
