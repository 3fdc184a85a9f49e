// The three kinds of patch.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { asText, at, type JsonObject } from '../../../internal/apiserver/object.ts'
import type { BenchOf } from '../kube.contract.ts'
import { nameOf, versionOf } from './server.ts'

const container = (name: string, image: string) => ({ name, image })

export function patchTests(bench: BenchOf): void {
  const configMap = async (data: Record<string, string>): Promise<{ path: string; made: JsonObject }> => {
    const { kube, core } = bench()
    const made = await kube.create(`${core}/configmaps`, {
      metadata: { generateName: 'patched-', labels: { a: '1' } },
      data,
    })
    return { path: `${core}/configmaps/${nameOf(made)}`, made }
  }
  const pod = async (spec: object): Promise<string> => {
    const { kube, core } = bench()
    return `${core}/pods/${nameOf(await kube.create(`${core}/pods`, { metadata: { generateName: 'patched-' }, spec }))}`
  }

  describe('patches', () => {
    test('merge patch sets, replaces and removes', async () => {
      const { path } = await configMap({ keep: '1', change: '1', drop: '1' })
      const { status, body } = await bench().kube.patch('merge', path, {
        data: { change: '2', drop: null, add: '3' },
      })
      assert.equal(status, 200)
      assert.deepEqual(body['data'], { keep: '1', change: '2', add: '3' })
    })

    test('a patch with an old version is a conflict', async () => {
      const { kube } = bench()
      const { path, made } = await configMap({ a: '1' })
      await kube.patch('merge', path, { data: { a: '2' } })
      const late = await kube.patch('merge', path, {
        metadata: { resourceVersion: versionOf(made) },
        data: { a: '3' },
      })
      assert.deepEqual([late.status, late.body['reason']], [409, 'Conflict'])
    })

    test('a patch that changes nothing keeps the version', async () => {
      const { path, made } = await configMap({ a: '1' })
      const { body } = await bench().kube.patch('merge', path, { data: { a: '1' } })
      assert.equal(versionOf(body), versionOf(made))
    })

    test('a patch with dryRun answers and keeps nothing', async () => {
      const { kube } = bench()
      const { path } = await configMap({ a: '1' })
      const dry = await kube.patch('merge', `${path}?dryRun=All`, { data: { a: '2' } })
      assert.deepEqual(dry.body['data'], { a: '2' })
      assert.deepEqual((await kube.get(path)).body['data'], { a: '1' })
    })

    test('a patch cannot rename', async () => {
      const { path } = await configMap({})
      const { status } = await bench().kube.patch('merge', path, { metadata: { name: 'renamed' } })
      assert.ok([400, 422].includes(status), String(status))
    })

    test('JSON patch adds, replaces, removes, moves and copies', async () => {
      const { path } = await configMap({ a: '1', b: '2', x: '3' })
      const { body } = await bench().kube.patch('json', path, [
        { op: 'add', path: '/data/c', value: '4' },
        { op: 'replace', path: '/data/a', value: '5' },
        { op: 'remove', path: '/data/b' },
        { op: 'move', from: '/data/x', path: '/data/moved' },
        { op: 'copy', from: '/data/c', path: '/data/copied' },
      ])
      assert.deepEqual(body['data'], { a: '5', c: '4', moved: '3', copied: '4' })
    })

    test('JSON patch paths escape slashes and tildes', async () => {
      const { path } = await configMap({})
      const { body } = await bench().kube.patch('json', path, [
        { op: 'add', path: '/metadata/annotations', value: {} },
        { op: 'add', path: '/metadata/annotations/x.io~1y', value: '1' },
      ])
      assert.deepEqual(at(body, 'metadata', 'annotations'), { 'x.io/y': '1' })
    })

    test('JSON patch with a test that holds applies', async () => {
      const { path } = await configMap({ a: '1' })
      const { body } = await bench().kube.patch('json', path, [
        { op: 'test', path: '/data/a', value: '1' },
        { op: 'replace', path: '/data/a', value: '2' },
      ])
      assert.deepEqual(body['data'], { a: '2' })
    })

    test('JSON patch with a test that fails applies nothing', async () => {
      const { kube } = bench()
      const { path } = await configMap({ a: '1' })
      const { status } = await kube.patch('json', path, [
        { op: 'replace', path: '/data/a', value: '2' },
        { op: 'test', path: '/data/a', value: '1' },
      ])
      assert.equal(status, 422)
      assert.deepEqual((await kube.get(path)).body['data'], { a: '1' })
    })

    test('JSON patch of a path that is not there is refused', async () => {
      const { path } = await configMap({ a: '1' })
      assert.equal((await bench().kube.patch('json', path, [{ op: 'remove', path: '/data/z' }])).status, 422)
    })

    test('strategic merge patch merges containers by name', async () => {
      const path = await pod({ containers: [container('a', 'one'), container('b', 'two')] })
      const { status, body } = await bench().kube.patch('strategic-merge', path, {
        spec: { containers: [{ name: 'b', image: 'three' }] },
      })
      assert.equal(status, 200)
      const images = (at(body, 'spec', 'containers') as JsonObject[]).map(
        ({ name, image }) => `${asText(name)}=${asText(image)}`,
      )
      assert.deepEqual(images, ['a=one', 'b=three'])
    })

    test('strategic merge patch merges conditions by type and removes them by directive', async () => {
      const { kube } = bench()
      const path = await pod({ containers: [container('a', 'one')] })
      const condition = (type: string, status: string) => ({ type, status })
      const types = (body: JsonObject): string[] =>
        ((at(body, 'status', 'conditions') ?? []) as JsonObject[]).map(
          ({ type, status }) => `${asText(type)}=${asText(status)}`,
        )
      await kube.patch('strategic-merge', `${path}/status`, {
        status: { conditions: [condition('x.io/a', 'True'), condition('x.io/b', 'False')] },
      })
      const merged = await kube.patch('strategic-merge', `${path}/status`, {
        status: { conditions: [condition('x.io/b', 'True')] },
      })
      assert.deepEqual(
        types(merged.body)
          .filter((type) => type.startsWith('x.io/'))
          .sort((a, b) => a.localeCompare(b)),
        ['x.io/a=True', 'x.io/b=True'],
      )
      const removed = await kube.patch('strategic-merge', `${path}/status`, {
        status: { conditions: [{ type: 'x.io/a', $patch: 'delete' }] },
      })
      assert.deepEqual(
        types(removed.body).filter((type) => type.startsWith('x.io/')),
        ['x.io/b=True'],
      )
    })

    test('strategic merge patch adds and removes finalizers as a set', async () => {
      const { kube } = bench()
      const { path } = await configMap({})
      const finalizers = async (patch: object) =>
        at((await kube.patch('strategic-merge', path, { metadata: patch })).body, 'metadata', 'finalizers')
      await finalizers({ finalizers: ['x.io/a'] })
      assert.deepEqual(await finalizers({ finalizers: ['x.io/b'] }), ['x.io/b', 'x.io/a'])
      assert.deepEqual(await finalizers({ '$deleteFromPrimitiveList/finalizers': ['x.io/a'] }), ['x.io/b'])
      assert.equal(await finalizers({ finalizers: null }), undefined)
    })

    test('the spec of a pod stays as it is, but for images', async () => {
      const path = await pod({ containers: [container('a', 'one')] })
      const { status, body } = await bench().kube.patch('merge', path, { spec: { hostNetwork: true } })
      assert.equal(status, 422)
      assert.match(asText(body['message']), /pod updates may not change fields other than/)
    })
  })
}
