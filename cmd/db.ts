// `tke-eni db`: is a database sound, a copy of it, a copy in its place, or a new one. For leader.db and node.db alike.
import { resolve } from 'node:path'
import { Command, Option } from 'commander'
import { IpamError } from '../internal/ipam/errors.ts'
import type { Host } from './host.ts'
import { prepareSqlite } from './native.ts'

interface Options {
  readonly stateDir: string
  readonly db?: string
  readonly output?: 'table' | 'json'
}

export function define(host: Host): Command {
  const command = new Command().addHelpText('after', help)
  place(command.command('check'))
    .description('Tell whether databases are sound, whether or not their daemons run.')
    .addOption(
      new Option('-o, --output <form>', 'form of the output').choices(['table', 'json']).default('table'),
    )
    .action(async (options: Options) => {
      prepareSqlite(host)
      const { checkDatabases } = await import('./db/check.ts')
      checkDatabases(placeOf(options), options.output ?? 'table')
    })
  place(command.command('backup'))
    .description('Copy a database to a file that is not there yet, while its daemon runs.')
    .argument('<file>', 'the copy', fileOf)
    .action(async (file: string, options: Options) => {
      prepareSqlite(host)
      const { backUpDatabase } = await import('./db/backup.ts')
      backUpDatabase(placeOf(options), file)
    })
  place(command.command('restore'))
    .description('Put a backup in the place of the database, which is moved aside; its daemon must not run.')
    .argument('<file>', 'the backup: of a leader or of a node agent, the file knows', fileOf)
    .action(async (file: string, options: Options) => {
      prepareSqlite(host)
      const { restoreDatabase } = await import('./db/restore.ts')
      restoreDatabase(placeOf(options), file)
    })
  place(command.command('rebuild'))
    .description(
      'Move a lost cause aside: its daemon, which must not run, makes a new one from what there is.',
    )
    .action(async (options: Options) => {
      prepareSqlite(host)
      const { rebuildDatabase } = await import('./db/rebuild.ts')
      rebuildDatabase(placeOf(options))
    })
  return command
}

/** For `warm` in cli.ts. */
export function preload(): Promise<unknown> {
  return Promise.all([
    import('./db/check.ts'),
    import('./db/backup.ts'),
    import('./db/restore.ts'),
    import('./db/rebuild.ts'),
  ])
}

function place(command: Command): Command {
  return command
    .addOption(
      new Option('--state-dir <directory>', "the daemon's, with leader.db or node.db")
        .env('TKE_ENI_STATE_DIR')
        .default('/var/lib/tke-eni'),
    )
    .option('--db <file>', 'the database itself', fileOf)
    .exitOverride()
}

function placeOf({ db, stateDir }: Options): { readonly db: string | undefined; readonly stateDir: string } {
  return { db, stateDir: resolve(stateDir) }
}

/** An empty name, of a variable that was not set most likely, would be the directory that we are in. */
function fileOf(name: string): string {
  if (name !== '') return resolve(name)
  throw new IpamError('bad_input', 'Cannot use "" as a file: the name is empty')
}

const help = `
Without --db it is the database of the state directory; where a leader and a node agent share one, "check" looks at both, and
the others want to know which. "check" ends with 1 when something is wrong.

A restored database is behind the world. The leader reads its ENIs and addresses anew from the cloud, Kubernetes and the NECs before
it serves; a node agent compares its database with the kernel. A database that is not there is made anew in the same way, with pods
running: that is what "rebuild" is for.

Examples:
  tke-eni db check
  tke-eni db check --db /var/lib/tke-eni/node.db -o json
  tke-eni db backup --db /var/lib/tke-eni/leader.db /backup/leader-monday.db
  systemctl stop tke-eni-leader && tke-eni db restore /backup/leader-monday.db
  systemctl stop tke-eni-node && tke-eni db rebuild --db /var/lib/tke-eni/node.db`
