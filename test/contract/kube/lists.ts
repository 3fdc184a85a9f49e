// Lists: selectors, pages, versions.
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { asText, at } from '../../../internal/apiserver/object.ts'
import type { BenchOf } from '../kube.contract.ts'
import { nameOf, namesIn, versionOf } from './server.ts'

const labels: Readonly<Record<string, Record<string, string>>> = {
  'list-a': { set: 'list', tier: 'web', 'x.io/on': '' },
  'list-b': { set: 'list', tier: 'web' },
  'list-c': { set: 'list', tier: 'db' },
  'list-d': { set: 'list' },
}

export function listTests(bench: BenchOf): void {
  describe('lists', () => {
    before(async () => {
      const { kube, core } = bench()
      for (const [name, own] of Object.entries(labels)) {
        await kube.create(`${core}/configmaps`, { metadata: { name, labels: own } })
      }
    })

    const found = async (query: string): Promise<string[]> => {
      const { kube, core } = bench()
      const { status, body } = await kube.get(`${core}/configmaps?${query}`)
      assert.equal(status, 200, JSON.stringify(body))
      return namesIn(body)
    }
    const select = (selector: string) => found(`labelSelector=${encodeURIComponent(selector)}`)

    test('a list has a kind, a version and its items in order', async () => {
      const { kube, core } = bench()
      const { body } = await kube.get(`${core}/configmaps?labelSelector=set%3Dlist`)
      assert.partialDeepStrictEqual(body, { kind: 'ConfigMapList', apiVersion: 'v1' })
      assert.match(versionOf(body), /^[1-9]\d*$/)
      assert.deepEqual(namesIn(body), ['list-a', 'list-b', 'list-c', 'list-d'])
    })

    for (const [selector, names] of [
      ['set=list,tier=web', ['list-a', 'list-b']],
      ['set==list,tier!=web', ['list-c', 'list-d']],
      ['set=list,tier in (web, db)', ['list-a', 'list-b', 'list-c']],
      ['set=list,tier notin (web)', ['list-c', 'list-d']],
      ['set=list,tier', ['list-a', 'list-b', 'list-c']],
      ['set=list,!tier', ['list-d']],
      ['x.io/on', ['list-a']],
      ['x.io/on=', ['list-a']],
      ['set=other', []],
    ] as const) {
      test(`labelSelector ${selector}`, async () => assert.deepEqual(await select(selector), names))
    }

    test('fieldSelector metadata.name and metadata.namespace', async () => {
      const { namespace } = bench()
      assert.deepEqual(await found('fieldSelector=metadata.name%3Dlist-b'), ['list-b'])
      assert.deepEqual(
        await found(
          `labelSelector=set%3Dlist&fieldSelector=metadata.namespace%3D${namespace},metadata.name!%3Dlist-b`,
        ),
        ['list-a', 'list-c', 'list-d'],
      )
      assert.deepEqual(await found('fieldSelector=metadata.name%3Dnone'), [])
    })

    test('all namespaces at once', async () => {
      const { kube, namespace } = bench()
      const { body } = await kube.get('/api/v1/configmaps?labelSelector=set%3Dlist')
      const items = body['items'] as { metadata: { namespace: string } }[]
      assert.ok(items.some(({ metadata }) => metadata.namespace === namespace))
    })

    test('pages go on where they stopped and tell how much is left', async () => {
      const { kube, core } = bench()
      const whole = await found('')
      const seen: string[] = []
      let token = ''
      let left: unknown
      do {
        const page = await kube.get(`${core}/configmaps?limit=2&continue=${encodeURIComponent(token)}`)
        assert.equal(page.status, 200)
        seen.push(...namesIn(page.body))
        left = at(page.body, 'metadata', 'remainingItemCount')
        assert.equal(left ?? 0, whole.length - seen.length)
        token = asText(at(page.body, 'metadata', 'continue'))
        assert.equal(token === '', seen.length === whole.length)
      } while (token !== '')
      assert.deepEqual(seen, whole)
    })

    test('pages with a selector find what a whole list finds', async () => {
      const { kube, core } = bench()
      const seen: string[] = []
      let token = ''
      do {
        const page = await kube.get(
          `${core}/configmaps?limit=1&labelSelector=tier&continue=${encodeURIComponent(token)}`,
        )
        seen.push(...namesIn(page.body))
        token = asText(at(page.body, 'metadata', 'continue'))
      } while (token !== '')
      assert.deepEqual(seen, ['list-a', 'list-b', 'list-c'])
    })

    test('all pages show the moment of the first', async () => {
      const { kube, core } = bench()
      const all = `${core}/serviceaccounts`
      for (const name of ['page-a', 'page-b', 'page-c', 'page-d']) {
        await kube.create(all, { metadata: { name, labels: { set: 'pages' } } })
      }
      const first = await kube.get(`${all}?labelSelector=set%3Dpages&limit=1`)
      await kube.create(all, { metadata: { name: 'page-bb', labels: { set: 'pages' } } })
      await kube.must('DELETE', `${all}/page-c`)
      await kube.patch('merge', `${all}/page-d`, { metadata: { annotations: { late: 'yes' } } })
      const token = encodeURIComponent(asText(at(first.body, 'metadata', 'continue')))
      const rest = await kube.get(`${all}?labelSelector=set%3Dpages&continue=${token}`)
      assert.deepEqual(
        [...namesIn(first.body), ...namesIn(rest.body)],
        ['page-a', 'page-b', 'page-c', 'page-d'],
      )
      assert.equal(versionOf(rest.body), versionOf(first.body))
      const last = (rest.body['items'] as object[]).at(-1)
      assert.equal(at(last as never, 'metadata', 'annotations'), undefined)
    })

    test('resourceVersionMatch=Exact shows that moment', async () => {
      const { kube, core } = bench()
      const all = `${core}/serviceaccounts`
      const made = await kube.create(all, { metadata: { generateName: 'exact-', labels: { set: 'exact' } } })
      await kube.create(all, { metadata: { generateName: 'exact-', labels: { set: 'exact' } } })
      const then = await kube.get(
        `${all}?labelSelector=set%3Dexact&resourceVersion=${versionOf(made)}&resourceVersionMatch=Exact`,
      )
      assert.deepEqual([namesIn(then.body), versionOf(then.body)], [[nameOf(made)], versionOf(made)])
    })

    test('resourceVersion=0 and NotOlderThan give at least that', async () => {
      const { kube, core } = bench()
      const made = await kube.create(`${core}/serviceaccounts`, { metadata: { generateName: 'fresh-' } })
      const fresh = await kube.get(
        `${core}/serviceaccounts?resourceVersion=${versionOf(made)}&resourceVersionMatch=NotOlderThan`,
      )
      assert.ok(namesIn(fresh.body).includes(nameOf(made)))
      assert.equal((await kube.get(`${core}/serviceaccounts?resourceVersion=0`)).status, 200)
    })

    test('metadata alone, when asked so', async () => {
      const { kube, core } = bench()
      const accept = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1'
      const { body } = await kube.get(`${core}/configmaps?labelSelector=tier%3Ddb`, { accept })
      assert.partialDeepStrictEqual(body, { kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1' })
      assert.deepEqual(namesIn(body), ['list-c'])
    })
  })
}
