// Calls of CNI plugins inside a test machine with the environment of a container runtime, for what "ctr" does not do itself.
import type { Conflist, RunPlugin } from '../../internal/sim/kubelet/cni-chain.ts'
import type { Machine } from './machine.ts'
import { type Finished, run } from './service.ts'

const binDir = '/opt/cni/bin'

export interface PluginAnswer {
  readonly code: number
  /** What it printed: a result, or an error object. */
  readonly answer: PluginWords
}

export interface PluginWords {
  readonly cniVersion?: string
  readonly supportedVersions?: readonly string[]
  readonly ips?: readonly { readonly address: string }[]
  /** Of an error. */
  readonly code?: number
  readonly msg?: string
}

/** Runs plugins of the machine's folder. */
export function pluginsOf(machine: Machine): RunPlugin {
  return async (plugin, env, stdin) => {
    const { code, ...said } = await call(machine, plugin, env, stdin)
    return { status: code, ...said }
  }
}

/** One call of our own plugin: `env` without the prefix "CNI_", `more` added to its part of the machine's configuration. */
export async function callOurs(
  machine: Machine,
  env: Readonly<Record<string, string>>,
  more: object = {},
): Promise<PluginAnswer> {
  const { cniVersion, name, plugins } = await conflistOf(machine)
  const named = Object.fromEntries(Object.entries(env).map(([key, value]) => [`CNI_${key}`, value]))
  const stdin = JSON.stringify({ cniVersion, name, ...plugins[0], ...more })
  const { code, stdout } = await call(machine, 'tke-route-eni', named, stdin)
  return { code, answer: stdout.trim() === '' ? {} : (JSON.parse(stdout) as PluginWords) }
}

/** The network configuration that the agent has written. */
export async function conflistOf(machine: Machine): Promise<Conflist> {
  return JSON.parse(await machine.run('cat', '/etc/cni/net.d/10-tke-eni.conflist')) as Conflist
}

function call(
  machine: Machine,
  plugin: string,
  env: Readonly<Record<string, string>>,
  stdin: string,
): Promise<Finished> {
  // Runtimes hand on their own PATH: portmap looks for iptables there.
  const given = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', CNI_PATH: binDir, ...env }
  const words = Object.entries(given).map(([key, value]) => `${key}=${value}`)
  return run(machine.inside(['env', '-i', ...words, `${binDir}/${plugin}`]), { input: stdin })
}
