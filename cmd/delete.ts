// `tke-eni delete vipc|eipc`: gives back what a claim has, an address or an EIP, without Kubernetes.
import { Argument, Command, Option } from 'commander'
import { IpamError } from '../internal/ipam/errors.ts'
import type { Millis } from '../internal/value/millis.ts'
import { duration } from '../internal/wire/setting-kind.ts'
import { claimWords, parseClaimName } from './claims/claim-name.ts'
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
    .addArgument(new Argument('<resource>', 'what to delete').choices(['vipc', 'eipc']).argParser(resourceOf))
    .argument('<names...>', 'of claims, which are those of their pods; also namespace/name')
    .option('-n, --namespace <name>', 'of names without one', 'default')
    .option('--force', 'also when the pod is there: it loses its network, or its EIP', false)
    .option('--dry-run', 'only say what would happen', false)
    .option('--no-wait', 'do not wait until the address or EIP is given back')
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
    .action(async (resource: keyof typeof claimWords, names: string[], flags: Flags) => {
      const { deleteClaims } = await import('./claims/delete-claims.ts')
      const { claimsSocket } = await import('./claims/place.ts')
      const request = {
        resource: claimWords[resource],
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
  const lower = word.toLowerCase()
  if (['vipc', 'vipcs', 'vpcipclaim', 'vpcipclaims', 'claim', 'claims'].includes(lower)) return 'vipc'
  if (['eipc', 'eipcs', 'eipclaim', 'eipclaims'].includes(lower)) return 'eipc'
  const isEip = ['eip', 'eips'].includes(lower)
  const isAddress = ['vip', 'vips', 'vpcip', 'vpcips'].includes(lower)
  throw new IpamError('bad_input', `Cannot delete "${word}": only claims can be deleted`, {
    hint: isEip
      ? 'an EIP goes with its claim: tke-eni get eip names its pod, tke-eni delete eipc <namespace>/<pod> gives it back'
      : isAddress
        ? 'an address goes with its claim: tke-eni get vip names its pod, tke-eni delete vipc <namespace>/<pod> gives it back'
        : 'tke-eni delete vipc <pod>, or eipc',
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
An EIP that was made for the pod is released for ever; one of its user's is only unbound. While it waits it says why, for one
that the cloud refuses.

Examples:
  tke-eni delete vipc web-0 -n default
  tke-eni delete vipc default/web-0 default/web-1 --dry-run
  tke-eni delete vipc web-1 --timeout 2m
  tke-eni delete vipc web-0 --force
  tke-eni delete eipc web-0 -n default`
