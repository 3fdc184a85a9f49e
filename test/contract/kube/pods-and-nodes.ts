// Pods and nodes as a scheduler, a kubelet and the product use them.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { asText, at, type JsonObject } from '../../../internal/apiserver/object.ts'
import type { BenchOf } from '../kube.contract.ts'
import { nameOf, namesIn, nextEvents, versionOf } from './server.ts'

export function podAndNodeTests(bench: BenchOf): void {
  const node = () => `node.${bench().namespace}`
  const pod = async (spec: object = {}, metadata: object = {}) => {
    const { kube, core } = bench()
    const made = await kube.create(`${core}/pods`, {
      metadata: { generateName: 'pod-', ...metadata },
      spec: { containers: [{ name: 'main', image: 'none' }], ...spec },
    })
    return { made, path: `${core}/pods/${nameOf(made)}` }
  }

  describe('pods and nodes', () => {
    before(() =>
      bench().kube.create('/api/v1/nodes', {
        metadata: { name: node() },
        spec: { providerID: 'qcloud:///1/ins-1' },
      }),
    )
    after(() => bench().kube.send('DELETE', `/api/v1/nodes/${node()}`))

    test('a new pod is Pending and has its defaults', async () => {
      const { made } = await pod()
      assert.partialDeepStrictEqual(made, {
        spec: { restartPolicy: 'Always', terminationGracePeriodSeconds: 30, dnsPolicy: 'ClusterFirst' },
        status: { phase: 'Pending', qosClass: 'BestEffort' },
      })
    })

    test('a new pod cannot bring a status', async () => {
      const { kube, core } = bench()
      const made = await kube.create(`${core}/pods`, {
        metadata: { generateName: 'pod-' },
        spec: { containers: [{ name: 'main', image: 'none' }] },
        status: { phase: 'Running', podIP: '10.0.0.1' },
      })
      assert.deepEqual([at(made, 'status', 'phase'), at(made, 'status', 'podIP')], ['Pending', undefined])
    })

    test('binding puts a pod on a node, once', async () => {
      const { kube, namespace } = bench()
      const { made, path } = await pod()
      const binding = { metadata: { name: nameOf(made), namespace }, target: { kind: 'Node', name: node() } }
      assert.equal((await kube.send('POST', `${path}/binding`, binding)).status, 201)
      const bound = (await kube.get(path)).body
      assert.equal(at(bound, 'spec', 'nodeName'), node())
      assert.partialDeepStrictEqual(bound, {
        status: { conditions: [{ type: 'PodScheduled', status: 'True' }] },
      })
      assert.equal((await kube.send('POST', `${path}/binding`, binding)).status, 409)
    })

    test('the status of a pod has its own path', async () => {
      const { kube } = bench()
      const { path } = await pod({ nodeName: node() })
      const status = { phase: 'Running', podIP: '10.0.0.9', podIPs: [{ ip: '10.0.0.9' }] }
      const { body } = await kube.patch('merge', `${path}/status`, { status })
      assert.partialDeepStrictEqual(body, { status })
      const full = (await kube.get(path)).body
      const replaced = await kube.must('PUT', `${path}/status`, { ...full, status: { phase: 'Succeeded' } })
      assert.equal(at(replaced, 'status', 'phase'), 'Succeeded')
    })

    test('field selectors find pods by node and phase', async () => {
      const { kube, core } = bench()
      const label = { set: 'fields' }
      const { path } = await pod({ nodeName: node() }, { name: 'fields-a', labels: label })
      await pod({}, { name: 'fields-b', labels: label })
      await kube.patch('merge', `${path}/status`, { status: { phase: 'Running' } })
      const found = async (selector: string) =>
        namesIn(
          (
            await kube.get(
              `${core}/pods?labelSelector=set%3Dfields&fieldSelector=${encodeURIComponent(selector)}`,
            )
          ).body,
        )
      assert.deepEqual(await found(`spec.nodeName=${node()}`), ['fields-a'])
      assert.deepEqual(await found('spec.nodeName='), ['fields-b'])
      assert.deepEqual(await found('status.phase=Pending'), ['fields-b'])
      assert.deepEqual(await found('status.phase!=Pending,spec.restartPolicy=Always'), ['fields-a'])
    })

    test('a watch of a node sees a pod when it is bound there', async () => {
      const { kube, core, namespace } = bench()
      const { made, path } = await pod({}, { name: 'arrives' })
      const selector = encodeURIComponent(`spec.nodeName=${node()}`)
      const watch = await kube.watch(
        `${core}/pods?watch=true&fieldSelector=${selector}&resourceVersion=${versionOf(made)}`,
      )
      await kube.send('POST', `${path}/binding`, {
        metadata: { name: 'arrives', namespace },
        target: { kind: 'Node', name: node() },
      })
      assert.deepEqual(await nextEvents(watch, 1), ['ADDED arrives'])
      watch.close()
    })

    test('a pod without a node is deleted at once', async () => {
      const { kube } = bench()
      const { path } = await pod()
      const { status, body } = await kube.send('DELETE', path)
      assert.deepEqual([status, body['kind']], [200, 'Pod'])
      assert.equal((await kube.get(path)).status, 404)
    })

    test('a pod on a node waits for its kubelet', async () => {
      const { kube, core } = bench()
      const { made, path } = await pod({ nodeName: node() })
      const watch = await kube.watch(
        `${core}/pods?watch=true&fieldSelector=metadata.name%3D${nameOf(made)}&resourceVersion=${versionOf(made)}`,
      )
      await kube.must('DELETE', path)
      const ending = (await kube.get(path)).body
      assert.equal(at(ending, 'metadata', 'deletionGracePeriodSeconds'), 30)
      assert.match(asText(at(ending, 'metadata', 'deletionTimestamp')), /Z$/)
      await kube.patch('merge', `${path}/status`, { status: { phase: 'Failed' } })
      await kube.must('DELETE', path, { gracePeriodSeconds: 0 })
      assert.equal((await kube.get(path)).status, 404)
      // A real server marks it for grace 0 before it removes it: how many changes there are between is its own affair.
      const events = [await watch.next(), await watch.next(), await watch.next()]
      while (events.at(-1)?.type === 'MODIFIED') events.push(await watch.next())
      assert.deepEqual(
        [events[0]?.type, events[1]?.type, events.at(-1)?.type],
        ['MODIFIED', 'MODIFIED', 'DELETED'],
      )
      watch.close()
    })

    test('a second DELETE may shorten the grace, not lengthen it', async () => {
      const { kube } = bench()
      const { path } = await pod({ nodeName: node() })
      const grace = async (gracePeriodSeconds: number) => {
        await kube.must('DELETE', path, { gracePeriodSeconds })
        return at((await kube.get(path)).body, 'metadata', 'deletionGracePeriodSeconds')
      }
      assert.deepEqual([await grace(20), await grace(60), await grace(5)], [20, 20, 5])
      await kube.must('DELETE', path, { gracePeriodSeconds: 0 })
      assert.equal((await kube.get(path)).status, 404)
    })

    test('a pod that has ended is deleted at once', async () => {
      const { kube } = bench()
      const { path } = await pod({ nodeName: node() })
      await kube.patch('merge', `${path}/status`, { status: { phase: 'Succeeded' } })
      await kube.must('DELETE', path)
      assert.equal((await kube.get(path)).status, 404)
    })

    test('finalizers hold a pod beyond its kubelet', async () => {
      const { kube } = bench()
      const { path } = await pod({ nodeName: node() }, { finalizers: ['x.io/hold'] })
      await kube.must('DELETE', path, { gracePeriodSeconds: 0 })
      assert.equal(at((await kube.get(path)).body, 'metadata', 'deletionGracePeriodSeconds'), 0)
      await kube.patch('merge', path, { metadata: { finalizers: null } })
      assert.equal((await kube.get(path)).status, 404)
    })

    test('nodes keep labels, annotations and a status of their own', async () => {
      const { kube } = bench()
      const path = `/api/v1/nodes/${node()}`
      await kube.patch('strategic-merge', path, {
        metadata: { labels: { zone: 'z1' }, annotations: { 'x.io/y': 'z' } },
      })
      const { body } = await kube.patch('strategic-merge', `${path}/status`, {
        status: {
          conditions: [{ type: 'Ready', status: 'True', reason: 'Fine', message: '' }],
          capacity: { 'x.io/ip': '5' },
        },
      })
      assert.partialDeepStrictEqual(body, {
        metadata: { labels: { zone: 'z1' }, annotations: { 'x.io/y': 'z' } },
        spec: { providerID: 'qcloud:///1/ins-1' },
        status: { capacity: { 'x.io/ip': '5' } },
      })
      const ready = (at(body, 'status', 'conditions') as JsonObject[]).find(({ type }) => type === 'Ready')
      assert.equal(at(ready, 'status'), 'True')
    })
  })
}
