// What a node's NEC and its events say about its pool: stable reasons, and a sentence with what to do.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ErrorCode } from '../../internal/ipam/errors.ts'
import type { NodePlan } from '../../internal/ipam/plan-node.ts'
import { poolCondition } from '../../internal/ipam/pool-condition.ts'
import { subnet, zone } from './pools.ts'

interface Row {
  readonly obstacle?: NodePlan['obstacle']
  readonly trouble?: ErrorCode
  readonly reason: string
  readonly says: RegExp
}

const rows: readonly Row[] = [
  { reason: 'PoolServed', says: /within its bounds/ },
  {
    obstacle: 'no-subnet-in-zone',
    reason: 'NoSubnetInZone',
    says: /3 more .*"subnet-b": 7 free.* zone "zone-a".*add one/,
  },
  { obstacle: 'subnets-full', reason: 'SubnetExhausted', says: /3 more .*"subnet-a": 1 free\); add one/ },
  { obstacle: 'node-full', reason: 'NodeFull', says: /3 more .*schedule fewer/ },
  { trouble: 'eni_quota', reason: 'ENILimit', says: /^the cloud said no$/ },
  { trouble: 'subnet_full', reason: 'SubnetExhausted', says: /^the cloud said no$/ },
  { trouble: 'denied', reason: 'PermissionDenied', says: /^the cloud said no$/ },
  { trouble: 'cloud_fault', reason: 'CloudRefused', says: /^the cloud said no$/ },
  { trouble: 'eni_quota', obstacle: 'node-full', reason: 'ENILimit', says: /^the cloud said no$/ },
]

for (const { obstacle, trouble, reason, says } of rows) {
  test(`[K3] poolCondition() is ${reason} with ${trouble ?? 'no trouble'} and ${obstacle ?? 'no obstacle'}`, () => {
    const plan: NodePlan = { actions: [], unmet: obstacle === undefined ? 0 : 3, obstacle }
    const subnets = [subnet('subnet-a', 1), subnet('subnet-b', 7, 'elsewhere')]
    const condition = poolCondition(
      plan,
      trouble === undefined ? undefined : { code: trouble, message: 'the cloud said no' },
      zone,
      subnets,
    )
    assert.equal(condition.reason, reason)
    assert.equal(condition.ready, reason === 'PoolServed')
    assert.match(condition.message, says)
  })
}
