// Runs a network configuration list as a container runtime does: plugin by plugin, each with the result of the one before.
import type { CommandResult } from '../../base/command.ts'
import { IpamError } from '../../ipam/errors.ts'

/** Runs one plugin executable by name. */
export type RunPlugin = (
  plugin: string,
  env: Readonly<Record<string, string>>,
  stdin: string,
) => Promise<CommandResult>

export interface Conflist {
  readonly cniVersion: string
  readonly name: string
  readonly plugins: readonly (Readonly<Record<string, unknown>> & { readonly type: string })[]
}

export interface CniCall {
  readonly containerId: string
  readonly netns: string
  readonly ifname: string
  readonly pod: { readonly namespace: string; readonly name: string; readonly uid: string }
  /** For plugins with the capability of that name. */
  readonly portMappings?: readonly PortMapping[]
}

export interface PortMapping {
  readonly hostPort: number
  readonly containerPort: number
  readonly protocol: 'tcp' | 'udp'
}

export interface CniResult {
  readonly ips?: readonly { readonly address: string }[]
}

/** The address of the pod, and the whole result for a later DEL. Throws IpamError `kernel` with the plugin's own words. */
export async function addNetwork(run: RunPlugin, list: Conflist, call: CniCall): Promise<CniResult> {
  let result: CniResult | undefined
  for (const plugin of list.plugins) {
    result = (await runPlugin(run, list, plugin, 'ADD', call, result)) as CniResult
  }
  return result ?? {}
}

/** In reverse, and idempotent. */
export async function deleteNetwork(
  run: RunPlugin,
  list: Conflist,
  call: CniCall,
  result: CniResult | undefined,
): Promise<void> {
  for (const plugin of list.plugins.toReversed()) await runPlugin(run, list, plugin, 'DEL', call, result)
}

async function runPlugin(
  run: RunPlugin,
  { cniVersion, name }: Conflist,
  plugin: Conflist['plugins'][number],
  command: 'ADD' | 'DEL',
  call: CniCall,
  prevResult: CniResult | undefined,
): Promise<unknown> {
  const { pod } = call
  const env = {
    CNI_COMMAND: command,
    CNI_CONTAINERID: call.containerId,
    CNI_NETNS: call.netns,
    CNI_IFNAME: call.ifname,
    CNI_ARGS: `IgnoreUnknown=1;K8S_POD_NAMESPACE=${pod.namespace};K8S_POD_NAME=${pod.name};K8S_POD_UID=${pod.uid}`,
  }
  const { capabilities, ...config } = plugin
  const { portMappings } = call
  const wantsPorts = (capabilities as { portMappings?: boolean } | undefined)?.portMappings === true
  const stdin = JSON.stringify({
    cniVersion,
    name,
    ...config,
    ...(wantsPorts && portMappings !== undefined ? { runtimeConfig: { portMappings } } : {}),
    ...(prevResult === undefined ? {} : { prevResult }),
  })
  const { status, stdout, stderr } = await run(plugin.type, env, stdin)
  if (status === 0) return stdout.trim() === '' ? {} : JSON.parse(stdout)
  throw new IpamError(
    'kernel',
    `Cannot ${command} "${pod.namespace}/${pod.name}": ${wordsOf(stdout) || stderr.trim() || `exit status ${status}`}`,
  )
}

function wordsOf(stdout: string): string | undefined {
  try {
    const { msg, details } = JSON.parse(stdout) as { msg?: string; details?: string }
    return msg === undefined ? undefined : details ? `${msg} (${details})` : msg
  } catch {
    return undefined
  }
}
