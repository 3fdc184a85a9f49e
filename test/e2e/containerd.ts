// A real container runtime: containerd and runc inside a test machine, whose containers get their network from the CNI
// configuration and plugins that the test gives, called as a runtime calls them. Needs root.
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Machine, startMachine } from './machine.ts'
import { type Finished, run, type Service, startService, until, which } from './service.ts'

export interface Container {
  readonly id: string
  /** Process id inside the machine of the container's first process. */
  readonly pid: number
  /** Runs a command (of busybox) in the container; never throws for its exit code. */
  exec(...argv: readonly string[]): Promise<Finished>
  /** Kills the container and resolves once the runtime has called CNI DEL and forgotten it. Throws when that failed. */
  stop(): Promise<void>
}

export interface Containerd {
  readonly machine: Machine
  /** Starts a container with an address from CNI; resolves when it runs. Throws with the runtime's words when CNI ADD fails. */
  startContainer(id: string, argv?: readonly string[]): Promise<Container>
  /** The containers that the runtime knows. */
  list(): Promise<readonly string[]>
  stop(): Promise<void>
}

interface ContainerdOptions {
  /** Folder of the host with the conflist, shown as /etc/cni/net.d. */
  readonly cniConfDir: string
  /** Folder of the host with the plugins, shown as /opt/cni/bin. */
  readonly cniBinDir: string
  readonly name?: string
  /** The node's network namespace (a path); a new one otherwise. */
  readonly netns?: string
}

const applets = [
  'sh',
  'sleep',
  'ping',
  'ip',
  'wget',
  'nc',
  'httpd',
  'cat',
  'ls',
  'echo',
  'arping',
  'traceroute',
]
const socket = '/run/containerd/containerd.sock' // in the machine's own /run
const idle = ['sleep', '100000']

/** Starts containerd in a machine of its own and resolves when it answers. */
export async function startContainerd(options: ContainerdOptions): Promise<Containerd> {
  const { name = 'node', netns } = options
  const machine = await startMachine(netns === undefined ? { name } : { name, netns })
  try {
    await machine.bind(options.cniConfDir, '/etc/cni/net.d')
    await machine.bind(options.cniBinDir, '/opt/cni/bin')
    const rootfs = makeRootfs(join(machine.folder, 'rootfs'))
    const config = join(machine.folder, 'config.toml')
    writeFileSync(config, configOf(machine.folder))
    const daemon = machine.start('containerd', ['containerd', '--config', config])
    const ctr = (...argv: readonly string[]) => machine.inside(['ctr', '--address', socket, ...argv])
    const answers = async () => (await run(ctr('version'))).code === 0
    await until('containerd answers', answers, [daemon])
    return {
      machine,
      startContainer: (id, argv = idle) => startContainer({ id, argv, rootfs, ctr, daemon }),
      async list() {
        const { stdout } = await run(ctr('containers', 'list', '--quiet'))
        return stdout.split('\n').filter((id) => id !== '')
      },
      stop: () => machine.stop(),
    }
  } catch (error) {
    await machine.stop()
    throw error
  }
}

async function startContainer(start: {
  id: string
  argv: readonly string[]
  rootfs: string
  ctr: (...argv: readonly string[]) => readonly string[]
  daemon: Service
}): Promise<Container> {
  const { id, argv, rootfs, ctr } = start
  // In the foreground, because only then does "ctr run --rm" call CNI DEL at the end.
  const flags = ['--rm', '--cni', '--read-only', '--env', 'PATH=/bin', '--rootfs', rootfs]
  const task = startService(`container ${id}`, ctr('run', ...flags, id, ...argv))
  let pid = 0
  const runs = async () => {
    pid = pidOf(id, (await run(ctr('task', 'list'))).stdout)
    return pid !== 0
  }
  try {
    await until(`container "${id}" runs`, runs, [start.daemon, task])
  } catch (error) {
    // ctr leaves what it had made before CNI refused.
    await run(ctr('task', 'delete', '--force', id))
    await run(ctr('containers', 'delete', id))
    throw error
  }
  let commands = 0
  return {
    id,
    pid,
    exec: (...command) => run(ctr('task', 'exec', '--exec-id', `exec-${++commands}`, id, ...command)),
    async stop() {
      await run(ctr('task', 'kill', '--signal', 'SIGKILL', id))
      await task.exit
      if (/level=error|failed to/.test(task.output()))
        throw new Error(`Cannot end container "${id}": ${task.output()}`)
    },
  }
}

/** The process of task `id` in the table of "ctr task list"; 0 when it does not run. */
function pidOf(id: string, table: string): number {
  const row = table.split('\n').find((line) => line.startsWith(`${id} `)) ?? ''
  return Number(/\s(\d+)\s+RUNNING/.exec(row)?.[1] ?? 0)
}

/** A root file system of one static busybox: no registry is asked for an image. */
function makeRootfs(folder: string): string {
  const busybox = which('busybox')
  if (busybox === undefined) throw new Error('Cannot make a root file system: there is no "busybox" on PATH')
  for (const name of ['bin', 'dev', 'etc', 'proc', 'sys', 'tmp'])
    mkdirSync(join(folder, name), { recursive: true })
  copyFileSync(busybox, join(folder, 'bin', 'busybox'))
  for (const applet of applets) symlinkSync('busybox', join(folder, 'bin', applet))
  return folder
}

/** Only what starting a container from a folder needs. */
function configOf(folder: string): string {
  const unused = [
    'grpc.v1.cri',
    'snapshotter.v1.btrfs',
    'snapshotter.v1.zfs',
    'snapshotter.v1.aufs',
    'snapshotter.v1.devmapper',
  ]
  return `version = 2
root = "${folder}/containerd"
state = "/run/containerd"
disabled_plugins = [${unused.map((name) => `"io.containerd.${name}"`).join(', ')}]
[grpc]
address = "${socket}"
`
}
