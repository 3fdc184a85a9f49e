// What a node's NEC and its events say about its pool: stable reasons, and a sentence with what to do.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ErrorCode } from '../../internal/ipam/errors.ts'
import type { Shortage } from '../../internal/ipam/plan-growth.ts'
import type { NodePlan } from '../../internal/ipam/plan-node.ts'
import { type PoolNode, poolCondition } from '../../internal/ipam/pool-condition.ts'
import { subnet, zone } from './pools.ts'

const n1: PoolNode = {
  zone,
  overrides: {},
  quota: { instanceType: 'SA2.MEDIUM4', enis: 3, ipsPerEni: 9, eips: 1 },
  instanceEnis: 3,
}

interface Row {
  readonly why?: Shortage['why']
  readonly mode?: Shortage['mode']
  readonly trouble?: ErrorCode
  readonly reason: string
  readonly says: RegExp
}

const rows: readonly Row[] = [
  { reason: 'PoolServed', says: /within its bounds/ },
  {
    why: 'no-subnet-in-zone',
    reason: 'NoSubnetInZone',
    says: /3 more .*"subnet-b": 7 free.* zone "zone-a".*add one/,
  },
  { why: 'subnets-full', reason: 'SubnetExhausted', says: /3 more .*"subnet-a": 1 free\); add one/ },
  { why: 'node-full', reason: 'NodeFull', says: /3 more .*schedule fewer/ },
  {
    why: 'node-full',
    mode: 'exclusive',
    reason: 'NodeFull',
    says: /^Cannot bind 3 more exclusive ENIs: .*schedule fewer/,
  },
  {
    why: 'subnets-full',
    mode: 'exclusive',
    reason: 'SubnetExhausted',
    says: /3 more exclusive ENIs: .*"subnet-a": 1 free\); add one/,
  },
  { trouble: 'eni_quota', reason: 'ENILimit', says: /^the cloud said no$/ },
  { trouble: 'subnet_full', reason: 'SubnetExhausted', says: /^the cloud said no$/ },
  { trouble: 'denied', reason: 'PermissionDenied', says: /^the cloud said no$/ },
  { trouble: 'cloud_fault', reason: 'CloudRefused', says: /^the cloud said no$/ },
  { trouble: 'eni_quota', why: 'node-full', reason: 'ENILimit', says: /^the cloud said no$/ },
]

for (const { why, mode = 'shared', trouble, reason, says } of rows) {
  test(`[K3] poolCondition() is ${reason} with ${trouble ?? 'no trouble'} and ${why === undefined ? 'no shortage' : `${mode} ${why}`}`, () => {
    const plan: Pick<NodePlan, 'shortages'> = {
      shortages: why === undefined ? [] : [{ mode, count: 3, why }],
    }
    const subnets = [subnet('subnet-a', 1), subnet('subnet-b', 7, 'elsewhere')]
    const condition = poolCondition(
      plan,
      trouble === undefined ? undefined : { code: trouble, message: 'the cloud said no' },
      n1,
      subnets,
    )
    assert.equal(condition.reason, reason)
    assert.equal(condition.type, 'Ready')
    assert.equal(condition.ok, reason === 'PoolServed')
    assert.match(condition.message, says)
  })
}

test('[K3][X3] poolCondition() tells what both pools of a node lack, the addresses first', () => {
  const plan: Pick<NodePlan, 'shortages'> = {
    shortages: [
      { mode: 'shared', count: 1, why: 'subnets-full' },
      { mode: 'exclusive', count: 2, why: 'node-full' },
    ],
  }
  const { reason, message } = poolCondition(plan, undefined, n1, [subnet('subnet-a', 1)])
  assert.equal(reason, 'SubnetExhausted')
  assert.match(message, /^Cannot bind 1 more address: .*; Cannot bind 2 more exclusive ENIs: /)
})

const limits: readonly (Partial<PoolNode> & { mode?: Shortage['mode']; says: RegExp })[] = [
  { says: /than the ENIs of the node's instance type carry; schedule fewer here$/ },
  { instanceEnis: 2, says: /than the leader's setting max-eni-per-node allows; raise it, or/ },
  { overrides: { maxSharedEnis: 2 }, says: /than route-eni-max-attach of its NEC allows; raise it, or/ },
  { overrides: { maxSharedEnis: 5, maxIpsPerEni: 30 }, says: /instance type/ },
  {
    overrides: { maxSharedEnis: 1, maxIpsPerEni: 4 },
    says: /than route-eni-max-attach and max-ip-per-route-eni of its NEC/,
  },
  { overrides: { maxExclusiveEnis: 1 }, says: /instance type/ },
  { overrides: { maxExclusiveEnis: 1 }, mode: 'exclusive', says: /than direct-eni-max-attach of its NEC/ },
]
for (const { mode = 'shared', says, ...change } of limits)
  test(`[K3] poolCondition() names what lets a node have no more: ${says.source}`, () => {
    const plan: NodePlan = {
      actions: [],
      short: new Set(),
      renew: [],
      yields: new Map(),
      shortages: [{ mode, count: 3, why: 'node-full' }],
    }
    assert.match(poolCondition(plan, undefined, { ...n1, ...change }, []).message, says)
  })
