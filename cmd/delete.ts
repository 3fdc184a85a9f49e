// `tke-eni delete vipc`: gives the address of a claim back, without Kubernetes.
import { Argument, Command, Option } from 'commander'
import { IpamError } from '../internal/ipam/errors.ts'
import type { Millis } from '../internal/value/millis.ts'
import { duration } from '../internal/wire/setting-kind.ts'
import { parseClaimName } from './claims/claim-name.ts'
import type { Host } from './host.ts'
import { untilSignal } from './until-signal.ts'

interface Flags {
  readonly namespace: string
  readonly force: boolean
  readonly dryRun: boolean
  readonly wait: boolean
  readonly timeout?: Millis
  readonly stateDir: string
}

export function define(_host: Host): Command {
  return new Command()
    .addArgument(new Argument('<resource>', 'what to delete').choices(['vipc']).argParser(resourceOf))
    .argument('<names...>', 'of claims, which are those of their pods; also namespace/name')
    .option('-n, --namespace <name>', 'of names without one', 'default')
    .option('--force', 'also when the pod is there: it loses its network', false)
    .option('--dry-run', 'only say what would happen', false)
    .option('--no-wait', 'do not wait until the address is given back')
    .addOption(
      new Option('--timeout <duration>', 'wait so long for each claim at most (default: for ever)').argParser(
        durationOf,
      ),
    )
    .addOption(
      new Option('--state-dir <directory>', "the leader's, on whose machine this runs")
        .env('TKE_ENI_STATE_DIR')
        .default('/var/lib/tke-eni'),
    )
    .addHelpText('after', help)
    .action(async (_resource: string, names: string[], flags: Flags) => {
      const { deleteClaims } = await import('./claims/delete-claims.ts')
      const { claimsSocket } = await import('./claims/place.ts')
      const request = {
        socketPath: claimsSocket(flags.stateDir),
        names: names.map((name) => parseClaimName(name, flags.namespace)),
        force: flags.force,
        dryRun: flags.dryRun,
        wait: flags.wait,
        timeout: flags.timeout,
      }
      const telling = {
        say: (line: string) => void process.stdout.write(`${line}\n`),
        warn: (line: string) => void process.stderr.write(`${line}\n`),
      }
      await untilSignal((signal) => deleteClaims(request, telling, signal))
    })
}

export function preload(): Promise<unknown> {
  return import('./claims/delete-claims.ts')
}

/** Throws `bad_input`. */
function resourceOf(word: string): string {
  if (['vipc', 'vipcs', 'vpcipclaim', 'vpcipclaims', 'claim', 'claims'].includes(word.toLowerCase()))
    return 'vipc'
  const isAddress = ['vip', 'vips', 'vpcip', 'vpcips'].includes(word.toLowerCase())
  throw new IpamError('bad_input', `Cannot delete "${word}": only claims can be deleted`, {
    hint: isAddress
      ? 'an address goes with its claim: tke-eni get vip names its pod, tke-eni delete vipc <namespace>/<pod> gives it back'
      : 'tke-eni delete vipc <pod>',
  })
}

const waits = duration('1s', '365d')

/** Throws `bad_input`. */
function durationOf(text: string): Millis {
  const found = waits.parse(text)
  if (found !== undefined) return found
  throw new IpamError('bad_input', `Cannot wait for "${text}": wanted is ${waits.wants}`)
}

const help = `
It asks the leader that runs on this machine. A claim whose pod is there is refused, as by kubectl delete vipc.
While it waits it says why, for one that the cloud refuses to release the address.

Examples:
  tke-eni delete vipc web-0 -n default
  tke-eni delete vipc default/web-0 default/web-1 --dry-run
  tke-eni delete vipc web-1 --timeout 2m
  tke-eni delete vipc web-0 --force`
