// A machine for one test, made of namespaces (mount, network, processes, IPC, host name): what runs in it may install CNI
// plugins, make links and start containers, and the host sees nothing of it. Needs root.
import { join } from 'node:path'
import { childOf, output, type Service, startService, temporaryFolder, until } from './service.ts'

export interface Machine {
  /** Process id, as the host counts, of the machine's first process: /proc/<pid>/ns/net is its network. */
  readonly pid: number
  /** A folder of the host, seen under the same path inside. */
  readonly folder: string
  /** The command line that runs `argv` inside. */
  inside(argv: readonly string[]): readonly string[]
  /** Runs a command inside and returns what it printed; throws with its error output when it fails. */
  run(...argv: readonly string[]): Promise<string>
  /** Starts a command inside that runs until it is stopped. */
  start(name: string, argv: readonly string[], env?: NodeJS.ProcessEnv): Service
  /** Shows the folder `from` at `to` inside the machine. */
  bind(from: string, to: string): Promise<void>
  /** Ends everything inside. */
  stop(): Promise<void>
}

/** Starts a machine with a network of its own, or in the existing network namespace `netns` (a path). */
export async function startMachine(options: { name?: string; netns?: string } = {}): Promise<Machine> {
  const name = options.name ?? 'machine'
  const folder = temporaryFolder(name)
  const scratch = temporaryFolder(`${name}-scratch`)
  const network = options.netns === undefined ? ['--net'] : []
  const kinds = [
    '--mount',
    ...network,
    '--ipc',
    '--uts',
    '--pid',
    '--fork',
    '--kill-child=KILL',
    '--mount-proc',
  ]
  const init = ['unshare', ...kinds, 'bash', join(import.meta.dirname, 'machine.sh'), scratch]
  const entered = options.netns === undefined ? init : ['nsenter', `--net=${options.netns}`, ...init]
  const service = startService(name, entered, { stdin: 'pipe', wrapped: true })
  await until(`machine "${name}" is up`, () => service.output().includes('ready\n'), [service])
  const pid = childOf(service.pid)
  if (pid === undefined) throw new Error(`Cannot find the first process of machine "${name}": it has none`)
  const inside = (argv: readonly string[]) => [
    'nsenter',
    '-t',
    `${pid}`,
    '-m',
    '-n',
    '-i',
    '-u',
    '-p',
    '--',
    ...argv,
  ]
  return {
    pid,
    folder,
    inside,
    run: (...argv) => output(inside(argv)),
    start: (serviceName, argv, env = {}) =>
      startService(serviceName, inside(argv), { env: { ...process.env, ...env }, wrapped: true }),
    async bind(from, to) {
      await output(inside(['mkdir', '-p', to]))
      await output(inside(['mount', '--bind', from, to]))
    },
    async stop() {
      service.signal('SIGKILL')
      await service.exit
    },
  }
}
