// A subcommand that serves until a signal ends it: settings are read and checked first, then what it runs begins.
import { Command, Option } from 'commander'
import type { Settings, SettingsOf, SettingTable } from '../internal/wire/settings.ts'
import { type Hangups, holdHangups } from './hangups.ts'
import type { Host } from './host.ts'
import { prepareSqlite } from './native.ts'
import { addSettings, readSettings } from './settings-input.ts'
import { endsForeground, endsService, untilSignal } from './until-signal.ts'

export interface RunParts<T> {
  /** Was it asked for what is asked once? */
  readonly once: boolean
  /** The settings as they are now in the file; flags and environment are those of the start. Throws `bad_input`. */
  readonly reread: () => Promise<T>
  readonly hangups: Hangups
}

export interface ServiceParts<Table extends SettingTable> {
  readonly settings: SettingsOf<Table>
  readonly help: string
  /** What is asked of this one run, and never of a service: "--name". */
  readonly once?: { readonly flag: string; readonly description: string }
  /** A person runs it: it ends with the terminal, and reads nothing again. */
  readonly foreground?: boolean
  /** Runs until `signal` aborts; rejects when it cannot start or cannot go on. */
  run(settings: Settings<Table>, signal: AbortSignal, more: RunParts<Settings<Table>>): Promise<void>
}

/** The command; wrong settings are `bad_input` before anything is done. */
export function serviceCommand<Table extends SettingTable>(host: Host, parts: ServiceParts<Table>): Command {
  const { once } = parts
  const command = addSettings(new Command(), parts.settings)
  const option = once && new Option(once.flag, once.description)
  if (option !== undefined) command.addOption(option)
  return command.addHelpText('after', parts.help).action(async (options) => {
    const hangups = holdHangups()
    const { mode } = parts.settings
    const settings = await readSettings(parts.settings, options)
    const again = `read the settings of ${mode} again`
    const reread = () => readSettings(parts.settings, options, process.env, again)
    const asked = option !== undefined && options[option.attributeName()] === true
    prepareSqlite(host)
    const ends = parts.foreground ? endsForeground : endsService
    try {
      await untilSignal((signal) => parts.run(settings, signal, { once: asked, reread, hangups }), ends)
    } finally {
      hangups.release()
    }
  })
}
