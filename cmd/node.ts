// `tke-eni node`: its settings and help; what it runs is handed in by commands.ts.
import type { CommandModule } from './command-module.ts'
import { type RunParts, serviceCommand } from './service-command.ts'
import { type NodeSettings, nodeSettings } from './settings/node-settings.ts'

export interface NodeWiring {
  /** Runs until `signal` aborts; rejects when it cannot start or cannot go on. */
  runNode(settings: NodeSettings, signal: AbortSignal, more: RunParts<NodeSettings>): Promise<void>
}

/** The command; `load` brings the wiring once the settings are known to be good. */
export function nodeCommand(load: () => Promise<NodeWiring>): CommandModule {
  const run = async (settings: NodeSettings, signal: AbortSignal, more: RunParts<NodeSettings>) =>
    (await load()).runNode(settings, signal, more)
  return {
    preload: load,
    define: (host) => serviceCommand(host, { settings: nodeSettings, help, run }),
  }
}

const help = `
Flags override the environment, which overrides the file given with --config. A wrong setting ends it with code 2
before anything is done. SIGTERM ends it cleanly; the pods of this node keep their network. SIGHUP reads
the file again: enable-quick-release, release-interval, cooldown and report-interval change at once.

Examples:
  tke-eni node --install-cni
  tke-eni node --config /etc/tke-eni/node.yaml

node.yaml:
  install-cni: true
  enable-quick-release: true`
