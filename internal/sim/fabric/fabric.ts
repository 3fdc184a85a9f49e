// The dev cluster's network: links and routes between network namespaces, kept as the simulated cloud says. Runs inside a
// sandbox (its own /run and network), so that namespace names are ours alone and all of it goes with the sandbox.
//
// An ENI is a veth here, and hardware in a cloud. Both can be moved into a pod's namespace, where the fabric leaves it alone: the router's end
// stays. They differ when that namespace dies: the kernel brings hardware back to the node at once, as `dev<n>`, but destroys a veth with
// both its ends. Whoever owns a fabric therefore has it mend() again and again: a link that is gone is plugged into its node anew, as
// a new link `eth<deviceIndex>` that is down.
import type { RunCommand } from '../../base/command.ts'
import { IpamError } from '../../ipam/errors.ts'
import type { Ipv4 } from '../../value/ipv4.ts'
import { fabricSteps, netnsPath, nodeNetns, type Step, vpcLink, vpcNetns } from './fabric-lines.ts'
import { edgeLines, edgeRules, outsideAddress, outsideLines, outsideNetns } from './outside-lines.ts'
import { type FabricChange, type FabricNode, onlyPlugged, planFabric } from './plan-fabric.ts'

export interface Fabric {
  /** Makes the network as `desired`; the changes that took. Calls wait for each other. Throws `kernel`; call again to go on. */
  apply(desired: readonly FabricNode[]): Promise<readonly FabricChange[]>
  /** Plugs ENIs whose links were destroyed into their nodes again; the changes that took. Throws `kernel`. */
  mend(): Promise<readonly FabricChange[]>
  /** Path of a node's network namespace. */
  netnsOf(node: string): string
  readonly outside: Outside | NoOutside
  /** Removes all nodes and the router. */
  close(): Promise<void>
}

/** A host out there: it reaches EIPs, and is reached from who has one. */
export interface Outside {
  /** Path of its network namespace. */
  readonly netns: string
  readonly address: Ipv4
}

/** EIPs carry no packets here. */
export interface NoOutside {
  readonly fault: string
}

/** Said of what is so already; each step may be a repetition. */
const soAlready =
  /File exists|already assigned|Cannot find device|No such (device|process|file or directory)|^Command failed/

const batch = { ip: ['ip', '-force', '-batch', '-'], nft: ['nft', '-f', '-'] } as const

// New links of the router inherit from "default".
const routerSettings = [
  ['ip_forward', '1'],
  ['conf/all/rp_filter', '0'],
  ['conf/default/rp_filter', '0'],
  ['conf/all/proxy_arp', '1'],
] as const

/** A fabric with a router and no node, and what is out there where this machine can translate addresses (`nft`). Throws `kernel`. */
export async function createFabric({ run }: { readonly run: RunCommand }): Promise<Fabric> {
  let current: readonly FabricNode[] = []
  let last: Promise<unknown> = Promise.resolve()

  async function perform(step: Step): Promise<void> {
    const { tool = 'ip' } = step
    const [command = '', ...args] =
      step.netns === '' ? batch[tool] : ['nsenter', `--net=${netnsPath(step.netns)}`, '--', ...batch[tool]]
    const { status, stderr } = await run(command, args, `${step.lines.join('\n')}\n`)
    const said = stderr.split('\n').filter((line) => line !== '')
    const faults = tool === 'ip' ? said.filter((line) => !soAlready.test(line)) : said
    // `ip` ends with 1 after what it was told to pass over.
    if (status > (tool === 'ip' ? 1 : 0) || faults.length > 0) {
      const why = faults.join('; ') || `exit status ${status}`
      throw new IpamError('kernel', `Cannot change the network of "${step.netns || 'the sandbox'}": ${why}`)
    }
  }

  async function change(desired: readonly FabricNode[], present = current): Promise<readonly FabricChange[]> {
    const changes = planFabric(desired, present)
    for (const step of fabricSteps(changes)) {
      if (step.tool !== 'nft' || !('fault' in outside)) await perform(step)
    }
    current = desired
    return changes
  }

  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = last.then(work)
    last = result.catch(() => {})
    return result
  }

  await perform({ netns: '', lines: [`netns add ${vpcNetns}`] })
  await perform({ netns: vpcNetns, lines: ['link set dev lo up'] })
  await configureRouter(run)
  const outside = await createOutside(perform)

  return {
    outside,
    apply: (desired) => inTurn(() => change(desired)),
    mend: () =>
      inTurn(async () => {
        const links = await routerLinks(run)
        return change(
          current,
          onlyPlugged(current, (mac) => links.has(vpcLink(mac))),
        )
      }),
    netnsOf: (node) => netnsPath(nodeNetns(node)),
    close: () =>
      inTurn(async () => {
        await change([])
        const gone = 'fault' in outside ? [vpcNetns] : [outsideNetns, vpcNetns]
        await perform({ netns: '', lines: gone.map((netns) => `netns del ${netns}`) })
      }),
  }
}

/** It is there with the translation or not at all. */
async function createOutside(perform: (step: Step) => Promise<void>): Promise<Outside | NoOutside> {
  try {
    await perform({ netns: vpcNetns, tool: 'nft', lines: edgeRules })
  } catch (error) {
    return { fault: (error as Error).message }
  }
  const netns = netnsPath(outsideNetns)
  await perform({ netns: '', lines: [`netns add ${outsideNetns}`] })
  await perform({ netns: vpcNetns, lines: edgeLines(netns) })
  await perform({ netns: outsideNetns, lines: outsideLines })
  return { netns, address: outsideAddress }
}

async function routerLinks(run: RunCommand): Promise<ReadonlySet<string>> {
  const args = [`--net=${netnsPath(vpcNetns)}`, '--', 'ip', '-brief', 'link', 'show', 'type', 'veth']
  const { status, stderr, stdout } = await run('nsenter', args)
  if (status !== 0) throw new IpamError('kernel', `Cannot read the links of the router: ${stderr.trim()}`)
  return new Set(stdout.split('\n').map((row) => row.split(/[@\s]/, 1)[0] ?? ''))
}

async function configureRouter(run: RunCommand): Promise<void> {
  const script = routerSettings.map(([key, value]) => `echo ${value} > /proc/sys/net/ipv4/${key}`).join('\n')
  const args = [`--net=${netnsPath(vpcNetns)}`, '--', 'sh', '-ec', script]
  const { status, stderr } = await run('nsenter', args)
  if (status !== 0) throw new IpamError('kernel', `Cannot configure the fabric's router: ${stderr.trim()}`)
}
