import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { clusterEips, type EipPurpose, eipTags, purposeOfEip } from '../../internal/ipam/eip-tags.ts'

const purpose: EipPurpose = {
  ...{
    clusterId: 'cls-1',
    namespace: 'shop',
    name: 'web-0',
    token: 't',
    policy: 'Never',
    expireAfter: 600_000,
  },
  owner: { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'web', uid: 'u' },
}

test('[R4] [E6] purposeOfEip() reads what eipTags() says, whatever tags of the pod are beside it', () => {
  const own = fc.dictionary(
    fc.oneof(fc.string(), fc.constantFrom(...Object.keys(eipTags(purpose)))),
    fc.string(),
  )
  const policy = fc.constantFrom('Never' as const, 'Immediate' as const)
  fc.assert(
    fc.property(
      own,
      policy,
      fc.option(fc.integer({ min: 300_000 }), { nil: undefined }),
      (tags, keeps, expireAfter) => {
        const one = { ...purpose, policy: keeps, expireAfter }
        const said = eipTags(one, expireAfter === undefined ? {} : tags)
        assert.deepEqual(purposeOfEip(said), one)
        for (const [key, value] of Object.entries({ ...clusterEips('cls-1'), 'tke-eni-intent': 't' }))
          assert.equal(said[key], value)
      },
    ),
  )
})

test('[E4] purposeOfEip() takes no EIP for ours that does not say so', () => {
  const { 'tke-created-eip': _, ...unsaid } = eipTags(purpose)
  assert.equal(purposeOfEip(unsaid), undefined)
  assert.equal(purposeOfEip({}), undefined)
  for (const key of Object.keys(eipTags(purpose)).filter((one) => !/policy|expires|owner/.test(one)))
    assert.equal(purposeOfEip({ ...eipTags(purpose), [key]: '' }), undefined, key)
})

for (const said of [undefined, 'never', ''])
  test(`[R7] purposeOfEip() rather keeps an EIP whose policy is ${said ?? 'not there'}`, () => {
    const tags = Object.fromEntries(
      Object.entries(eipTags(purpose)).filter(([key]) => !key.includes('policy')),
    )
    assert.equal(
      purposeOfEip({ ...tags, ...(said !== undefined && { 'tke-eni-claim-policy': said }) })?.policy,
      'Never',
    )
  })
