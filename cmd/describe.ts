// `tke-eni describe vip|vipc|eipc`: all that a database knows of one address or claim, with what happened to it.
import { resolve } from 'node:path'
import { Argument, Command, Option } from 'commander'
import { type Described, describable } from './get/resources.ts'
import type { Host } from './host.ts'
import { prepareSqlite } from './native.ts'

interface Flags {
  readonly namespace?: string
  readonly stateDir: string
  readonly db?: string
}

export function define(host: Host): Command {
  return new Command()
    .addArgument(new Argument('<resource>', 'what to describe').choices(describable))
    .argument('<names...>', 'addresses, or namespace/name of pods')
    .option('-n, --namespace <name>', 'of claims')
    .addOption(
      new Option('--state-dir <directory>', "the daemon's, with leader.db or node.db")
        .env('TKE_ENI_STATE_DIR')
        .default('/var/lib/tke-eni'),
    )
    .option('--db <file>', 'the database itself, or a copy of one')
    .addHelpText('after', help)
    .action(async (resource: Described, names: string[], { namespace, stateDir, db }: Flags) => {
      prepareSqlite(host)
      const { describe } = await import('./get/describe.ts')
      const request = {
        names,
        namespace,
        stateDir: resolve(stateDir),
        db: db === undefined ? undefined : resolve(db),
      }
      process.stdout.write(describe(resource, request))
    })
}

export function preload(): Promise<unknown> {
  return import('./get/describe.ts')
}

const help = `
Examples:
  tke-eni describe vip 10.0.1.5
  tke-eni describe vipc default/web-0
  tke-eni describe eipc default/web-0
  tke-eni describe vip 10.0.1.5 --db ./leader.db`
