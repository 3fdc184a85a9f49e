// Settings come from flags, then the environment, then a YAML file, then defaults. One table says what there is; flags,
// help, variables, the file's schema and the documentation follow from it.
import { editDistance, nearest } from '../base/nearest.ts'
import { IpamError } from '../ipam/errors.ts'
import { type JsonObject, quoteJson } from './json.ts'
import type { Kind } from './setting-kind.ts'

export interface Setting<T> {
  readonly kind: Kind<NonNullable<T>>
  readonly help: string
  readonly required: boolean
  /** Text of the default, as people would write it; undefined when there is none. */
  readonly defaultText: string | undefined
  readonly fallback: () => T | undefined
}

// biome-ignore lint/suspicious/noExplicitAny: a table has settings of every type
export type SettingTable = Readonly<Record<string, Setting<any>>>
export type Settings<Table extends SettingTable> = {
  readonly [Key in keyof Table]: Table[Key] extends Setting<infer T> ? T : never
}

/** A value that is right by itself but not beside the others: `found` reads "above ip-max-warm-target 3". */
export interface Objection<Table extends SettingTable> {
  readonly setting: keyof Table & string
  readonly found: string
}

export interface SettingsOf<Table extends SettingTable> {
  /** The subcommand they belong to. */
  readonly mode: string
  readonly table: Table
  readonly check: (values: Settings<Table>) => Iterable<Objection<Table>>
}

/** Settings of any mode, for what only lists them. */
export type AnySettings = Pick<SettingsOf<SettingTable>, 'mode' | 'table'>

/** What was given, before it is read. */
export interface GivenSettings {
  /** By key of the table ("ipMinWarmTarget"). */
  readonly flags: Readonly<Record<string, string | boolean | readonly string[] | undefined>>
  readonly env: Readonly<Record<string, string | undefined>>
  /** By name ("ip-min-warm-target"). */
  readonly file: { readonly path: string; readonly values: JsonObject } | undefined
}

/** A setting that has a default, written as people would write it. */
export function setting<T>(kind: Kind<T & {}>, defaultText: string, help: string): Setting<T> {
  return { kind, help, required: false, defaultText, fallback: () => kind.parse(defaultText) }
}

/** A setting whose default is found at start; `says` describes it. */
export function computed<T>(
  kind: Kind<T & {}>,
  fallback: () => T & {},
  says: string,
  help: string,
): Setting<T> {
  return { kind, help, required: false, defaultText: says, fallback }
}

export function required<T>(kind: Kind<T & {}>, help: string): Setting<T> {
  return { kind, help, required: true, defaultText: undefined, fallback: () => undefined }
}

export function optional<T>(kind: Kind<T & {}>, help: string): Setting<T | undefined> {
  return {
    kind: kind as Kind<NonNullable<T | undefined>>,
    help,
    required: false,
    defaultText: undefined,
    fallback: () => undefined,
  }
}

