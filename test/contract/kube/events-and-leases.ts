// Events in both of their forms, and leases as leader election uses them.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { asText, at } from '../../../internal/apiserver/object.ts'
import type { BenchOf } from '../kube.contract.ts'
import { nameOf, namesIn, versionOf } from './server.ts'

const time = '2026-01-02T03:04:05Z'
const preciseTime = '2026-01-02T03:04:05.000000Z'

export function eventAndLeaseTests(bench: BenchOf): void {
  describe('events', () => {
    const coreEvent = (name: string) => ({
      metadata: { name },
      involvedObject: {
        kind: 'Pod',
        name: 'about',
        namespace: bench().namespace,
        uid: 'u-1',
        apiVersion: 'v1',
      },
      type: 'Warning',
      reason: 'NoAddress',
      message: 'nothing left',
      source: { component: 'tester' },
      firstTimestamp: time,
      lastTimestamp: time,
      count: 3,
    })

    test('core/v1 events are kept and found by what they are about', async () => {
      const { kube, core } = bench()
      await kube.create(`${core}/events`, coreEvent('about.core'))
      const found = async (selector: string) =>
        namesIn((await kube.get(`${core}/events?fieldSelector=${encodeURIComponent(selector)}`)).body)
      assert.deepEqual(
        await found('involvedObject.kind=Pod,involvedObject.name=about,involvedObject.uid=u-1'),
        ['about.core'],
      )
      assert.deepEqual(await found('involvedObject.name=other'), [])
      assert.deepEqual(await found('reason=NoAddress,type=Warning'), ['about.core'])
    })

    test('a core/v1 event is seen through events.k8s.io/v1', async () => {
      const { kube, core, namespace } = bench()
      await kube.create(`${core}/events`, coreEvent('about.both'))
      const { body } = await kube.get(`/apis/events.k8s.io/v1/namespaces/${namespace}/events/about.both`)
      assert.partialDeepStrictEqual(body, {
        apiVersion: 'events.k8s.io/v1',
        kind: 'Event',
        regarding: { kind: 'Pod', name: 'about', uid: 'u-1' },
        note: 'nothing left',
        reason: 'NoAddress',
        type: 'Warning',
        deprecatedCount: 3,
        deprecatedSource: { component: 'tester' },
      })
      assert.equal(body['involvedObject'], undefined)
    })

    test('an events.k8s.io/v1 event is seen through core/v1, and its series patched', async () => {
      const { kube, core, namespace } = bench()
      const all = `/apis/events.k8s.io/v1/namespaces/${namespace}/events`
      await kube.create(all, {
        metadata: { name: 'about.newer' },
        eventTime: preciseTime,
        reportingController: 'x.io/tester',
        reportingInstance: 'tester-1',
        action: 'Assign',
        reason: 'Assigned',
        regarding: { kind: 'Pod', name: 'about', namespace },
        note: 'has an address',
        type: 'Normal',
      })
      assert.partialDeepStrictEqual((await kube.get(`${core}/events/about.newer`)).body, {
        apiVersion: 'v1',
        involvedObject: { kind: 'Pod', name: 'about' },
        message: 'has an address',
        reportingComponent: 'x.io/tester',
        eventTime: preciseTime,
      })
      const series = { count: 2, lastObservedTime: preciseTime }
      const { status, body } = await kube.patch('merge', `${all}/about.newer`, { series })
      assert.deepEqual([status, at(body, 'series', 'count')], [200, 2])
    })
  })

  describe('leases', () => {
    test('of two holders that read the same version one gets it', async () => {
      const { kube, namespace } = bench()
      const all = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`
      const made = await kube.create(all, {
        metadata: { name: 'lock' },
        spec: { holderIdentity: 'a', leaseDurationSeconds: 15, renewTime: preciseTime },
      })
      const claim = (holderIdentity: string) => ({
        ...made,
        spec: { holderIdentity, leaseDurationSeconds: 15, leaseTransitions: 1 },
      })
      const [b, c] = await Promise.all(
        ['b', 'c'].map((holder) => kube.send('PUT', `${all}/lock`, claim(holder))),
      )
      assert.deepEqual(
        [b?.status, c?.status].toSorted((x, y) => Number(x) - Number(y)),
        [200, 409],
      )
      const winner = b?.status === 200 ? 'b' : 'c'
      const now = (await kube.get(`${all}/lock`)).body
      assert.deepEqual([nameOf(now), asText(at(now, 'spec', 'holderIdentity'))], ['lock', winner])
      assert.notEqual(versionOf(now), versionOf(made))
    })
  })
}
