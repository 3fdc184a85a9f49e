// A NEC as the API server keeps it: what leader and agent write, put together.
import type { NecPublication, NodeReport } from '../../internal/ipam/types.ts'
import { encodePublication, encodeReport } from '../../internal/wire/nec.ts'
import { ip, nodeBounds, nodeReport } from '../given.ts'
import { publishedEni } from '../ipam/pools.ts'

export const publication: NecPublication = {
  epoch: 1,
  instanceId: 'ins-1',
  zone: 'zone-a',
  staticIps: true,
  eips: 1,
  ...nodeBounds({ minWarm: 0, maxWarm: 9, maxEnis: 3, ipsPerEni: 30 }),
  enis: [publishedEni(1, '1', '2', '3', '4'), publishedEni(2, '1', '2', '3:1:web-0', '4:2:a')],
  conditions: [
    {
      type: 'Ready',
      status: 'True',
      reason: 'Enough',
      message: 'all is well',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    },
  ],
}

const report = nodeReport({
  returned: [{ address: ip('10.0.1.9'), grant: 1 }],
  inUse: 2,
  idle: 4,
})

/** `more.node` also tells what the agent reports. */
export function necJson(shown: NecPublication = publication, node: NodeReport = report) {
  const { spec, status } = encodePublication(shown)
  return {
    apiVersion: 'networking.tke.cloud.tencent.com/v1',
    kind: 'NodeENIConfig',
    metadata: { name: 'n1', uid: 'uid-nec', annotations: { note: 'x' }, resourceVersion: '7' },
    spec,
    status: { ...status, ...encodeReport(node).status },
  }
}
