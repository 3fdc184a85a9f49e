// Create, get and update: what the server fills in, and who wins.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { asText, at } from '../../../internal/apiserver/object.ts'
import type { BenchOf } from '../kube.contract.ts'
import { nameOf, versionOf } from './server.ts'

const deployment = (name: string) => ({
  metadata: { name },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: 'main', image: 'none' }] },
    },
  },
})

export function objectTests(bench: BenchOf): void {
  describe('objects', () => {
    test('POST fills in kind, uid, version and time', async () => {
      const { kube, core, namespace } = bench()
      const { status, body } = await kube.send('POST', `${core}/configmaps`, {
        metadata: { name: 'filled', labels: { a: 'b' }, annotations: { 'x.io/y': 'any text, really' } },
        data: { key: 'value' },
      })
      assert.equal(status, 201)
      assert.partialDeepStrictEqual(body, {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: {
          name: 'filled',
          namespace,
          labels: { a: 'b' },
          annotations: { 'x.io/y': 'any text, really' },
        },
        data: { key: 'value' },
      })
      assert.match(
        asText(at(body, 'metadata', 'uid')),
        /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
      )
      assert.match(asText(at(body, 'metadata', 'creationTimestamp')), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
      assert.match(versionOf(body), /^[1-9]\d*$/)
      assert.deepEqual((await kube.get(`${core}/configmaps/filled`)).body, body)
    })

    test('POST makes a name from generateName', async () => {
      const { kube, core } = bench()
      const given = { metadata: { generateName: 'made-' } }
      const [one, two] = [
        await kube.create(`${core}/configmaps`, given),
        await kube.create(`${core}/configmaps`, given),
      ]
      assert.match(nameOf(one), /^made-[a-z0-9]{5}$/)
      assert.notEqual(nameOf(one), nameOf(two))
      assert.equal(at(one, 'metadata', 'generateName'), 'made-')
    })

    test('POST with dryRun answers and keeps nothing', async () => {
      const { kube, core } = bench()
      const dry = await kube.send('POST', `${core}/configmaps?dryRun=All`, { metadata: { name: 'dry' } })
      assert.equal(dry.status, 201)
      assert.notEqual(asText(at(dry.body, 'metadata', 'uid')), '')
      assert.equal((await kube.get(`${core}/configmaps/dry`)).status, 404)
    })

    test('PUT with the version it read wins once', async () => {
      const { kube, core } = bench()
      const first = await kube.create(`${core}/configmaps`, { metadata: { name: 'raced' }, data: { a: '1' } })
      const path = `${core}/configmaps/raced`
      const second = await kube.must('PUT', path, { ...first, data: { a: '2' } })
      assert.notEqual(versionOf(second), versionOf(first))
      const lost = await kube.send('PUT', path, { ...first, data: { a: '3' } })
      assert.equal(lost.status, 409)
      assert.partialDeepStrictEqual(lost.body, {
        kind: 'Status',
        status: 'Failure',
        reason: 'Conflict',
        code: 409,
        message:
          'Operation cannot be fulfilled on configmaps "raced": the object has been modified; please apply your changes to the latest version and try again',
      })
      assert.deepEqual((await kube.get(path)).body['data'], { a: '2' })
    })

    test('PUT without a version wins always, where the kind allows it', async () => {
      const { kube, core } = bench()
      await kube.create(`${core}/configmaps`, { metadata: { name: 'forced' }, data: { a: '1' } })
      const after = await kube.must('PUT', `${core}/configmaps/forced`, {
        metadata: { name: 'forced' },
        data: { b: '2' },
      })
      assert.deepEqual(after['data'], { b: '2' })
    })

    test('PUT that changes nothing keeps the version', async () => {
      const { kube, core } = bench()
      const made = await kube.create(`${core}/configmaps`, { metadata: { name: 'same' }, data: { a: '1' } })
      const again = await kube.must('PUT', `${core}/configmaps/same`, made)
      assert.equal(versionOf(again), versionOf(made))
    })

    test('PUT keeps uid and creation time, whatever it says of the latter', async () => {
      const { kube, core } = bench()
      const made = await kube.create(`${core}/configmaps`, { metadata: { name: 'steady' } })
      const { metadata } = made as { metadata: object }
      const after = await kube.must('PUT', `${core}/configmaps/steady`, {
        ...made,
        metadata: { ...metadata, creationTimestamp: '2001-01-01T00:00:00Z', labels: { a: 'b' } },
      })
      for (const field of ['uid', 'creationTimestamp'])
        assert.equal(at(after, 'metadata', field), at(made, 'metadata', field))
    })

    test('PUT with another uid is a conflict', async () => {
      const { kube, core } = bench()
      await kube.create(`${core}/configmaps`, { metadata: { name: 'other-uid' } })
      const answer = await kube.send('PUT', `${core}/configmaps/other-uid`, {
        metadata: { name: 'other-uid', uid: '00000000-0000-4000-8000-000000000000' },
      })
      assert.deepEqual([answer.status, answer.body['reason']], [409, 'Conflict'])
    })

    test('versions rise over all kinds', async () => {
      const { kube, core } = bench()
      const one = await kube.create(`${core}/configmaps`, { metadata: { generateName: 'rise-' } })
      const two = await kube.create(`${core}/secrets`, { metadata: { generateName: 'rise-' } })
      assert.ok(Number(versionOf(two)) > Number(versionOf(one)))
    })

    test('generation counts changes of spec only', async () => {
      const { kube, namespace } = bench()
      const all = `/apis/apps/v1/namespaces/${namespace}/deployments`
      const made = await kube.create(all, deployment('counted'))
      assert.equal(at(made, 'metadata', 'generation'), 1)
      const labelled = await kube.patch('merge', `${all}/counted`, { metadata: { labels: { a: 'b' } } })
      assert.equal(at(labelled.body, 'metadata', 'generation'), 1)
      const scaled = await kube.patch('merge', `${all}/counted`, { spec: { replicas: 2 } })
      assert.equal(at(scaled.body, 'metadata', 'generation'), 2)
      const reported = await kube.patch('merge', `${all}/counted/status`, { status: { replicas: 2 } })
      assert.deepEqual(
        [at(reported.body, 'metadata', 'generation'), at(reported.body, 'status', 'replicas')],
        [2, 2],
      )
    })

    test('status is written through its own path only', async () => {
      const { kube, namespace } = bench()
      const all = `/apis/apps/v1/namespaces/${namespace}/deployments`
      const made = await kube.create(all, { ...deployment('apart'), status: { replicas: 7 } })
      assert.notEqual(at(made, 'status', 'replicas'), 7)
      const main = await kube.patch('merge', `${all}/apart`, { status: { replicas: 8 } })
      assert.notEqual(at(main.body, 'status', 'replicas'), 8)
      const status = await kube.patch('merge', `${all}/apart/status`, {
        spec: { replicas: 9 },
        status: { replicas: 3 },
      })
      assert.deepEqual([at(status.body, 'spec', 'replicas'), at(status.body, 'status', 'replicas')], [1, 3])
      assert.deepEqual((await kube.get(`${all}/apart/status`)).body, status.body)
    })

    test('namespaces label themselves and are Active', async () => {
      const { kube, core, namespace } = bench()
      assert.partialDeepStrictEqual((await kube.get(core)).body, {
        metadata: { labels: { 'kubernetes.io/metadata.name': namespace } },
        status: { phase: 'Active' },
      })
    })

    test('secrets take stringData', async () => {
      const { kube, core } = bench()
      const made = await kube.create(`${core}/secrets`, {
        metadata: { name: 'plain' },
        stringData: { word: 'hush' },
      })
      assert.partialDeepStrictEqual(made, {
        type: 'Opaque',
        data: { word: Buffer.from('hush').toString('base64') },
      })
      assert.equal(made['stringData'], undefined)
    })
  })
}
