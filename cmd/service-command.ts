// A subcommand that serves until a signal ends it: settings are read and checked first, then what it runs begins.
import { Command } from 'commander'
import type { Settings, SettingsOf, SettingTable } from '../internal/wire/settings.ts'
import type { Host } from './host.ts'
import { prepareSqlite } from './native.ts'
import { addSettings, readSettings } from './settings-input.ts'
import { untilSignal } from './until-signal.ts'

export interface ServiceParts<Table extends SettingTable> {
  readonly settings: SettingsOf<Table>
  readonly help: string
  /** Runs until `signal` aborts; rejects when it cannot start or cannot go on. */
  run(settings: Settings<Table>, signal: AbortSignal): Promise<void>
}

/** The command; wrong settings are `bad_input` before anything is done. */
export function serviceCommand<Table extends SettingTable>(host: Host, parts: ServiceParts<Table>): Command {
  return addSettings(new Command(), parts.settings)
    .addHelpText('after', parts.help)
    .action(async (options) => {
      const settings = await readSettings(parts.settings, options)
      prepareSqlite(host)
      await untilSignal((signal) => parts.run(settings, signal))
    })
}
