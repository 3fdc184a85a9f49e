import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judgeAvailability } from '../../internal/ipam/judge-availability.ts'
import type { Nec, PublishedEni } from '../../internal/ipam/types.ts'
import { cidr, ip, mac, nodeBounds, nodeReport, nth } from '../given.ts'

for (const row of [
  { does: 'without a NEC', nec: false, bound: 0, min: 5, served: true, want: 'unavailable' },
  {
    does: 'before the agent has reported',
    reported: false,
    bound: 5,
    min: 5,
    served: true,
    want: 'unavailable',
  },
  { does: 'with nothing bound', bound: 0, min: 5, served: true, want: 'unavailable' },
  { does: 'with one address of five, and the pool grows', bound: 1, min: 5, served: true, want: 'available' },
  { does: 'with addresses, and trouble', bound: 3, min: 5, served: false, want: 'undecided' },
  { does: 'that shall have nothing warm', bound: 0, min: 0, served: true, want: 'available' },
  {
    does: 'that can have no addresses at all',
    bound: 0,
    min: 5,
    maxEnis: 0,
    served: true,
    want: 'available',
  },
  {
    does: 'whose addresses no pod can get',
    bound: 2,
    withheld: 2,
    min: 5,
    served: true,
    want: 'unavailable',
  },
  {
    does: 'by its exclusive ENIs where these are what ordinary pods get',
    mode: 'exclusive',
    bound: 0,
    min: 5,
    served: true,
    want: 'available',
  },
] as const)
  test(`[K5] judgeAvailability() finds a node ${row.does} ${row.want}`, () => {
    const settings = {
      minWarm: 5,
      maxEnis: 2,
      nec: true,
      reported: true,
      mode: 'shared' as const,
      withheld: 0,
      ...row,
    }
    const own = { minWarm: 1, maxWarm: 1, maxEnis: 2, ipsPerEni: 1 }
    const bounds = nodeBounds({ minWarm: row.min, maxWarm: 5, maxEnis: settings.maxEnis, ipsPerEni: 9 }, own)
    const eni: PublishedEni = {
      id: 'eni-1',
      mac: mac('20:90:6f:00:00:01'),
      primaryIp: ip('10.0.1.5'),
      subnetId: 'subnet-1',
      subnetCidr: cidr('10.0.1.0/24'),
      gateway: ip('10.0.1.1'),
      slot: 1,
      mode: 'shared',
      ips: Array.from({ length: row.bound }, (_, i) => ({ address: nth(10 + i), grant: 1 })),
    }
    const exclusive: PublishedEni = {
      ...eni,
      id: 'eni-2',
      mode: 'exclusive',
      ips: [{ address: nth(9), grant: 1 }],
    }
    const nec: Nec = {
      name: 'n1',
      uid: 'u1',
      annotations: {},
      publication: {
        ...bounds,
        epoch: 1,
        instanceId: 'ins-1',
        zone: 'z',
        staticIps: false,
        eips: 1,
        enis: [eni, exclusive],
        conditions: [],
      },
      report: settings.reported ? nodeReport({ idle: row.bound, withheld: settings.withheld }) : undefined,
      fault: undefined,
    }
    assert.equal(
      judgeAvailability(settings.nec ? nec : undefined, bounds, settings.mode, row.served),
      row.want,
    )
  })
