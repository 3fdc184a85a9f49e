// The JSONPath that printer columns use: .a.b, ['a'], [0], [*], [?(@.type=="Ready")].
import { isObject, type Json, sameJson } from './object.ts'

export type JsonPath = (value: Json) => Json[]

type Step = (value: Json) => readonly (Json | undefined)[]

/** The values a path finds, or undefined when the path is not one that printer columns use. */
export function parseJsonPath(text: string): JsonPath | undefined {
  const steps: Step[] = []
  const token =
    /\.((?:[\w/-]|\\\.)+)|\[(\d+)\]|\[\*\]|\['([^']+)'\]|\[\?\(@\.([\w.-]+)\s*==\s*["']([^"']*)["']\)\]/y
  const path = text.startsWith('$') ? text.slice(1) : text
  while (token.lastIndex < path.length) {
    const start = token.lastIndex
    const found = token.exec(path)
    if (found === null) return undefined
    const [whole, field, index, quoted, filterField, filterValue] = found
    token.lastIndex = start + whole.length
    const name = (field ?? quoted)?.replaceAll('\\.', '.')
    if (name !== undefined) steps.push((value) => (isObject(value) ? [value[name]] : []))
    else if (index !== undefined) steps.push((value) => (Array.isArray(value) ? [value[Number(index)]] : []))
    else if (filterField !== undefined) steps.push(filter(filterField.split('.'), filterValue ?? ''))
    else steps.push((value) => (Array.isArray(value) ? value : isObject(value) ? Object.values(value) : []))
  }
  return (value) =>
    steps.reduce<Json[]>((values, step) => values.flatMap(step).filter((item) => item !== undefined), [value])
}

function filter(path: readonly string[], wanted: string): Step {
  return (value) => {
    if (!Array.isArray(value)) return []
    return value.filter((item) => {
      const found = path.reduce<Json | undefined>(
        (current, step) => (isObject(current) ? current[step] : undefined),
        item,
      )
      return sameJson(found, wanted) || String(found) === wanted
    })
  }
}
