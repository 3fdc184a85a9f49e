// The configuration of ip-masq-agent, JSON or YAML that people write, edited in place: addresses come into one list of it and go out again,
// and every other byte stays. What would not read as it should after an edit is refused, and nothing is changed.
import { isDeepStrictEqual } from 'node:util'
import {
  type Document,
  isMap,
  isScalar,
  isSeq,
  type Pair,
  parseAllDocuments,
  type Scalar,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml'

/** What of the list is ours; who keeps the text keeps this with it. */
export interface MasqNote {
  readonly entries: readonly string[]
  /** Was the list itself not there before? Then it goes with the last entry. */
  readonly madeList: boolean
  /** What was put before the map of settings, where there was none; then it goes with the last entry, too. */
  readonly madeMap?: string
  /** How it was said that the list is empty, where it was; that comes back with the last entry. */
  readonly nothing?: string
}

export interface MasqEdit {
  readonly text: string
  /** undefined: nothing of it is ours. */
  readonly note: MasqNote | undefined
}

/** Packets from these ranges keep their source. Keys are read in any case, as Go does. */
const listKey = 'NonMasqueradeSrcCIDRs'

/**
 * `text` with exactly the ranges of `wanted` in its list beside those of others: what is noted as ours and not wanted goes, and nothing else
 * does. `fault` continues "Cannot edit …: ".
 */
export function editMasqConfig(
  text: string,
  note: MasqNote | undefined,
  wanted: readonly string[],
): MasqEdit | { readonly fault: string } {
  const found = readConfig(text)
  if (typeof found === 'string') return { fault: found }
  const { values } = found
  const ours = (note?.entries ?? []).filter((entry) => values.includes(entry))
  const stale = ours.filter((entry) => !wanted.includes(entry)).map((entry) => values.lastIndexOf(entry))
  const added = [...new Set(wanted)].filter((entry) => !values.includes(entry))
  const before = ours.length > 0 && note !== undefined ? originOf(note) : originIn(found)
  const entries = [...ours.filter((entry) => wanted.includes(entry)), ...added]
  const next = entries.length === 0 ? undefined : { entries, ...before }
  if (stale.length === 0 && added.length === 0) return { text, note: next }
  const list = [...values.filter((_, i) => !stale.includes(i)), ...added]
  const back = list.length === 0 ? asBefore(found, before) : undefined
  const edited = back?.text ?? withEntries(found, new Set(stale), added)
  if (!readsAs(edited, expected(found, back === undefined ? list : back.list), text))
    return { fault: `its form is one that cannot be edited safely; put ${listKey} into it as one list` }
  return { text: edited, note: next }
}

/** How the list was before anything in it was ours. */
type Origin = Omit<MasqNote, 'entries'>

function originOf({ entries: _, ...origin }: MasqNote): Origin {
  return origin
}

function originIn({ pair, root, text, values }: Config): Origin {
  if (root === undefined) return { madeList: true, madeMap: endsInComment(text) ? '\n' : '' }
  if (pair === undefined) return { madeList: true }
  const nothing = values.length === 0 ? text.slice(...valueRange(text, pair)) : ''
  return nothing.trim() === '[]'
    ? { madeList: false }
    : { madeList: false, ...(values.length === 0 && { nothing }) }
}

function endsInComment(text: string): boolean {
  return text.slice(lineStart(text, text.length)).trim() !== ''
}

/** Its text without the list, and what that reads as; undefined where others have written, so that it is not as it was. */
function asBefore(found: Config, { madeList, madeMap, nothing }: Origin) {
  const { pair, root, text } = found
  if (madeList) {
    const isAlone = madeMap !== undefined && root?.items.length === 1
    return { text: isAlone ? withoutMap(text, root, madeMap) : withoutKey(found), list: undefined }
  }
  if (nothing === undefined || pair === undefined || !isFlow(pair.value)) return undefined
  return { text: splice(text, ...valueRange(text, pair), nothing), list: nothing.includes('[') ? [] : null }
}

interface Config {
  readonly text: string
  readonly value: Readonly<Record<string, unknown>>
  /** undefined: the text is empty. */
  readonly root: YAMLMap<unknown, unknown> | undefined
  /** The list and its key. */
  readonly pair: Pair<unknown, unknown> | undefined
  readonly values: readonly string[]
}

function readConfig(text: string): Config | string {
  const documents = parseAllDocuments(text, { uniqueKeys: false, logLevel: 'error' })
  const [document, ...others] = documents as readonly Document.Parsed[]
  if (document === undefined) return { text, value: {}, root: undefined, pair: undefined, values: [] }
  if (others.length > 0) return 'it has several documents'
  const [error] = document.errors
  if (error !== undefined) return `it is neither JSON nor YAML: ${firstLine(error.message)}`
  const { contents: root } = document
  if (root === null || (isScalar(root) && root.value === null))
    return { text, value: {}, root: undefined, pair: undefined, values: [] }
  if (!isMap(root)) return 'it is no map of settings'
  const pairs = root.items.filter(({ key }) => textOf(key).toLowerCase() === listKey.toLowerCase())
  const [pair, ...more] = pairs
  if (more.length > 0) return `it has ${listKey} ${pairs.length} times`
  const values = pair === undefined ? [] : valuesOf(pair.value)
  if (typeof values === 'string') return values
  const value = jsonOf(document)
  return typeof value === 'string' ? value : { text, value, root, pair, values }
}

function jsonOf(document: Document.Parsed): Readonly<Record<string, unknown>> | string {
  try {
    return document.toJS() as Readonly<Record<string, unknown>>
  } catch (error) {
    return `it cannot be read: ${firstLine((error as Error).message)}` // an alias that leads nowhere
  }
}

function valuesOf(list: unknown): readonly string[] | string {
  if (isNothing(list)) return []
  if (!isSeq(list)) return `its ${listKey} is no list`
  const values = list.items.map((item) => (isScalar(item) ? item.value : undefined))
  return values.every((value) => typeof value === 'string')
    ? values
    : `its ${listKey} has something in it that is no text`
}

function isNothing(node: unknown): boolean {
  return node === null || (isScalar(node) && node.value === null)
}

function textOf(key: unknown): string {
  return isScalar(key) ? String(key.value) : ''
}

function firstLine(message: string): string {
  return message.split('\n')[0]?.replace(/:$/, '') ?? ''
}

function expected({ pair, value }: Config, list: readonly string[] | null | undefined): object {
  const key = pair === undefined ? listKey : textOf(pair.key)
  const { [key]: _old, ...others } = value
  return list === undefined ? others : { ...others, [key]: list }
}

/** What was JSON stays JSON, unless all of it was ours. */
function readsAs(text: string, value: object, before: string): boolean {
  const read = readConfig(text)
  if (typeof read === 'string' || !isDeepStrictEqual({ ...read.value }, { ...value })) return false
  return isJson(text) || !isJson(before) || read.root === undefined
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

// ---- the text ---------------------------------------------------------------------------------

/** Where a node begins, and where its value ends. */
function rangeOf(node: unknown): readonly [start: number, end: number] {
  const [start, end] = (node as Scalar).range ?? [0, 0]
  return [start, end]
}

function splice(text: string, start: number, end: number, by: string): string {
  return text.slice(0, start) + by + text.slice(end)
}

function lineStart(text: string, at: number): number {
  return text.lastIndexOf('\n', at - 1) + 1
}

/** After its line break. */
function lineEnd(text: string, at: number): number {
  const end = text.indexOf('\n', at)
  return end === -1 ? text.length : end + 1
}

function flowList(entries: readonly string[]): string {
  return `[${entries.map((entry) => JSON.stringify(entry)).join(',')}]`
}

function withEntries(config: Config, stale: ReadonlySet<number>, added: readonly string[]): string {
  const { pair, root, text } = config
  if (root === undefined)
    return `${text}${endsInComment(text) ? '\n' : ''}{${JSON.stringify(listKey)}:${flowList(added)}}`
  if (pair === undefined)
    return root.flow === true ? withFlowPair(text, root, added) : withBlockPair(text, root, added)
  if (isNothing(pair.value)) return splice(text, ...valueRange(text, pair), ` ${flowList(added)}`)
  const list = pair.value as YAMLSeq
  return list.flow === true
    ? withFlowEntries(text, list, stale, added)
    : withBlockEntries(text, list, stale, added)
}

function withFlowPair(text: string, { items, range }: YAMLMap<unknown, unknown>, added: readonly string[]) {
  const [start = 0] = range ?? []
  const last = items.at(-1)
  if (last === undefined)
    return splice(text, start + 1, start + 1, `${JSON.stringify(listKey)}:${flowList(added)}`)
  const before = items.at(-2)
  const at = rangeOf(last.value)[1]
  const comma = before === undefined ? ',' : text.slice(rangeOf(before.value)[1], rangeOf(last.key)[0])
  const colon = text.slice(rangeOf(last.key)[1], rangeOf(last.value)[0])
  return splice(text, at, at, `${comma}${JSON.stringify(listKey)}${colon}${flowList(added)}`)
}

function withBlockPair(text: string, { items }: YAMLMap<unknown, unknown>, added: readonly string[]): string {
  const [first] = rangeOf(items[0]?.key)
  const line = `${text.slice(lineStart(text, first), first)}${listKey}: ${flowList(added)}`
  return text.endsWith('\n') ? `${text}${line}\n` : `${text}\n${line}`
}

/** Each entry that stays keeps what is before it, and the last what is after it. */
function withFlowEntries(text: string, list: YAMLSeq, stale: ReadonlySet<number>, added: readonly string[]) {
  const [start, end] = rangeOf(list)
  const ranges = list.items.map(rangeOf)
  const inner = [start + 1, end - 1] as const
  const between = (i: number) => text.slice(ranges[i - 1]?.[1] ?? inner[0], ranges[i]?.[0] ?? inner[1])
  const comma = ranges.length > 1 ? between(ranges.length - 1) : ','
  let entries = ''
  ranges.forEach(([from, to], i) => {
    if (!stale.has(i)) entries += (entries === '' ? '' : i === 0 ? comma : between(i)) + text.slice(from, to)
  })
  for (const entry of added) entries += (entries === '' ? '' : comma) + JSON.stringify(entry)
  const after = ranges.length === 0 ? '' : between(ranges.length)
  const closing = entries === '' ? after.replace(',', '') : after
  return splice(text, ...inner, ranges.length === 0 ? entries : between(0) + entries + closing)
}

function withBlockEntries(text: string, list: YAMLSeq, stale: ReadonlySet<number>, added: readonly string[]) {
  const ranges = list.items.map(rangeOf)
  const begin = lineStart(text, ranges[0]?.[0] ?? 0)
  const end = lineEnd(text, ranges.at(-1)?.[1] ?? 0)
  const dash = text.slice(begin, ranges[0]?.[0])
  let lines = ''
  ranges.forEach(([from, to], i) => {
    const next = lineStart(text, ranges[i + 1]?.[0] ?? end)
    const own = stale.has(i) ? lineEnd(text, to) : lineStart(text, from)
    lines += text.slice(own, Math.max(own, i + 1 < ranges.length ? next : end))
  })
  for (const entry of added) lines += `${lines === '' || lines.endsWith('\n') ? '' : '\n'}${dash}${entry}\n`
  if (lines.trim() === '') lines = `${lines}${dash.replace(/-.*$/s, '')} []\n`
  return splice(text, begin, end, text.slice(begin, end).endsWith('\n') ? lines : lines.replace(/\n$/, ''))
}

/** After the colon, up to where the value ends. */
function valueRange(
  text: string,
  { key, value }: Pair<unknown, unknown>,
): readonly [from: number, to: number] {
  const from = text.indexOf(':', rangeOf(key)[1]) + 1
  const [start, end] = value === null ? [from, from] : rangeOf(value)
  // What is not said at all may stand behind a comment.
  return [from, start === end ? from : Math.max(from, end)]
}

function isFlow(list: unknown): boolean {
  return isSeq(list) && list.flow === true
}

/** With what was put before it. */
function withoutMap(text: string, map: YAMLMap<unknown, unknown>, before: string): string {
  const [start, end] = rangeOf(map)
  return splice(text, text.slice(0, start).endsWith(before) ? start - before.length : start, end, '')
}

/** The list goes with its key. */
function withoutKey({ pair, root, text }: Config): string {
  if (pair === undefined || root === undefined) return text
  const [start] = rangeOf(pair.key)
  const [, end] = rangeOf(pair.value)
  if (root.flow !== true) {
    const after = lineEnd(text, end)
    const from = lineStart(text, start)
    // Of a text without a line break at its end, the one before it was ours.
    return splice(text, after === text.length && !text.endsWith('\n') ? from - 1 : from, after, '')
  }
  const at = root.items.indexOf(pair as (typeof root.items)[number])
  const [next, previous] = [root.items[at + 1], root.items[at - 1]]
  if (next !== undefined) return splice(text, start, rangeOf(next.key)[0], '')
  return splice(text, previous === undefined ? start : rangeOf(previous.value)[1], end, '')
}
