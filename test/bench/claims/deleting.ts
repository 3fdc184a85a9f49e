// Claims that are given back: until the cloud has released the address of one, and how many a second.
import { defaultLimits } from '../../../internal/vpc/limits.ts'
import type { Row } from '../figure.ts'
import { median } from '../statistics.ts'
import { group } from './claims-client.ts'
import type { ClaimsLeader } from './claims-leader.ts'
import type { KeptClaim } from './kept-claims.ts'
import { newest } from './watching.ts'

const samples = 20

/** `claims` are deleted: some one after the other, then the others in a row. */
export async function measureDeletions(leader: ClaimsLeader, claims: readonly KeptClaim[]): Promise<Row[]> {
  const ended = new Map<string, (at: number) => void>()
  const path = `${group}/vpcipclaims?watch=1&resourceVersion=${await newest(leader)}`
  const stop = await leader.client.watch(path, (line, at) => {
    const { type, object } = JSON.parse(line) as { type: string; object: { metadata: Named } }
    if (type === 'DELETED') ended.get(keyOf(object.metadata))?.(at)
  })
  const gone = (claim: KeptClaim): Promise<number> =>
    new Promise((resolve) => ended.set(keyOf(claim), resolve))
  const remove = ({ name, namespace }: KeptClaim) =>
    leader.client.call('DELETE', `${group}/namespaces/${namespace}/vpcipclaims/${name}`)

  const times: number[] = []
  for (const claim of claims.slice(0, samples)) {
    const end = gone(claim)
    const begin = performance.now()
    await remove(claim)
    times.push((await end) - begin)
  }
  const others = claims.slice(samples)
  const ends = others.map(gone)
  const begin = performance.now()
  for (const claim of others) await remove(claim)
  const answered = performance.now() - begin
  const released = Math.max(...(await Promise.all(ends))) - begin
  stop()
  const allowed = defaultLimits['DeleteReserveIpAddresses'] ?? Number.NaN
  const perSecond = (ms: number): number => (others.length / ms) * 1000
  return [
    { what: 'from a DELETE until its claim is gone', value: median(times), unit: 'ms' },
    { what: `${others.length} DELETEs in a row, answered`, value: perSecond(answered), unit: '/s' },
    {
      what: `${others.length} DELETEs in a row, addresses released`,
      value: perSecond(released),
      unit: '/s',
      reference: { what: 'DeleteReserveIpAddresses that the VPC allows', value: allowed },
    },
  ]
}

interface Named {
  readonly namespace: string
  readonly name: string
}

function keyOf({ name, namespace }: Named): string {
  return `${namespace}/${name}`
}
