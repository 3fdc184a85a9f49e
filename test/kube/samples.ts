// A publication and a report as leader and agent write them.
import assert from 'node:assert/strict'
import type { NecPublication, WarmTargets } from '../../internal/ipam/types.ts'
import { parseCidr } from '../../internal/value/cidr.ts'
import { parseIpv4 } from '../../internal/value/ipv4.ts'
import { parseMac } from '../../internal/value/mac.ts'
import { nodeBounds, nodeReport } from '../given.ts'

const address = must(parseIpv4('10.0.1.6'))

export const publication: NecPublication = {
  epoch: 3,
  instanceId: 'ins-1',
  zone: 'ap-chengdu-1',
  staticIps: false,
  eips: 1,
  ...nodeBounds({ minWarm: 5, maxWarm: 5, maxEnis: 3, ipsPerEni: 9 }),
  enis: [
    {
      id: 'eni-1',
      mac: must(parseMac('20:90:6f:00:00:01')),
      primaryIp: must(parseIpv4('10.0.1.5')),
      subnetId: 'subnet-1',
      subnetCidr: must(parseCidr('10.0.1.0/24')),
      gateway: must(parseIpv4('10.0.1.1')),
      slot: 1,
      mode: 'shared',
      ips: [{ address, grant: 1 }],
    },
  ],
  conditions: [
    { type: 'Ready', status: 'True', reason: 'Ok', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' },
  ],
}

export const report = nodeReport({
  returned: [{ address, grant: 1 }],
  inUse: 1,
  databaseId: 'db-1',
  version: '0.1.0',
})

/** `publication` with other warm targets. */
export function warmed(change: Partial<WarmTargets>): NecPublication {
  return { ...publication, shared: { ...publication.shared, ...change } }
}

function must<T>(value: T | undefined): T {
  assert.ok(value !== undefined)
  return value
}
