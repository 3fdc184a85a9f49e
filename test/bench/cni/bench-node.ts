// The node of the bench: ENIs, sandboxes, an API server with a NEC full of warm addresses, and a node agent that serves them. Runs
// inside namespaces of its own.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { serveKubeApi } from '../../../internal/apiserver/http-server.ts'
import { openSqliteStorage } from '../../../internal/apiserver/sqlite-storage.ts'
import { systemClock } from '../../../internal/base/clock.ts'
import { silentLog } from '../../../internal/base/log.ts'
import { systemRandom } from '../../../internal/base/random.ts'
import { connectKube } from '../../../internal/kube/connect.ts'
import { installNecCrd } from '../../../internal/kube/install-nec-crd.ts'
import { createLeaderKube } from '../../../internal/kube/leader-kube.ts'
import { runCommand } from '../../../internal/linux/command.ts'
import { type ServiceProcess, startService } from '../../../internal/linux/service.ts'
import { benchPublication, numbers } from '../publication.ts'
import type { Plugin } from './launch.ts'

export interface BenchNode extends AsyncDisposable {
  readonly agent: ServiceProcess
  readonly plugin: Plugin
  /** Where the agent listens. */
  readonly socket: string
}

export interface BenchNodeOptions {
  readonly executable: string
  readonly directory: string
  /** Network namespaces for pods: /run/netns/bench-1 and so on. */
  readonly sandboxes: number
}

/** Starts it; resolves when the agent can serve. */
export async function startBenchNode(options: BenchNodeOptions): Promise<BenchNode> {
  const { executable, directory, sandboxes } = options
  await using stack = new AsyncDisposableStack()
  await makeNetwork(sandboxes)
  const kubeSocket = await serveNec(stack, directory)
  const cni = { conf: join(directory, 'conf'), bin: join(directory, 'bin'), answers: join(directory, 'ours') }
  mkdirSync(cni.answers)
  const agent = startService({
    command: [
      executable,
      'node',
      '--node-name=bench',
      `--state-dir=${directory}`,
      `--run-dir=${directory}`,
      `--kube-server=unix://${kubeSocket}`,
      '--primary-link=lo',
      '--install-cni',
      `--cni-conf-dir=${cni.conf}`,
      `--cni-bin-dir=${cni.bin}`,
      '--port-mapping=false',
      '--listen-health=127.0.0.1:0',
    ],
    env: process.env,
    logFile: join(directory, 'node.log'),
  })
  stack.defer(async () => {
    agent.kill('SIGTERM')
    await agent.exited
  })
  await installed(join(cni.conf, '10-tke-eni.conflist'), join(directory, 'node.log'))
  const config = join(directory, 'ours.json')
  const socket = join(directory, 'cni.sock')
  writeFileSync(
    config,
    JSON.stringify({ cniVersion: '1.0.0', name: 'tke-eni', type: 'tke-route-eni', socket }),
  )
  const all = stack.move()
  return {
    agent,
    plugin: { executable: join(cni.bin, 'tke-route-eni'), config, answers: cni.answers },
    socket,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}

async function makeNetwork(sandboxes: number): Promise<void> {
  const lines = [
    'netns add vpc',
    ...benchPublication().enis.map(
      ({ mac, slot }) => `link add name eth${slot} address ${mac} type veth peer name far${slot} netns vpc`,
    ),
    ...numbers(sandboxes).map((sandbox) => `netns add bench-${sandbox}`),
  ]
  const { status, stderr } = await runCommand('ip', ['-batch', '-'], lines.join('\n'))
  if (status !== 0) throw new Error(`Cannot make the network of the bench: ${stderr.trim()}`)
}

async function serveNec(stack: AsyncDisposableStack, directory: string): Promise<string> {
  const clock = systemClock
  const socketPath = join(directory, 'kube.sock')
  const storage = openSqliteStorage({ path: join(directory, 'kube.db'), clock })
  stack.defer(() => storage.close())
  const api = await serveKubeApi({ storage, clock, log: silentLog, listen: [{ socketPath }] })
  stack.defer(() => api.close())
  const client = await connectKube({ socketPath }, clock)
  stack.defer(() => client.close())
  await installNecCrd(client, clock, silentLog)
  const kube = createLeaderKube({
    client,
    eventClient: client,
    clock,
    random: systemRandom,
    log: silentLog,
    defaultNetwork: 'tke-route-eni',
    instance: 'bench',
  })
  stack.defer(() => kube.close())
  await kube.publishNec('bench', benchPublication())
  return socketPath
}

/** The agent writes the network configuration once it serves. */
async function installed(conflist: string, log: string): Promise<void> {
  for (let tries = 0; !existsSync(conflist); tries += 1) {
    if (tries > 300) {
      const said = readFileSync(log, 'utf8').trimEnd().split('\n').slice(-5).join('\n')
      throw new Error(`Cannot start the node agent of the bench: it does not get ready; it says\n${said}`)
    }
    await pause(50)
  }
}
