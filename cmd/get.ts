// `tke-eni get`: what the ledgers and Kubernetes have, for people and for scripts. Nothing is changed by it.
import { resolve } from 'node:path'
import { Argument, Command, Option } from 'commander'
import { IpamError } from '../internal/ipam/errors.ts'
import type { GetRequest } from './get/request.ts'
import { parseResource, type Resource, resources } from './get/resources.ts'
import { runGet } from './get/run.ts'
import type { Host } from './host.ts'
import { prepareSqlite } from './native.ts'

export { preload } from './get/run.ts'

export function define(host: Host): Command {
  return new Command()
    .addArgument(
      new Argument('<resource>', 'what to get, also in plural').choices(resources).argParser(parseResource),
    )
    .argument('[names...]', 'only these; addresses and EIPs also by their pod: namespace/name')
    .addOption(
      new Option('-o, --output <form>', 'form of the output')
        .choices(['table', 'wide', 'json', 'yaml'])
        .default('table'),
    )
    .option('-w, --watch', 'then print what changes, until it is stopped')
    .option(
      '--node <name>',
      'only what is on this node: vip, vipc, eip, eipc, eni, subnet, intent, history, quarantine',
    )
    .option('-n, --namespace <name>', 'only what pods of this namespace have: vip, vipc, eip, eipc, history')
    .option(
      '--expiring',
      'only claims that will be given back unless their pod comes, the soonest first: vipc, eip, eipc',
    )
    .addOption(
      new Option('--state-dir <directory>', "the daemon's, with leader.db or node.db")
        .env('TKE_ENI_STATE_DIR')
        .default('/var/lib/tke-eni'),
    )
    .option('--db <file>', 'the database itself: of a leader or of a node agent, or a copy of one')
    .addOption(
      new Option('--kubeconfig <file>', 'how to reach the Kubernetes API, for nec').env('TKE_ENI_KUBECONFIG'),
    )
    .addOption(
      new Option('--kube-server <url>', 'the same by its address: "http(s)://host:port", "unix:///path"').env(
        'TKE_ENI_KUBE_SERVER',
      ),
    )
    .addHelpText('after', help)
    .action(async (resource: Resource, names: string[], _options, command: Command) => {
      const request = readRequest(resource, names, command)
      if (resource !== 'nec') prepareSqlite(host)
      await runGet(resource, request)
    })
}

const ofLedger = ['stateDir', 'db', 'node', 'namespace', 'expiring'] as const
const ofKubernetes = ['kubeconfig', 'kubeServer'] as const

function readRequest(resource: Resource, names: readonly string[], command: Command): GetRequest {
  const foreign = (resource === 'nec' ? ofLedger : ofKubernetes).find(
    (option) => command.getOptionValueSource(option) === 'cli',
  )
  if (foreign !== undefined) {
    const flag = foreign.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
    const origin = resource === 'nec' ? 'it comes from the Kubernetes API' : 'it comes from a database'
    throw new IpamError('bad_input', `Cannot get ${resource} with --${flag}: ${origin}`, {
      hint: 'see "tke-eni get --help"',
    })
  }
  const options = command.opts<Partial<GetRequest>>()
  return {
    names,
    output: options.output ?? 'table',
    watch: options.watch ?? false,
    stateDir: resolve(options.stateDir ?? ''),
    db: options.db === undefined ? undefined : resolve(options.db),
    node: options.node,
    namespace: options.namespace,
    expiring: options.expiring,
    kubeconfig: options.kubeconfig,
    kubeServer: options.kubeServer,
  }
}

const help = `
Resources:
  vip         addresses for pods: state, node, ENI, pod; also those that are kept for one. From node.db, with the exact owner
  vipc        claims of pods to addresses, as kubectl get vipc shows them (leader)
  eip         public addresses of pods: address, pod, bandwidth, line, and what each costs now (idle: it serves nobody) (leader)
  eipc        claims of pods to EIPs, as kubectl get eipc shows them (leader)
  eni         ENIs of both kinds with their addresses
  node        nodes and their pools (leader)
  subnet      subnets that ENIs are in, and what of each is ours; how many addresses are free, the cloud alone can tell
  intent      what was asked of the cloud and what became of it (leader)
  history     who had each address when, and why it changed hands
  quarantine  what ledger, cloud, Kubernetes or kernel disagree about, and what to do about it
  nec         NodeENIConfigs, from the Kubernetes API

All but nec are read from the database alone, whether its daemon runs or not; without --db it is leader.db of the state
directory, or node.db where there is none. -o json and -o yaml print a list, always with the same keys; with --watch, an
object a line or a document each. Ends with 3 when a name is not found.

Examples:
  tke-eni get vip
  tke-eni get vip 10.0.1.5 default/web-0 -o wide
  tke-eni get history 10.0.1.5
  tke-eni get vipc --expiring
  tke-eni get eni --node node-1 -o json
  tke-eni get vip --db /var/lib/tke-eni/node.db --watch
  tke-eni get nec --kubeconfig ~/.kube/config`
