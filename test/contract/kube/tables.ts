// Tables: what kubectl prints.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { asObjects, asText, at, type JsonObject } from '../../../internal/apiserver/object.ts'
import type { BenchOf } from '../kube.contract.ts'

const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json'

/** Column names with those of -o wide in brackets. */
const columns: Readonly<Record<string, string>> = {
  '/api/v1/namespaces': 'Name Status Age',
  '/api/v1/pods': 'Name Ready Status Restarts Age [IP] [Node] [Nominated Node] [Readiness Gates]',
  '/api/v1/nodes':
    'Name Status Roles Age Version [Internal-IP] [External-IP] [OS-Image] [Kernel-Version] [Container-Runtime]',
  '/api/v1/events': 'Last Seen Type Reason Object [Subobject] [Source] Message [First Seen] [Count] [Name]',
  '/api/v1/configmaps': 'Name Data Age',
  '/api/v1/secrets': 'Name Type Data Age',
  '/api/v1/services': 'Name Type Cluster-IP External-IP Port(s) Age [Selector]',
  '/apis/apps/v1/deployments': 'Name Ready Up-to-date Available Age [Containers] [Images] [Selector]',
  '/apis/apps/v1/statefulsets': 'Name Ready Age [Containers] [Images]',
  '/apis/apps/v1/replicasets': 'Name Desired Current Ready Age [Containers] [Images] [Selector]',
  '/apis/coordination.k8s.io/v1/leases': 'Name Holder Age',
  '/apis/apiextensions.k8s.io/v1/customresourcedefinitions': 'Name Created At',
}

export function tableTests(bench: BenchOf): void {
  const node = () => `table.${bench().namespace}`
  const cells = async (path: string): Promise<unknown> => {
    const { body } = await bench().kube.get(path, { accept })
    return asObjects(body['rows'])[0]?.['cells']
  }

  describe('tables', () => {
    before(() =>
      bench().kube.create('/api/v1/nodes', {
        metadata: { name: node(), labels: { 'node-role.kubernetes.io/worker': '' } },
      }),
    )
    after(() => bench().kube.send('DELETE', `/api/v1/nodes/${node()}`))

    for (const [path, wanted] of Object.entries(columns)) {
      test(`columns of ${path}`, async () => {
        const { body } = await bench().kube.get(path, { accept })
        assert.partialDeepStrictEqual(body, { kind: 'Table', apiVersion: 'meta.k8s.io/v1' })
        const names = asObjects(body['columnDefinitions']).map(({ name, priority }) =>
          priority === 0 ? asText(name) : `[${asText(name)}]`,
        )
        assert.equal(names.join(' '), wanted)
      })
    }

    test('a row of a pod that runs', async () => {
      const { kube, core } = bench()
      await kube.create(`${core}/pods`, {
        metadata: { name: 'row' },
        spec: { nodeName: node(), containers: [{ name: 'main', image: 'none' }] },
      })
      const path = `${core}/pods/row`
      assert.deepEqual(((await cells(path)) as unknown[]).slice(0, 4), ['row', '0/1', 'Pending', '0'])
      const running = {
        name: 'main',
        ready: true,
        restartCount: 0,
        image: 'none',
        imageID: '',
        state: { running: {} },
      }
      await kube.patch('merge', `${path}/status`, {
        status: {
          phase: 'Running',
          podIP: '10.0.0.7',
          podIPs: [{ ip: '10.0.0.7' }],
          containerStatuses: [running],
        },
      })
      const row = (await cells(path)) as unknown[]
      assert.deepEqual(
        [...row.slice(0, 4), ...row.slice(5)],
        ['row', '1/1', 'Running', '0', '10.0.0.7', node(), '<none>', '<none>'],
      )
      assert.match(String(row[4]), /^\d+s$/)
      await kube.must('DELETE', path)
      assert.equal(((await cells(path)) as unknown[])[2], 'Terminating')
    })

    test('a row of a node', async () => {
      const { kube } = bench()
      const path = `/api/v1/nodes/${node()}`
      const row = async () => ((await cells(path)) as unknown[]).slice(0, 3)
      assert.deepEqual(await row(), [node(), 'Unknown', 'worker'])
      await kube.patch('strategic-merge', `${path}/status`, {
        status: { conditions: [{ type: 'Ready', status: 'True' }] },
      })
      assert.deepEqual(await row(), [node(), 'Ready', 'worker'])
      await kube.patch('merge', path, { spec: { unschedulable: true } })
      assert.deepEqual(await row(), [node(), 'Ready,SchedulingDisabled', 'worker'])
    })

    test('rows carry the metadata of their object, or what is asked', async () => {
      const { kube, core } = bench()
      await kube.create(`${core}/configmaps`, { metadata: { name: 'carried' }, data: { a: '1' } })
      const object = async (include: string): Promise<JsonObject> => {
        const { body } = await kube.get(`${core}/configmaps/carried?includeObject=${include}`, { accept })
        return asObjects(body['rows'])[0] ?? {}
      }
      assert.equal(at(await object('Metadata'), 'object', 'kind'), 'PartialObjectMetadata')
      assert.equal(at(await object('Metadata'), 'object', 'metadata', 'name'), 'carried')
      assert.deepEqual(at(await object('Object'), 'object', 'data'), { a: '1' })
      assert.equal(at(await object('None'), 'object') ?? null, null)
    })
  })
}
