// Label and field selectors: text to a test on objects.
import type { KubeObject } from './object.ts'
import type { ResourceType } from './resource.ts'
import { badRequest } from './status-error.ts'
import { isLabelKey, isLabelValue } from './validate-meta.ts'

export type Matches = (object: KubeObject) => boolean

const everything: Matches = () => true

/** Throws StatusError 400 when the text is not a label selector. */
export function parseLabelSelector(text: string | null): Matches {
  if (text === null || text.trim() === '') return everything
  const tests = splitOutsideParentheses(text).map((part) => labelTest(part.trim(), text))
  return (object) => tests.every((test) => test(object.metadata.labels ?? {}))
}

type LabelTest = (labels: Readonly<Record<string, string>>) => boolean

function labelTest(part: string, whole: string): LabelTest {
  const set = /^(\S+)\s+(in|notin)\s*\(([^()]*)\)$/.exec(part)
  if (set !== null) {
    const [, key = '', operator, list = ''] = set
    const values = new Set(list.split(',').map((value) => checkedValue(value.trim(), whole)))
    checkKey(key, whole)
    const isIn: LabelTest = (labels) => Object.hasOwn(labels, key) && values.has(labels[key] ?? '')
    return operator === 'in' ? isIn : (labels) => !isIn(labels)
  }
  const compared = /^([^\s=!<>]+)\s*(==|=|!=|<|>)\s*(\S*)$/.exec(part)
  if (compared !== null) {
    const [, key = '', operator, value = ''] = compared
    checkKey(key, whole)
    checkedValue(value, whole)
    if (operator === '!=') return (labels) => labels[key] !== value
    if (operator === '<') return (labels) => Number.parseInt(labels[key] ?? '', 10) < Number(value)
    if (operator === '>') return (labels) => Number.parseInt(labels[key] ?? '', 10) > Number(value)
    return (labels) => labels[key] === value
  }
  const absent = part.startsWith('!')
  const key = absent ? part.slice(1).trim() : part
  checkKey(key, whole)
  return (labels) => !Object.hasOwn(labels, key) === absent
}

function checkKey(key: string, whole: string): void {
  if (!isLabelKey(key))
    throw badRequest(`unable to parse requirement: invalid label key "${key}" in "${whole}"`)
}

function checkedValue(value: string, whole: string): string {
  if (!isLabelValue(value))
    throw badRequest(`unable to parse requirement: invalid label value "${value}" in "${whole}"`)
  return value
}

function splitOutsideParentheses(text: string): string[] {
  const parts: string[] = []
  let depth = 0
  let start = 0
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '(') depth++
    else if (text[i] === ')') depth--
    else if (text[i] === ',' && depth === 0) {
      parts.push(text.slice(start, i))
      start = i + 1
    }
  }
  return [...parts, text.slice(start)]
}

/** Throws StatusError 400 when the text is not a field selector or names a field that cannot be selected by. */
export function parseFieldSelector(text: string | null, type: ResourceType): Matches {
  if (text === null || text.trim() === '') return everything
  const tests = text.split(',').map((part) => fieldTest(part.trim(), type, text))
  return (object) => tests.every((test) => test(object))
}

function fieldTest(part: string, type: ResourceType, whole: string): Matches {
  const parsed = /^([^=!]+)(==|=|!=)(.*)$/.exec(part)
  if (parsed === null) throw badRequest(`invalid selector: '${whole}'; can't understand '${part}'`)
  const [, field = '', operator, value = ''] = parsed
  const read = fieldReader(type, field)
  if (operator === '!=') return (object) => read(object) !== value
  return (object) => read(object) === value
}

function fieldReader(type: ResourceType, field: string): (object: KubeObject) => string {
  if (field === 'metadata.name') return ({ metadata }) => metadata.name ?? ''
  if (field === 'metadata.namespace' && type.namespaced) return ({ metadata }) => metadata.namespace ?? ''
  const read = Object.hasOwn(type.fields, field) ? type.fields[field] : undefined
  if (read === undefined) throw badRequest(`field label not supported: ${field}`)
  return read
}

/** The name that a field selector pins, so that one object can be fetched instead of all. */
export function pinnedName(text: string | null): string | undefined {
  return text === null ? undefined : /(?:^|,)metadata\.name==?([^,]*)/.exec(text)?.[1]
}
