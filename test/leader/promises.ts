// What NECs promise to agents, against the ledger and the cloud.

import type { Nec, PublishedIp } from '../../internal/ipam/types.ts'
import type { LeaderWorld } from './leader-world.ts'

/** What its agent may give to pods: not what it has given back. */
export function promised({ publication, report }: Nec): readonly (PublishedIp & { readonly eni: string })[] {
  const given = new Set(report?.returned.map(({ address, grant }) => `${address} ${grant}`))
  return (publication?.enis ?? []).flatMap(({ id, ips }) =>
    ips.flatMap((ip) => (given.has(`${ip.address} ${ip.grant}`) ? [] : [{ ...ip, eni: id }])),
  )
}

/** Promised addresses that their ENI does not have, or that is not on the node. */
export function falsePromises(world: LeaderWorld, nec: Nec): readonly string[] {
  const { enis, ips } = world.cloud.admin.audit(world.clock.now())
  const instance = nec.publication?.instanceId
  const attached = new Set(enis.filter(({ instanceId }) => instanceId === instance).map(({ id }) => id))
  return promised(nec).flatMap(({ address, eni }) => {
    const there = ips.find((one) => one.address === address && one.eniId === eni)
    if (there?.state !== 'AVAILABLE') return [`${address} is shown, and is not there`]
    return attached.has(eni) ? [] : [`${eni} is shown, and is not on the node`]
  })
}

export function unlikeLedger(world: LeaderWorld, node: string): readonly string[] {
  const published = JSON.stringify(world.published(node))
  const isSame = published === JSON.stringify(world.ledger.publishedEnis(node))
  return isSame ? [] : [`the NEC of ${node} says something else than the ledger`]
}
