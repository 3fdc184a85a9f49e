// A subcommand that serves until a signal ends it: settings are read and checked first, then what it runs begins.
import { Command, Option } from 'commander'
import type { Settings, SettingsOf, SettingTable } from '../internal/wire/settings.ts'
import type { Host } from './host.ts'
import { prepareSqlite } from './native.ts'
import { addSettings, readSettings } from './settings-input.ts'
import { untilSignal } from './until-signal.ts'

export interface ServiceParts<Table extends SettingTable> {
  readonly settings: SettingsOf<Table>
  readonly help: string
  /** What is asked of this one run, and never of a service: "--name". */
  readonly once?: { readonly flag: string; readonly description: string }
  /** Runs until `signal` aborts; rejects when it cannot start or cannot go on. `once`: was it asked for? */
  run(settings: Settings<Table>, signal: AbortSignal, once: boolean): Promise<void>
}

/** The command; wrong settings are `bad_input` before anything is done. */
export function serviceCommand<Table extends SettingTable>(host: Host, parts: ServiceParts<Table>): Command {
  const { once } = parts
  const command = addSettings(new Command(), parts.settings)
  const option = once && new Option(once.flag, once.description)
  if (option !== undefined) command.addOption(option)
  return command.addHelpText('after', parts.help).action(async (options) => {
    const settings = await readSettings(parts.settings, options)
    const asked = option !== undefined && options[option.attributeName()] === true
    prepareSqlite(host)
    await untilSignal((signal) => parts.run(settings, signal, asked))
  })
}
