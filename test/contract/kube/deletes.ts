// Deletion: grace, finalizers, preconditions, collections, namespaces.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { asText, at } from '../../../internal/apiserver/object.ts'
import type { BenchOf } from '../kube.contract.ts'
import { nameOf, namesIn, versionOf } from './server.ts'

export function deleteTests(bench: BenchOf): void {
  const configMap = async (metadata: object = {}) => {
    const { kube, core } = bench()
    const made = await kube.create(`${core}/configmaps`, {
      metadata: { generateName: 'deleted-', ...metadata },
    })
    return { made, path: `${core}/configmaps/${nameOf(made)}` }
  }
  const options = (given: object) => ({ apiVersion: 'v1', kind: 'DeleteOptions', ...given })

  describe('deletion', () => {
    test('DELETE removes and says what', async () => {
      const { kube } = bench()
      const { made, path } = await configMap()
      const { status, body } = await kube.send('DELETE', path)
      assert.equal(status, 200)
      assert.partialDeepStrictEqual(body, {
        kind: 'Status',
        status: 'Success',
        details: { name: nameOf(made), kind: 'configmaps', uid: asText(at(made, 'metadata', 'uid')) },
      })
      assert.equal((await kube.get(path)).status, 404)
    })

    test('DELETE with dryRun keeps it', async () => {
      const { kube } = bench()
      const { path } = await configMap()
      assert.equal((await kube.send('DELETE', path, options({ dryRun: ['All'] }))).status, 200)
      assert.equal((await kube.get(path)).status, 200)
    })

    for (const policy of ['Background', 'Orphan']) {
      test(`DELETE takes propagationPolicy ${policy}`, async () => {
        const { kube } = bench()
        const { path } = await configMap()
        assert.equal((await kube.send('DELETE', path, options({ propagationPolicy: policy }))).status, 200)
      })
    }

    test('DELETE of another uid or version is a conflict', async () => {
      const { kube } = bench()
      const { made, path } = await configMap()
      for (const preconditions of [
        { uid: '00000000-0000-4000-8000-000000000000' },
        { resourceVersion: '1' },
      ]) {
        const { status, body } = await kube.send('DELETE', path, options({ preconditions }))
        assert.deepEqual([status, body['reason']], [409, 'Conflict'])
      }
      const preconditions = { uid: asText(at(made, 'metadata', 'uid')), resourceVersion: versionOf(made) }
      assert.equal((await kube.send('DELETE', path, options({ preconditions }))).status, 200)
    })

    test('finalizers hold an object until the last is gone', async () => {
      const { kube } = bench()
      const { path } = await configMap({ finalizers: ['x.io/hold', 'x.io/more'] })
      const first = await kube.send('DELETE', path)
      assert.equal(first.status, 200)
      const held = (await kube.get(path)).body
      assert.match(asText(at(held, 'metadata', 'deletionTimestamp')), /Z$/)
      assert.equal(at(held, 'metadata', 'deletionGracePeriodSeconds'), 0)
      const added = await kube.patch('merge', path, { metadata: { finalizers: ['x.io/hold', 'x.io/new'] } })
      assert.deepEqual([added.status, added.body['reason']], [422, 'Invalid'])
      await kube.patch('merge', path, { metadata: { finalizers: ['x.io/hold'] } })
      assert.equal((await kube.get(path)).status, 200)
      assert.equal((await kube.patch('merge', path, { metadata: { finalizers: null } })).status, 200)
      assert.equal((await kube.get(path)).status, 404)
    })

    test('DELETE of a collection removes what is selected', async () => {
      const { kube, core } = bench()
      for (const name of ['one', 'two'])
        await configMap({ name: `bulk-${name}`, labels: { bulk: name, set: 'bulk' } })
      const { status } = await kube.send('DELETE', `${core}/configmaps?labelSelector=bulk%3Done`)
      assert.equal(status, 200)
      assert.deepEqual(namesIn((await kube.get(`${core}/configmaps?labelSelector=set%3Dbulk`)).body), [
        'bulk-two',
      ])
    })

    test('a namespace that ends takes nothing new', async () => {
      const { kube } = bench()
      const made = await kube.create('/api/v1/namespaces', { metadata: { generateName: 'contract-ends-' } })
      const path = `/api/v1/namespaces/${nameOf(made)}`
      const held = await kube.create(`${path}/configmaps`, {
        metadata: { name: 'held', finalizers: ['x.io/hold'] },
      })
      const { status } = await kube.send('DELETE', path)
      assert.equal(status, 200)
      assert.partialDeepStrictEqual((await kube.get(path)).body, { status: { phase: 'Terminating' } })
      const late = await kube.send('POST', `${path}/configmaps`, { metadata: { name: 'late' } })
      assert.deepEqual([late.status, late.body['reason']], [403, 'Forbidden'])
      assert.partialDeepStrictEqual(late.body, { details: { causes: [{ reason: 'NamespaceTerminating' }] } })
      await kube.patch('merge', `${path}/configmaps/${nameOf(held)}`, { metadata: { finalizers: null } })
    })
  })
}
