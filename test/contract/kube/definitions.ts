// CustomResourceDefinitions: what they define is served, checked, pruned, printed; and goes with them.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { asObjects, asText, at, type JsonObject } from '../../../internal/apiserver/object.ts'
import type { BenchOf } from '../kube.contract.ts'
import { namesIn, nextEvents, versionOf } from './server.ts'

const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'

const specSchema = {
  type: 'object',
  required: ['size'],
  properties: {
    size: { type: 'integer', minimum: 1, maximum: 10 },
    mode: { type: 'string', enum: ['slow', 'quick'], default: 'slow' },
    code: { type: 'string', pattern: '^[a-z]+$', maxLength: 5 },
    tags: { type: 'array', maxItems: 2, items: { type: 'string' } },
    free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    port: { 'x-kubernetes-int-or-string': true },
    labels: { type: 'object', additionalProperties: { type: 'string' } },
  },
}

const definition = (group: string) => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `gadgets.${group}` },
  spec: {
    group,
    scope: 'Cluster',
    names: { plural: 'gadgets', singular: 'gadget', kind: 'Gadget', shortNames: ['gg'] },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        additionalPrinterColumns: [
          { name: 'Size', type: 'integer', jsonPath: '.spec.size' },
          { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
          { name: 'Mode', type: 'string', jsonPath: '.spec.mode', priority: 1 },
        ],
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: specSchema,
              status: {
                type: 'object',
                properties: {
                  used: { type: 'integer' },
                  conditions: {
                    type: 'array',
                    items: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
                  },
                },
              },
            },
          },
        },
      },
    ],
  },
})

