// `tke-eni node`: settings and signals; what runs between them is handed in by commands.ts.
import { Command } from 'commander'
import type { CommandModule } from './command-module.ts'
import { prepareSqlite } from './native.ts'
import { type NodeSettings, nodeSettings } from './settings/node-settings.ts'
import { addSettings, readSettings } from './settings-input.ts'
import { untilSignal } from './until-signal.ts'

export interface NodeWiring {
  /** Runs until `signal` aborts; rejects when it cannot start or cannot go on. */
  runNode(settings: NodeSettings, signal: AbortSignal): Promise<void>
}

/** The command; `load` brings the wiring once the settings are known to be good. */
export function nodeCommand(load: () => Promise<NodeWiring>): CommandModule {
  return {
    preload: load,
    define: (host) =>
      addSettings(new Command(), nodeSettings)
        .addHelpText('after', help)
        .action(async (options) => {
          const settings = await readSettings(nodeSettings, options)
          prepareSqlite(host)
          const { runNode } = await load()
          await untilSignal((signal) => runNode(settings, signal))
        }),
  }
}

const help = `
Flags override the environment, which overrides the file given with --config. A wrong setting ends it with code 2
before anything is done. SIGTERM ends it cleanly; the pods of this node keep their network.

Examples:
  tke-eni node --install-cni
  tke-eni node --config /etc/tke-eni/node.yaml

node.yaml:
  install-cni: true
  enable-quick-release: true`
