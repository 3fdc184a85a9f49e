// `tke-eni uninstall`: gives back what leaders have made in the cloud and nobody else would ever give back.
import { Command, Option } from 'commander'
import { IpamError } from '../internal/ipam/errors.ts'
import { leaderSettings } from './settings/leader-settings.ts'
import { addSettings, readSettings } from './settings-input.ts'
import { endsForeground, untilSignal } from './until-signal.ts'

interface Flags {
  readonly reclaim?: boolean
  readonly dryRun?: boolean
  readonly clusterGone?: boolean
  readonly output: 'table' | 'json'
}

export function define(): Command {
  const command = new Command()
    .option('--reclaim', 'release all EIPs that were made for pods of this cluster, for ever')
    .option('--dry-run', 'only list them, and what would become of each')
    .option('--cluster-gone', 'there is no API server any more: do not ask it whether somebody leads')
    .addOption(
      new Option('-o, --output <form>', 'form of the output').choices(['table', 'json']).default('table'),
    )
  return addSettings(command, leaderSettings)
    .addHelpText('after', help)
    .action(async (options: Parameters<typeof readSettings>[1] & Flags) => {
      const { clusterGone = false, dryRun = false, output, reclaim = false, ...flags } = options
      if (!reclaim)
        throw new IpamError('bad_input', 'Cannot uninstall without --reclaim: that is all it does so far', {
          hint: 'tke-eni uninstall --reclaim --dry-run lists what would be released',
        })
      const settings = await readSettings(leaderSettings, flags)
      const { runReclaim } = await import('./uninstall/reclaim.ts')
      const request = { dryRun, clusterGone, output }
      await untilSignal((signal) => runReclaim(settings, request, signal), endsForeground)
    })
}

export function preload(): Promise<unknown> {
  return import('./uninstall/reclaim.ts')
}

const help = `
It takes the settings of the leader; give it the leader's file. All leaders of the cluster must be stopped: one that runs would make the
EIPs of its pods anew. Pods that still run lose their public addresses. Only EIPs whose tags say that a leader of this cluster has made
them for a pod are released; what users have made is not even unbound, and what cannot be told stays and is listed.

Ends with 1 when one could not be released. It may be run again.

Examples:
  tke-eni uninstall --reclaim --dry-run --config /etc/tke-eni/leader.yaml
  tke-eni uninstall --reclaim --config /etc/tke-eni/leader.yaml
  tke-eni uninstall --reclaim --config /etc/tke-eni/leader.yaml --cluster-gone -o json`
