// `tke-eni plan`: what changed settings would bind, free and call, before anybody applies them. Reads the leader's database; changes nothing.
import { resolve } from 'node:path'
import { Command, Option } from 'commander'
import type { Host } from './host.ts'
import { prepareSqlite } from './native.ts'
import type { PlanRequest } from './plan/run.ts'

export function define(host: Host): Command {
  return new Command()
    .argument('<settings...>', 'annotations of the NEC, as name=value, or name- for its removal')
    .option('--node <names...>', 'only for these nodes; without it for all')
    .option('--quick-release', 'the node agents run with --enable-quick-release')
    .addOption(
      new Option('-o, --output <form>', 'form of the output')
        .choices(['table', 'wide', 'json'])
        .default('table'),
    )
    .addOption(
      new Option('--state-dir <directory>', "the leader's, with leader.db")
        .env('TKE_ENI_STATE_DIR')
        .default('/var/lib/tke-eni'),
    )
    .option('--db <file>', 'the database itself, or a copy of it')
    .addHelpText('after', help)
    .action(async (settings: string[], options: Options) => {
      prepareSqlite(host)
      const { runPlan } = await import('./plan/run.ts')
      runPlan(requestOf(settings, options))
    })
}

interface Options {
  readonly node?: string[]
  readonly quickRelease?: boolean
  readonly output: PlanRequest['output']
  readonly stateDir: string
  readonly db?: string
}

function requestOf(settings: readonly string[], options: Options): PlanRequest {
  const { db, node, output, quickRelease = false, stateDir } = options
  return {
    settings,
    nodes: node,
    quickRelease,
    output,
    db: resolve(db ?? `${stateDir}/leader.db`),
  }
}

const help = `
The settings are those of the documents, with or without "tke.cloud.tencent.com/" in front:
  route-eni-ip-min-warm-target, route-eni-ip-max-warm-target   idle addresses on shared ENIs, both together
  direct-eni-min-warm-target, direct-eni-max-warm-target       idle exclusive ENIs, both together
  route-eni-max-attach, max-ip-per-route-eni                   most shared ENIs, most addresses on each
  direct-eni-max-attach                                        most exclusive ENIs

What the leader's own --ip-min-warm-target and the like would change is nothing here: they are for nodes that are added later.
The plan takes pods and addresses as they are in the database, subnets for endless, and every call for granted. Pods that wait for an
address are not in the database: where there may be some, it says that it assumes none. A node that would refuse the settings says
why, and the exit code is 1.

Examples:
  tke-eni plan route-eni-ip-min-warm-target=1 route-eni-ip-max-warm-target=3 --node node-1
  tke-eni plan max-ip-per-route-eni=9 -o wide`
