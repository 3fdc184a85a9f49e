// Watches: order, resuming, selectors, bookmarks, expiry.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { asText, at, type JsonObject } from '../../../internal/apiserver/object.ts'
import type { BenchOf } from '../kube.contract.ts'
import { type KubeWatch, nameOf, nextEvents, versionOf } from './server.ts'

export function watchTests(bench: BenchOf): void {
  let sets = 0
  /** A label of the test's own, so that tests do not see each other. */
  const newSet = () => {
    sets += 1
    const set = `watch-${sets}`
    const { kube, core } = bench()
    const all = `${core}/configmaps`
    return {
      all,
      query: `watch=true&labelSelector=set%3D${set}`,
      make: (name: string) => kube.create(all, { metadata: { name: `${set}-${name}`, labels: { set } } }),
      named: (name: string) => `${set}-${name}`,
      touch: (name: string, data: object) => kube.patch('merge', `${all}/${set}-${name}`, { data }),
      relabel: (name: string, to: string) =>
        kube.patch('merge', `${all}/${set}-${name}`, { metadata: { labels: { set: to } } }),
      remove: (name: string) => kube.must('DELETE', `${all}/${set}-${name}`),
      set,
      version: async () => versionOf((await kube.get(`${all}?limit=1`)).body),
    }
  }
  const watching = async (
    path: string,
    use: (watch: KubeWatch) => Promise<void>,
    accept?: string,
  ): Promise<void> => {
    const watch = await bench().kube.watch(path, accept === undefined ? undefined : { accept })
    try {
      await use(watch)
    } finally {
      watch.close()
    }
  }

  describe('watches', () => {
    test('without a version what is there comes first, then changes in order', async () => {
      const s = newSet()
      await s.make('a')
      await watching(`${s.all}?${s.query}`, async (watch) => {
        assert.deepEqual(await nextEvents(watch, 1), [`ADDED ${s.named('a')}`])
        await s.make('b')
        await s.touch('a', { x: '1' })
        await s.remove('b')
        assert.deepEqual(await nextEvents(watch, 3), [
          `ADDED ${s.named('b')}`,
          `MODIFIED ${s.named('a')}`,
          `DELETED ${s.named('b')}`,
        ])
      })
    })

    test('from a version only what came after it', async () => {
      const s = newSet()
      await s.make('a')
      const from = await s.version()
      await s.make('b')
      await watching(`${s.all}?${s.query}&resourceVersion=${from}`, async (watch) => {
        assert.deepEqual(await nextEvents(watch, 1), [`ADDED ${s.named('b')}`])
        await s.touch('a', { x: '1' })
        assert.deepEqual(await nextEvents(watch, 1), [`MODIFIED ${s.named('a')}`])
      })
    })

    test('resuming from the version of any event loses and repeats nothing', async () => {
      const s = newSet()
      const from = await s.version()
      for (const name of ['a', 'b', 'c']) await s.make(name)
      let middle = ''
      await watching(`${s.all}?${s.query}&resourceVersion=${from}`, async (watch) => {
        await watch.next()
        const second = await watch.next()
        middle = versionOf(second?.object)
      })
      await watching(`${s.all}?${s.query}&resourceVersion=${middle}`, async (watch) => {
        assert.deepEqual(await nextEvents(watch, 1), [`ADDED ${s.named('c')}`])
      })
    })

    test('events carry whole objects; a deletion has the version of its own', async () => {
      const s = newSet()
      const from = await s.version()
      const made = await s.make('a')
      await s.remove('a')
      await watching(`${s.all}?${s.query}&resourceVersion=${from}`, async (watch) => {
        assert.deepEqual((await watch.next())?.object, made)
        const gone = await watch.next()
        assert.equal(gone?.type, 'DELETED')
        assert.ok(Number(versionOf(gone?.object)) > Number(versionOf(made)))
        assert.equal(at(gone?.object, 'metadata', 'uid'), at(made, 'metadata', 'uid'))
      })
    })

    test('an object that leaves the selection is DELETED, one that enters is ADDED', async () => {
      const s = newSet()
      await s.make('a')
      const from = await s.version()
      await watching(`${s.all}?${s.query}&resourceVersion=${from}`, async (watch) => {
        await s.relabel('a', 'elsewhere')
        await s.touch('a', { unseen: '1' })
        await s.relabel('a', s.set)
        assert.deepEqual(await nextEvents(watch, 2), [`DELETED ${s.named('a')}`, `ADDED ${s.named('a')}`])
      })
    })

    test('one object by its name', async () => {
      const s = newSet()
      await s.make('a')
      const from = await s.version()
      await watching(
        `${s.all}?watch=1&fieldSelector=metadata.name%3D${s.named('b')}&resourceVersion=${from}`,
        async (watch) => {
          await s.make('c')
          await s.make('b')
          assert.deepEqual(await nextEvents(watch, 1), [`ADDED ${s.named('b')}`])
        },
      )
    })

    test('the old path with /watch/ works as well', async () => {
      const { namespace } = bench()
      const s = newSet()
      await s.make('a')
      await watching(
        `/api/v1/watch/namespaces/${namespace}/configmaps?labelSelector=set%3D${s.set}`,
        async (watch) => {
          assert.deepEqual(await nextEvents(watch, 1), [`ADDED ${s.named('a')}`])
        },
      )
    })

    test('timeoutSeconds ends it', async () => {
      const s = newSet()
      const from = await s.version()
      await watching(`${s.all}?${s.query}&resourceVersion=${from}&timeoutSeconds=1`, async (watch) => {
        assert.equal(await watch.next(), undefined)
      })
    })

    test('bookmarks come before the end to those who allow them', async () => {
      const s = newSet()
      const made = await s.make('a')
      const query = `${s.query}&resourceVersion=${versionOf(made)}&allowWatchBookmarks=true&timeoutSeconds=4`
      await watching(`${s.all}?${query}`, async (watch) => {
        // A change that this watch does not see, but whose version it learns.
        const { body: other } = await bench().kube.send('POST', s.all, {
          metadata: { generateName: 'other-' },
        })
        const event = await watch.next()
        assert.equal(event?.type, 'BOOKMARK')
        assert.partialDeepStrictEqual(event?.object, { kind: 'ConfigMap', apiVersion: 'v1' })
        assert.ok(Number(versionOf(event?.object)) >= Number(versionOf(other)))
      })
    })

    test('sendInitialEvents gives what is there and then says so', async () => {
      const s = newSet()
      await s.make('a')
      const query = `${s.query}&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`
      await watching(`${s.all}?${query}`, async (watch) => {
        assert.deepEqual(await nextEvents(watch, 1), [`ADDED ${s.named('a')}`])
        const event = await watch.next()
        assert.equal(event?.type, 'BOOKMARK')
        assert.equal(at(event?.object, 'metadata', 'annotations', 'k8s.io/initial-events-end'), 'true')
        assert.notEqual(versionOf(event?.object), '')
      })
    })

    test('a version that is forgotten is answered by an ERROR event with 410', async (t) => {
      const { forget } = bench()
      if (forget === undefined) return t.skip('this server cannot be made to forget')
      const s = newSet()
      const from = await s.version()
      await s.make('a')
      await forget()
      await watching(`${s.all}?${s.query}&resourceVersion=${from}`, async (watch) => {
        const event = await watch.next()
        assert.equal(event?.type, 'ERROR')
        assert.partialDeepStrictEqual(event?.object, {
          kind: 'Status',
          status: 'Failure',
          code: 410,
          reason: 'Expired',
        })
        assert.equal(await watch.next(), undefined)
      })
    })

    test('a continue token that is forgotten is answered by 410 and a fresh token', async (t) => {
      const { kube, forget } = bench()
      if (forget === undefined) return t.skip('this server cannot be made to forget')
      const s = newSet()
      for (const name of ['a', 'b']) await s.make(name)
      const list = `${s.all}?labelSelector=set%3D${s.set}`
      const first = await kube.get(`${list}&limit=1`)
      await forget()
      const late = await kube.get(
        `${list}&limit=1&continue=${encodeURIComponent(asText(at(first.body, 'metadata', 'continue')))}`,
      )
      assert.deepEqual([late.status, late.body['reason']], [410, 'Expired'])
      const fresh = asText(at(late.body, 'metadata', 'continue'))
      const rest = await kube.get(`${list}&continue=${encodeURIComponent(fresh)}`)
      assert.deepEqual((rest.body['items'] as JsonObject[]).map(nameOf), [s.named('b')])
    })

    test('a watch of tables gives rows', async () => {
      const s = newSet()
      await s.make('a')
      const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io'
      const use = async (watch: KubeWatch) => {
        const event = await watch.next()
        assert.equal(event?.type, 'ADDED')
        assert.equal(event?.object['kind'], 'Table')
        assert.equal((at(event?.object, 'rows') as JsonObject[]).length, 1)
      }
      await watching(`${s.all}?${s.query}`, use, accept)
    })
  })
}
