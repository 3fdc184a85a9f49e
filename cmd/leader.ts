// `tke-eni leader`: its settings and help; what it runs is handed in by commands.ts.
import type { CommandModule } from './command-module.ts'
import { type RunParts, serviceCommand } from './service-command.ts'
import { type LeaderSettings, leaderSettings } from './settings/leader-settings.ts'

export interface LeaderProcess {
  /** Runs until `signal` aborts; rejects when it cannot start or cannot go on. */
  runLeader(settings: LeaderSettings, signal: AbortSignal, more: RunParts<LeaderSettings>): Promise<void>
}

/** The command; `load` brings the rest once the settings are known to be good. */
export function leaderCommand(load: () => Promise<LeaderProcess>): CommandModule {
  const run = async (settings: LeaderSettings, signal: AbortSignal, more: RunParts<LeaderSettings>) =>
    (await load()).runLeader(settings, signal, more)
  return {
    preload: load,
    define: (host) => serviceCommand(host, { settings: leaderSettings, once: recover, help, run }),
  }
}

const recover = {
  flag: '--recover',
  description:
    'begin with a new leader.db, made from the cloud, Kubernetes and the NECs; one that is there is moved aside',
}

const help = `
Flags override the environment, which overrides the file given with --config. A wrong setting ends it with code 2
before anything is done. SIGTERM ends it cleanly. SIGHUP reads the file again: defaults for nodes that come later, enable-direct-eni,
enable-static-ip, claim-expired-duration, enable-ownerref, max-eni-per-node, manage-taint, manage-masq-config, create-masq-config and
intervals change at once; a wrong file changes nothing.

Examples:
  tke-eni leader --cluster-id cls-1a2b3c4d --region ap-guangzhou --subnets subnet-a,subnet-b
  tke-eni leader --config /etc/tke-eni/leader.yaml
  tke-eni leader --config /etc/tke-eni/leader.yaml --recover

leader.yaml:
  cluster-id: cls-1a2b3c4d
  region: ap-guangzhou
  subnets: [subnet-a, subnet-b]
  ip-min-warm-target: 5`