/** "ipMinWarmTarget" is "ip-min-warm-target" in flags and files … */
export function settingName(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

/** … and TKE_ENI_IP_MIN_WARM_TARGET in the environment. */
export function settingVariable(key: string): string {
  return `TKE_ENI_${settingName(key).replaceAll('-', '_').toUpperCase()}`
}

/** Who sees so many faults has taken the wrong file. */
const maxFaults = 20

/** Every setting's value, for `doing` ("start leader"). Throws `bad_input` naming every fault, where it came from and what is wanted. */
export function resolveSettings<Table extends SettingTable>(
  settings: SettingsOf<Table>,
  given: GivenSettings,
  doing = `start ${settings.mode}`,
): Settings<Table> {
  const { mode, table } = settings
  const faults = [...unknownKeys(table, given)]
  const values: Record<string, unknown> = {}
  const origins = new Map<string, Origin>()
  for (const [key, entry] of Object.entries(table)) {
    const origin = findOrigin(key, given)
    if (origin === undefined) {
      values[key] = entry.fallback()
      if (entry.required) faults.push(missing(key, entry, given))
      continue
    }
    origins.set(key, origin)
    values[key] = origin.text === undefined ? undefined : entry.kind.parse(origin.text)
    if (values[key] === undefined) faults.push(`${describe(key, origin)}, wanted is ${entry.kind.wants}`)
  }
  if (faults.length === 0) {
    for (const { setting: key, found } of settings.check(values as Settings<Table>)) {
      const origin = origins.get(key) ?? {
        shown: table[key]?.defaultText ?? '',
        text: '',
        where: 'its default',
      }
      faults.push(`${describe(key, origin)}, ${found}`)
    }
  }
  if (faults.length > 0) {
    const more = faults.length > maxFaults ? `; and ${faults.length - maxFaults} more` : ''
    const shown = faults.slice(0, maxFaults).join('; ')
    throw new IpamError('bad_input', `Cannot ${doing}: ${shown}${more}`, {
      hint: `see "tke-eni ${mode} --help"`,
    })
  }
  return values as Settings<Table>
}

interface Origin {
  /** What was written, as a text of its kind; undefined when it cannot be one (a YAML object). */
  readonly text: string | undefined
  readonly shown: string
  readonly where: string
}

function findOrigin(key: string, given: GivenSettings): Origin | undefined {
  const name = settingName(key)
  const flag = given.flags[key]
  if (flag !== undefined) return origin(flag, `from --${name}`)
  const variable = settingVariable(key)
  if (given.env[variable]) return origin(given.env[variable], `from environment ${variable}`)
  const written = given.file?.values[name]
  if (written !== undefined && written !== null) return origin(written, `from ${given.file?.path ?? ''}`)
  return undefined
}

function origin(value: unknown, where: string): Origin {
  const scalar = (item: unknown) =>
    typeof item === 'string' || typeof item === 'number' || typeof item === 'boolean'
  if (scalar(value)) return { text: String(value), shown: String(value), where }
  if (Array.isArray(value) && value.length > 0 && value.every(scalar)) {
    return { text: value.join(','), shown: value.join(','), where }
  }
  return { text: undefined, shown: quoteJson(value), where }
}

function describe(key: string, { shown, where }: Origin): string {
  return `setting "${settingName(key)}" is "${cut(shown)}" (${where})`
}

function cut(text: string): string {
  return text.length > 100 ? `${text.slice(0, 97)}...` : text
}

function missing(key: string, { kind }: Setting<unknown>, given: GivenSettings): string {
  const file = given.file === undefined ? 'a file given with --config' : given.file.path
  return `setting "${settingName(key)}" is missing: give ${kind.wants} with --${settingName(key)}, ${settingVariable(key)} or in ${file}`
}

function* unknownKeys(table: SettingTable, given: GivenSettings): Generator<string> {
  const names = Object.keys(table).map(settingName)
  const unknown = Object.keys(given.file?.values ?? {}).filter((name) => !names.includes(name))
  for (const [i, name] of unknown.entries()) {
    if (i >= maxFaults)
      yield name // only counted
    else yield `"${cut(name)}" in ${given.file?.path} is not a setting${meant(name, names)}`
  }
  // Kubernetes itself sets variables such as TKE_ENI_SERVICE_HOST in pods: only near misses are faults.
  const variables = Object.keys(table).map(settingVariable)
  for (const variable of Object.keys(given.env)) {
    if (!variable.startsWith('TKE_ENI_') || variables.includes(variable)) continue
    const near = variables.find((known) => editDistance(variable, known) <= 2)
    if (near !== undefined) yield `environment ${cut(variable)} is not a setting, did you mean ${near}?`
  }
}

function meant(name: string, known: readonly string[]): string {
  const near = name.length > 50 ? undefined : nearest(name, known)
  return near === undefined ? '' : `, did you mean "${near}"?`
}

/** JSON Schema of the YAML file. */
export function settingsSchema({ mode, table }: AnySettings): JsonObject {
  const property = ({ kind, help, defaultText }: Setting<unknown>) => ({
    ...kind.schema,
    description: help,
    ...(defaultText === undefined ? {} : { $comment: `default: ${defaultText}` }),
  })
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: `Settings of tke-eni ${mode}`,
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(
      Object.entries(table).map(([key, entry]) => [settingName(key), property(entry)]),
    ),
  }
}

/** The settings as a Markdown table. */
export function settingsMarkdown({ table }: AnySettings): string {
  const rows = Object.entries(table).map(([key, { kind, help, required: needed, defaultText }]) => {
    const fallback = needed ? '**required**' : defaultText === undefined ? '' : `\`${defaultText}\``
    const cells = [`\`${settingName(key)}\``, fallback, `${help} Takes ${kind.wants}.`]
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  })
  return ['| setting | default | meaning |', '|---|---|---|', ...rows, ''].join('\n')
}
