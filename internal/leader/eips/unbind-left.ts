// What a lost ledger knew of EIPs of users' own: no tag says so. The NECs say which addresses carried one for a pod; where that has gone, it
// is unbound before the next pod has the address, and with it what is sent to that EIP.
import type { Log } from '../../base/log.ts'
import { createdTag } from '../../ipam/eip-tags.ts'
import { withHint } from '../../ipam/errors.ts'
import type { RefoundEip } from '../../ipam/judge-eips.ts'
import type { CloudEip, EniId } from '../../ipam/types.ts'
import type { Cloud } from '../../ports.ts'
import type { Ipv4 } from '../../value/ipv4.ts'
import type { ClusterFacts } from '../facts.ts'

export interface UnbindOptions {
  readonly cloud: Pick<Cloud, 'describeEips' | 'disassociateEip'>
  readonly facts: Pick<ClusterFacts, 'necs' | 'pods'>
  readonly log: Log
}

/** `found`: those whose claims are made again. Never throws: pods do not wait for it. */
export async function unbindLeft(options: UnbindOptions, found: readonly RefoundEip[]): Promise<void> {
  const { cloud, log } = options
  for (const [eni, addresses] of leftOn(options, found)) {
    try {
      const eips = await cloud.describeEips({ eni }, 'waiting-pod')
      for (const eip of eips.filter((one) => isLeft(one, addresses))) {
        await cloud.disassociateEip(eip.id, 'waiting-pod')
        log.warn('EIP of a pod that is gone unbound', { eip: eip.id, privateIp: eip.privateIp })
      }
    } catch (error) {
      log.warn('EIPs of pods that are gone not unbound', { eni, error: withHint(error) })
    }
  }
}

/** By ENI: addresses that carried an EIP for a pod, and that no pod shows now. */
function leftOn(
  { facts }: UnbindOptions,
  found: readonly RefoundEip[],
): ReadonlyMap<EniId, ReadonlySet<Ipv4>> {
  const pods = [...facts.pods()].filter(({ terminal }) => !terminal)
  const uids = new Set(pods.map(({ uid }) => uid))
  const shown = new Set([...pods.map(({ ip }) => ip), ...found.map(({ eip }) => eip.privateIp)])
  const enis = [...facts.necs()].flatMap(({ publication }) => publication?.enis ?? [])
  const left = enis.map(({ id, ips }) => {
    const its = ips.filter(
      ({ address, eipFor }) => eipFor !== undefined && !uids.has(eipFor) && !shown.has(address),
    )
    return [id, new Set(its.map(({ address }) => address))] as const
  })
  return new Map(left.filter(([, addresses]) => addresses.size > 0))
}

function isLeft({ privateIp, state, tags }: CloudEip, addresses: ReadonlySet<Ipv4>): boolean {
  return state === 'bound' && privateIp !== undefined && addresses.has(privateIp) && !(createdTag in tags)
}
