// Settings of a subcommand as options of its command line, and their values from flags, environment and file.
import { readFileSync } from 'node:fs'
import { type Command, Option } from 'commander'
import { IpamError } from '../internal/ipam/errors.ts'
import {
  type AnySettings,
  type GivenSettings,
  resolveSettings,
  type Setting,
  type Settings,
  type SettingsOf,
  type SettingTable,
  settingName,
  settingVariable,
} from '../internal/wire/settings.ts'

type Flags = GivenSettings['flags']

/** Gives `command` an option for every setting, and `--config`. */
export function addSettings(command: Command, { table }: AnySettings): Command {
  command.addOption(
    new Option('--config <path>', 'a YAML file of these settings; flags and environment override it').env(
      'TKE_ENI_CONFIG',
    ),
  )
  for (const [key, entry] of Object.entries(table)) command.addOption(toOption(key, entry))
  return command
}

/** The settings of a command made with `addSettings`. Throws `bad_input`. */
export async function readSettings<Table extends SettingTable>(
  settings: SettingsOf<Table>,
  options: Flags,
  env: NodeJS.ProcessEnv = process.env,
  doing?: string,
): Promise<Settings<Table>> {
  const { config, ...flags } = options
  const file = typeof config === 'string' ? await readFile(config) : undefined
  return resolveSettings(settings, { flags, env, file }, doing)
}

function toOption(key: string, entry: Setting<unknown>): Option {
  const { kind, help, required, defaultText } = entry
  const placeholder = kind.bare ? `[${kind.placeholder}]` : `<${kind.placeholder}>`
  const facts = required ? 'required' : defaultText === undefined ? '' : `default: ${defaultText}`
  const origin = `env: ${settingVariable(key)}`
  const description = `${help} (${[facts, origin].filter((part) => part !== '').join(', ')})`
  const option = new Option(`--${settingName(key)} ${placeholder}`, description)
  if (kind.bare) option.preset('true')
  // a list may be given in several flags as well
  if (kind.many) {
    option.argParser((value: string, before: readonly string[] | undefined) => [...(before ?? []), value])
  }
  return option
}

async function readFile(path: string): Promise<GivenSettings['file']> {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    throw new IpamError('bad_input', `Cannot read settings file "${path}": ${(cause as Error).message}`, {
      cause,
    })
  }
  const { parseSettingsFile } = await import('../internal/wire/settings-file.ts')
  return { path, values: parseSettingsFile(text, path) }
}
