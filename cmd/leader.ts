// `tke-eni leader`: settings and signals; what runs between them is handed in by commands.ts.
import { Command } from 'commander'
import type { CommandModule } from './command-module.ts'
import { prepareSqlite } from './native.ts'
import { type LeaderSettings, leaderSettings } from './settings/leader-settings.ts'
import { addSettings, readSettings } from './settings-input.ts'
import { untilSignal } from './until-signal.ts'

export interface LeaderWiring {
  /** Runs until `signal` aborts; rejects when it cannot start or cannot go on. */
  runLeader(settings: LeaderSettings, signal: AbortSignal): Promise<void>
}

/** The command; `load` brings the wiring once the settings are known to be good. */
export function leaderCommand(load: () => Promise<LeaderWiring>): CommandModule {
  return {
    preload: load,
    define: (host) =>
      addSettings(new Command(), leaderSettings)
        .addHelpText('after', help)
        .action(async (options) => {
          const settings = await readSettings(leaderSettings, options)
          prepareSqlite(host)
          const { runLeader } = await load()
          await untilSignal((signal) => runLeader(settings, signal))
        }),
  }
}

const help = `
Flags override the environment, which overrides the file given with --config. A wrong setting ends it with code 2
before anything is done. SIGTERM ends it cleanly.

Examples:
  tke-eni leader --cluster-id cls-1a2b3c4d --region ap-guangzhou --subnets subnet-a,subnet-b
  tke-eni leader --config /etc/tke-eni/leader.yaml

leader.yaml:
  cluster-id: cls-1a2b3c4d
  region: ap-guangzhou
  subnets: [subnet-a, subnet-b]
  ip-min-warm-target: 5`
