// The hot path of CNI ADD: two `ip` processes in all, both started by a lane, the pod's one while the node's side is made.
import { IpamError } from '../ipam/errors.ts'
import type { PodLink, PodWiring } from '../ipam/types.ts'
import { absent, type BatchResult, exists, firstFault, readBatch } from './batch.ts'
import type { Batcher } from './batcher.ts'
import type { LanePool } from './lane-pool.ts'
import { podLinkMacs } from './pod-link.ts'
import { hostSideLines, pairLine, podSideLines } from './wiring-lines.ts'

export interface PodConnector {
  readonly host: Batcher
  readonly pods: LanePool
}

/** `kept`: the pair was there before, so that somebody should look whether it is the right one. Throws `kernel`. */
export async function connectPod(
  { host, pods }: PodConnector,
  wiring: PodWiring,
  table: number,
): Promise<PodLink & { readonly kept: boolean }> {
  const hostLines = hostSideLines(wiring, table)
  const podLines = podSideLines(wiring)
  return await pods.use(async (lane) => {
    lane.begin(wiring.netns)
    const hostResult = await host.run(hostLines).catch(async (cause: unknown) => {
      await lane.finish([])
      throw cause
    })
    const hostFault = firstFault(hostLines, hostResult)
    const podAnswer = await lane.finish(hostFault === undefined ? podLines.map(({ text }) => text) : [])
    if (hostFault !== undefined)
      throw failed(wiring, explain(wiring, hostResult, hostLines.length - 1) ?? hostFault)
    const podFault = firstFault(podLines, readBatch(podAnswer))
    if (podFault !== undefined) throw failed(wiring, `in the pod, ${podFault}`)
    return { ...podLinkMacs(wiring.hostLink), kept: hostResult.failures.has(pairLine) }
  })
}

/** The error of a pod that could not be connected. */
export function failed({ address, ifname, netns }: PodWiring, what: string): IpamError {
  return new IpamError('kernel', `Cannot connect pod ${address} ("${ifname}" in "${netns}"): ${what}`)
}

/** The kernel says "File exists" for either end of a pair: when ours is not there, it meant the pod's. */
function explain({ ifname }: PodWiring, { failures }: BatchResult, hostLinkLine: number): string | undefined {
  const there = exists.test(failures.get(pairLine) ?? '') && absent.test(failures.get(hostLinkLine) ?? '')
  return there ? `its network namespace has another link "${ifname}" already` : undefined
}
