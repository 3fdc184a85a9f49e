// Server-side apply, as far as people use it by hand: own fields, give them up, run into others.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { asObjects, asText, at, type JsonObject } from '../../../internal/apiserver/object.ts'
import type { BenchOf } from '../kube.contract.ts'
import type { Answer } from './server.ts'

export function applyTests(bench: BenchOf): void {
  const apply = (name: string, manager: string, rest: object, query = ''): Promise<Answer> => {
    const { kube, core } = bench()
    const path = `${core}/configmaps/${name}?fieldManager=${manager}${query}`
    const body = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, ...rest })
    return kube.send('PATCH', path, body, { 'content-type': 'application/apply-patch+yaml' })
  }

  describe('server-side apply', () => {
    test('creates, changes, and removes what its manager no longer says', async () => {
      const made = await apply('applied', 'one', { data: { a: '1', b: '2' } })
      assert.deepEqual([made.status, made.body['data']], [201, { a: '1', b: '2' }])
      const again = await apply('applied', 'one', { data: { a: '3' } })
      assert.deepEqual([again.status, again.body['data']], [200, { a: '3' }])
    })

    test('leaves alone what another manager said', async () => {
      await apply('both', 'one', { data: { a: '1' } })
      await apply('both', 'two', { data: { b: '2' } })
      const { body } = await apply('both', 'one', { data: { c: '3' } })
      assert.deepEqual(body['data'], { b: '2', c: '3' })
    })

    test('refuses to change what another manager said, unless forced', async () => {
      await apply('contested', 'one', { data: { a: '1' } })
      const { status, body } = await apply('contested', 'two', { data: { a: '2' } })
      assert.deepEqual([status, body['reason']], [409, 'Conflict'])
      assert.match(
        asText(body['message']),
        /^Apply failed with 1 conflict: conflict with "one".*: \.data\.a$/,
      )
      assert.partialDeepStrictEqual(body, {
        details: { causes: [{ reason: 'FieldManagerConflict', field: '.data.a' }] },
      })
      const forced = await apply('contested', 'two', { data: { a: '2' } }, '&force=true')
      assert.deepEqual(forced.body['data'], { a: '2' })
      // The loser gave the field up: leaving it out removes nothing.
      const loser = await apply('contested', 'one', { data: { z: '9' } })
      assert.deepEqual(loser.body['data'], { a: '2', z: '9' })
    })

    test('the same value is owned by both, and stays until neither says it', async () => {
      await apply('shared', 'one', { data: { a: '1' } })
      assert.equal((await apply('shared', 'two', { data: { a: '1' } })).status, 200)
      assert.deepEqual((await apply('shared', 'one', { data: { b: '2' } })).body['data'], { a: '1', b: '2' })
      assert.deepEqual((await apply('shared', 'two', { data: { c: '3' } })).body['data'], { b: '2', c: '3' })
    })

    test('says in managedFields who owns what', async () => {
      const { body } = await apply('owned', 'one', { data: { a: '1' } })
      const mine = asObjects(at(body, 'metadata', 'managedFields')).find(({ manager }) => manager === 'one')
      assert.partialDeepStrictEqual(mine, {
        operation: 'Apply',
        apiVersion: 'v1',
        fieldsType: 'FieldsV1',
        fieldsV1: { 'f:data': { 'f:a': {} } },
      })
    })

    test('merges containers by name', async () => {
      const { kube, core } = bench()
      const pod = (manager: string, containers: readonly object[], labels: object) =>
        kube.must(
          'PATCH',
          `${core}/pods/applied?fieldManager=${manager}`,
          JSON.stringify({
            apiVersion: 'v1',
            kind: 'Pod',
            metadata: { name: 'applied', labels },
            spec: { containers },
          }),
          { 'content-type': 'application/apply-patch+yaml' },
        )
      await pod(
        'one',
        [
          { name: 'a', image: 'x' },
          { name: 'b', image: 'y' },
        ],
        { one: '1' },
      )
      const after = await pod('two', [{ name: 'b', image: 'y' }], { two: '2' })
      assert.deepEqual(
        (at(after, 'spec', 'containers') as JsonObject[]).map(({ name }) => name),
        ['a', 'b'],
      )
    })

    test('needs a manager', async () => {
      assert.equal((await apply('unmanaged', '', {})).status, 422)
    })
  })
}
