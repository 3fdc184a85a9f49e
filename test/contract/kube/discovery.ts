// Discovery: what clients read before they read anything else.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { asObjects, asText, at } from '../../../internal/apiserver/object.ts'
import type { BenchOf } from '../kube.contract.ts'

const needed: Readonly<Record<string, readonly string[]>> = {
  '/api/v1': [
    'namespaces',
    'pods',
    'pods/status',
    'pods/binding',
    'nodes',
    'nodes/status',
    'events',
    'configmaps',
    'secrets',
    'services',
    'serviceaccounts',
  ],
  '/apis/apps/v1': ['deployments', 'replicasets', 'statefulsets'],
  '/apis/coordination.k8s.io/v1': ['leases'],
  '/apis/events.k8s.io/v1': ['events'],
  '/apis/apiextensions.k8s.io/v1': ['customresourcedefinitions'],
}

export function discoveryTests(bench: BenchOf): void {
  describe('discovery', () => {
    test('GET /version tells the release', async () => {
      const { status, body } = await bench().kube.get('/version')
      assert.equal(status, 200)
      assert.match(asText(body['gitVersion']), /^v1\.\d+\./)
    })

    for (const path of ['/healthz', '/livez', '/readyz']) {
      test(`GET ${path} says ok`, async () => {
        const { status, body } = await bench().kube.raw('GET', path)
        assert.deepEqual({ status, body }, { status: 200, body: 'ok' })
      })
    }

    test('GET /api names the version', async () => {
      const { body } = await bench().kube.get('/api')
      assert.partialDeepStrictEqual(body, { kind: 'APIVersions', versions: ['v1'] })
    })

    test('GET /apis names the groups', async () => {
      const { body } = await bench().kube.get('/apis')
      assert.equal(body['kind'], 'APIGroupList')
      const names = asObjects(body['groups']).map(({ name }) => name)
      for (const group of ['apps', 'coordination.k8s.io', 'events.k8s.io', 'apiextensions.k8s.io']) {
        assert.ok(names.includes(group), group)
      }
    })

    for (const [path, resources] of Object.entries(needed)) {
      test(`GET ${path} lists its resources`, async () => {
        const { body } = await bench().kube.get(path)
        assert.equal(body['kind'], 'APIResourceList')
        const names = asObjects(body['resources']).map(({ name }) => name)
        assert.deepEqual(
          resources.filter((name) => !names.includes(name)),
          [],
        )
      })
    }

    test('GET /api/v1 tells scope, kind, short names and verbs of pods', async () => {
      const { body } = await bench().kube.get('/api/v1')
      const pods = asObjects(body['resources']).find(({ name }) => name === 'pods')
      assert.partialDeepStrictEqual(pods, {
        singularName: 'pod',
        namespaced: true,
        kind: 'Pod',
        shortNames: ['po'],
      })
      const verbs = at(pods, 'verbs') as string[]
      assert.deepEqual(
        [...verbs].sort((a, b) => a.localeCompare(b)),
        ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
      )
    })

    for (const root of ['/api', '/apis']) {
      test(`GET ${root} gives everything at once to clients that ask for it`, async () => {
        const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json'
        const { body, headers } = await bench().kube.get(root, { accept })
        assert.equal(body['kind'], 'APIGroupDiscoveryList')
        assert.match(asText(String(headers['content-type'])), /as=APIGroupDiscoveryList/)
        const resources = asObjects(body['items']).flatMap(({ versions }) =>
          asObjects(versions).flatMap((version) => asObjects(version['resources'])),
        )
        assert.ok(resources.some(({ resource }) => resource === (root === '/api' ? 'pods' : 'leases')))
      })
    }

    test('GET /openapi/v3 leads to documents that know the kinds', async () => {
      const { kube } = bench()
      const { body } = await kube.get('/openapi/v3')
      const url = asText(at(body, 'paths', 'api/v1', 'serverRelativeURL'))
      const document = (await kube.get(url)).body
      const schemas = Object.values(at(document, 'components', 'schemas') ?? {})
      const kinds = schemas.flatMap((schema) => asObjects(at(schema, 'x-kubernetes-group-version-kind')))
      assert.ok(kinds.some(({ group, version, kind }) => group === '' && version === 'v1' && kind === 'Pod'))
    })

    test('GET /openapi/v2 gives kubectl before 1.29 the form that it reads', async () => {
      const accept = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf'
      const { status, headers, body } = await bench().kube.raw('GET', '/openapi/v2', { headers: { accept } })
      assert.equal(status, 200)
      assert.match(String(headers['content-type']), /protobuf/)
      assert.ok(body.includes('fieldValidation') && body.includes('kind: ConfigMap'))
    })

    test('POST selfsubjectaccessreviews allows what the caller may do', async () => {
      const body = {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SelfSubjectAccessReview',
        spec: { resourceAttributes: { verb: 'list', resource: 'pods' } },
      }
      const review = await bench().kube.create('/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', body)
      assert.equal(at(review, 'status', 'allowed'), true)
    })
  })
}