export function definitionTests(bench: BenchOf): void {
  const group = () => `${bench().namespace}.example.com`
  const path = () => `/apis/${group()}/v1/gadgets`
  const gadget = (name: string, spec: object) => ({
    apiVersion: `${group()}/v1`,
    kind: 'Gadget',
    metadata: { name },
    spec,
  })
  /** A real server begins to serve a little after it has accepted. */
  const served = async (is: boolean): Promise<void> => {
    const { kube } = bench()
    while (((await kube.get(path())).status === 200) !== is);
  }

  describe('custom resources', () => {
    before(async () => {
      const { kube } = bench()
      await kube.create(definitions, definition(group()))
      await served(true)
    })
    after(async () => {
      const { kube } = bench()
      await kube.send('DELETE', `${definitions}/gadgets.${group()}`)
      await served(false)
    })

    test('a definition says that it is established', async () => {
      const { body } = await bench().kube.get(`${definitions}/gadgets.${group()}`)
      const conditions = asObjects(at(body, 'status', 'conditions')).map(
        ({ type, status }) => `${asText(type)}=${asText(status)}`,
      )
      assert.ok(
        conditions.includes('Established=True') && conditions.includes('NamesAccepted=True'),
        conditions.join(),
      )
      assert.partialDeepStrictEqual(body, {
        spec: { names: { listKind: 'GadgetList' } },
        status: { acceptedNames: { kind: 'Gadget' }, storedVersions: ['v1'] },
      })
    })

    test('its resource is discovered', async () => {
      const { body } = await bench().kube.get(`/apis/${group()}/v1`)
      const gadgets = asObjects(body['resources']).find(({ name }) => name === 'gadgets')
      assert.partialDeepStrictEqual(gadgets, {
        singularName: 'gadget',
        namespaced: false,
        kind: 'Gadget',
        shortNames: ['gg'],
      })
      assert.ok(asObjects(body['resources']).some(({ name }) => name === 'gadgets/status'))
    })

    test('objects are created with defaults and without what the schema does not know', async () => {
      const { kube } = bench()
      const given = gadget('pruned', {
        size: 3,
        unknown: 1,
        free: { any: { thing: [1] } },
        labels: { a: 'b' },
      })
      const made = await kube.create(path(), given)
      assert.deepEqual(made['spec'], {
        size: 3,
        mode: 'slow',
        free: { any: { thing: [1] } },
        labels: { a: 'b' },
      })
      assert.equal(at(made, 'metadata', 'generation'), 1)
      assert.deepEqual((await kube.get(`${path()}/pruned`)).body, made)
    })

    for (const [name, spec, field, message] of [
      ['a missing required field', {}, 'spec.size', /Required value/],
      ['a number that is too small', { size: 0 }, 'spec.size', /should be greater than or equal to 1/],
      ['a number that is too large', { size: 11 }, 'spec.size', /should be less than or equal to 10/],
      ['another type', { size: 'three' }, 'spec.size', /must be of type integer/],
      [
        'a value that is not offered',
        { size: 1, mode: 'never' },
        'spec.mode',
        /Unsupported value: "never": supported values: "slow", "quick"/,
      ],
      ['text that does not match', { size: 1, code: '123' }, 'spec.code', /should match '\^\[a-z\]\+\$'/],
      [
        'text that is too long',
        { size: 1, code: 'abcdef' },
        'spec.code',
        /may not be more than 5|at most 5|Too long/,
      ],
      [
        'too many items',
        { size: 1, tags: ['a', 'b', 'c'] },
        'spec.tags',
        /must have at most 2 items|should have at most 2 items/,
      ],
      ['an item of another type', { size: 1, tags: [1] }, 'spec.tags[0]', /must be of type string/],
      ['neither number nor text', { size: 1, port: true }, 'spec.port', /Invalid value/],
    ] as const) {
      test(`${name} is refused`, async () => {
        const { status, body } = await bench().kube.send('POST', path(), gadget('bad', spec))
        assert.deepEqual([status, body['reason']], [422, 'Invalid'])
        assert.match(
          asText(body['message']),
          new RegExp(`^Gadget\\.${group().replaceAll('.', '\\.')} "bad" is invalid`),
        )
        const causes = asObjects(at(body, 'details', 'causes'))
        const cause = causes.find((item) => item['field'] === field)
        assert.match(asText(cause?.['message']), message, JSON.stringify(causes))
      })
    }

    test('fieldValidation=Strict refuses unknown fields', async () => {
      const { kube } = bench()
      const { status, body } = await kube.send(
        'POST',
        `${path()}?fieldValidation=Strict`,
        gadget('strict', { size: 1, unknown: 1 }),
      )
      assert.deepEqual([status, body['reason']], [400, 'BadRequest'])
      assert.match(asText(body['message']), /unknown field "spec\.unknown"/)
    })

    test('fieldValidation=Warn warns of unknown fields', async () => {
      const { kube } = bench()
      const { status, headers } = await kube.send(
        'POST',
        `${path()}?fieldValidation=Warn`,
        gadget('warned', { size: 1, unknown: 1 }),
      )
      assert.equal(status, 201)
      assert.match(String(headers['warning']), /unknown field \\"spec\.unknown\\"/)
    })

    test('status has its own path, and neither touches the other', async () => {
      const { kube } = bench()
      const made = await kube.create(path(), { ...gadget('halves', { size: 1 }), status: { used: 9 } })
      assert.equal(made['status'], undefined)
      const status = await kube.patch('merge', `${path()}/halves/status`, {
        metadata: { labels: { not: 'here' } },
        spec: { size: 5 },
        status: { used: 1 },
      })
      assert.deepEqual(
        [status.body['status'], at(status.body, 'spec', 'size'), at(status.body, 'metadata', 'labels')],
        [{ used: 1 }, 1, undefined],
      )
      assert.equal(at(status.body, 'metadata', 'generation'), 1)
      const main = await kube.patch('merge', `${path()}/halves`, { spec: { size: 6 }, status: { used: 2 } })
      assert.deepEqual([main.body['status'], at(main.body, 'spec', 'size')], [{ used: 1 }, 6])
      assert.equal(at(main.body, 'metadata', 'generation'), 2)
    })

    test('two writers of different status fields do not disturb each other', async () => {
      const { kube } = bench()
      await kube.create(path(), gadget('shared', { size: 1 }))
      const status = `${path()}/shared/status`
      await Promise.all([
        kube.patch('merge', status, { status: { used: 4 } }),
        kube.patch('merge', status, { status: { conditions: [{ type: 'Ready', status: 'True' }] } }),
      ])
      assert.deepEqual((await kube.get(`${path()}/shared`)).body['status'], {
        used: 4,
        conditions: [{ type: 'Ready', status: 'True' }],
      })
    })

    test('PUT needs a version', async () => {
      const { kube } = bench()
      const made = await kube.create(path(), gadget('unversioned', { size: 1 }))
      const bare = await kube.send('PUT', `${path()}/unversioned`, gadget('unversioned', { size: 2 }))
      assert.equal(bare.status, 422)
      assert.match(
        asText(bare.body['message']),
        /metadata\.resourceVersion: Invalid value: .*must be specified for an update/,
      )
      assert.equal(
        (await kube.send('PUT', `${path()}/unversioned`, { ...made, spec: { size: 2 } })).status,
        200,
      )
    })

    test('strategic merge patch is refused, JSON patch is not', async () => {
      const { kube } = bench()
      await kube.create(path(), gadget('patched', { size: 1 }))
      assert.equal(
        (await kube.patch('strategic-merge', `${path()}/patched`, { spec: { size: 2 } })).status,
        415,
      )
      const { body } = await kube.patch('json', `${path()}/patched`, [
        { op: 'replace', path: '/spec/size', value: 3 },
      ])
      assert.equal(at(body, 'spec', 'size'), 3)
    })

    test('lists and watches work as for other kinds', async () => {
      const { kube } = bench()
      const made = await kube.create(path(), gadget('watched', { size: 1 }))
      const watch = await kube.watch(
        `${path()}?watch=true&fieldSelector=metadata.name%3Dwatched&resourceVersion=${versionOf(made)}`,
      )
      await kube.patch('merge', `${path()}/watched/status`, { status: { used: 1 } })
      await kube.must('DELETE', `${path()}/watched`)
      assert.deepEqual(await nextEvents(watch, 2), ['MODIFIED watched', 'DELETED watched'])
      watch.close()
      const list = (await kube.get(path())).body
      assert.equal(list['kind'], 'GadgetList')
      assert.ok(namesIn(list).includes('halves'))
    })

    test('printer columns fill the table', async () => {
      const { kube } = bench()
      await kube.create(path(), gadget('printed', { size: 7 }))
      await kube.patch('merge', `${path()}/printed/status`, {
        status: { conditions: [{ type: 'Ready', status: 'True' }] },
      })
      const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io'
      const { body } = await kube.get(`${path()}/printed`, { accept })
      const columns = asObjects(body['columnDefinitions'])
      assert.deepEqual(
        columns.map(({ name, priority }) => `${asText(name)}/${asText(priority)}`),
        ['Name/0', 'Size/0', 'Ready/0', 'Mode/1'],
      )
      assert.deepEqual(
        asObjects(body['rows']).map(({ cells }) => cells),
        [['printed', 7, 'True', 'slow']],
      )
    })

    test('a definition whose name does not fit is refused', async () => {
      const { status, body } = await bench().kube.send('POST', definitions, {
        ...definition(group()),
        metadata: { name: 'other.example.com' },
      })
      assert.deepEqual([status, body['reason']], [422, 'Invalid'])
      assert.ok(
        (at(body, 'details', 'causes') as JsonObject[]).some(({ field }) => field === 'metadata.name'),
      )
    })
  })
}
