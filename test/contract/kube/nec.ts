// The product's own definition: what leader and agent write fits it, and kubectl shows it.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { asObjects, asText, at } from '../../../internal/apiserver/object.ts'
import { parseManifest } from '../../../internal/wire/manifest.ts'
import type { BenchOf } from '../kube.contract.ts'

const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
const path = '/apis/networking.tke.cloud.tencent.com/v1/nodeeniconfigs'
const manifest = new URL('../../../internal/kube/manifests/nec-crd.yaml', import.meta.url)

const spec = {
  instanceID: 'ins-1',
  zone: 'ap-guangzhou-3',
  maxRouteENI: 7,
  maxIPPerENI: 29,
  routeENIIPMinWarmTarget: 2,
  routeENIIPMaxWarmTarget: 5,
  maxENI: 8,
  maxDirectENI: 4,
  directENIMinWarmTarget: 1,
  directENIMaxWarmTarget: 3,
  maxPods: 64,
  defaults: {
    routeENIIPMinWarmTarget: 5,
    routeENIIPMaxWarmTarget: 5,
    directENIMinWarmTarget: 1,
    directENIMaxWarmTarget: 1,
  },
  overrides: { routeENIIPMinWarmTarget: 2, routeENIIPMaxWarmTarget: 5, maxDirectENI: 4 },
  securityGroups: ['sg-1'],
}
const ofLeader = {
  eniInfos: [
    {
      eniID: 'eni-1',
      mac: '20:90:6f:00:00:01',
      primaryIP: '10.0.1.2',
      subnetID: 'subnet-1',
      subnetCIDR: '10.0.1.0/24',
      gateway: '10.0.1.1',
      index: 1,
      ips: [{ ip: '10.0.1.3', grant: 1 }],
    },
  ],
  directENIInfos: [
    {
      eniID: 'eni-2',
      mac: '20:90:6f:00:00:02',
      primaryIP: '10.0.1.7',
      subnetID: 'subnet-1',
      subnetCIDR: '10.0.1.0/24',
      gateway: '10.0.1.1',
      index: 2,
      grant: 3,
    },
  ],
  routeENICount: 1,
  boundIPCount: 1,
  directENICount: 1,
  conditions: [
    {
      type: 'Ready',
      status: 'True',
      reason: 'Published',
      message: '',
      lastTransitionTime: '2026-01-02T03:04:05Z',
    },
    {
      type: 'SettingsApplied',
      status: 'True',
      reason: 'Applied',
      message: '',
      lastTransitionTime: '2026-01-02T03:04:05Z',
    },
  ],
}
const ofAgent = {
  node: {
    returned: [{ ip: '10.0.1.4', grant: 2 }],
    inUse: 0,
    idle: 1,
    enisInUse: 0,
    mostInUse: 0,
    directInUse: 1,
    directIdle: 0,
    withheld: 0,
    directWithheld: 1,
    unlinked: ['eni-2'],
    databaseID: 'db-1',
    version: '0.1.0',
  },
}

export function necTests(bench: BenchOf): void {
  const name = () => `nec.${bench().namespace}`
  let mine = false

  describe('NodeENIConfig', () => {
    before(async () => {
      const { kube } = bench()
      const [crd] = parseManifest(readFileSync(manifest, 'utf8')) ?? []
      mine = (await kube.send('POST', definitions, crd)).status === 201
      while ((await kube.get(path)).status !== 200);
    })
    after(async () => {
      const { kube } = bench()
      await kube.send('DELETE', `${path}/${name()}`)
      if (mine) await kube.send('DELETE', `${definitions}/nodeeniconfigs.networking.tke.cloud.tencent.com`)
    })

    test('takes what leader and agent write, each without touching the other', async () => {
      const { kube } = bench()
      const made = await kube.create(path, {
        apiVersion: 'networking.tke.cloud.tencent.com/v1',
        kind: 'NodeENIConfig',
        metadata: { name: name() },
        spec,
      })
      assert.deepEqual(made['spec'], spec)
      const status = `${path}/${name()}/status`
      await Promise.all([
        kube.patch('merge', status, { status: ofLeader }),
        kube.patch('merge', status, { status: ofAgent }),
      ])
      assert.deepEqual((await kube.get(`${path}/${name()}`)).body['status'], { ...ofLeader, ...ofAgent })
    })

    test('[R10] keeps fields of a later version', async () => {
      const { kube } = bench()
      const later = {
        later: { a: 1 },
        node: { later: 'b', returned: [{ ip: '10.0.1.4', grant: 2, later: true }] },
      }
      const { body } = await kube.patch('merge', `${path}/${name()}/status`, { status: later })
      assert.partialDeepStrictEqual(body, { status: later })
      const main = await kube.patch('merge', `${path}/${name()}`, { spec: { later: 'c' } })
      assert.equal(at(main.body, 'spec', 'later'), 'c')
    })

    for (const [what, patch] of [
      ['a negative limit', { spec: { maxRouteENI: -1 } }],
      ['a limit that is text', { spec: { maxIPPerENI: 'many' } }],
    ] as const) {
      test(`refuses ${what}`, async () => {
        assert.equal((await bench().kube.patch('merge', `${path}/${name()}`, patch)).status, 422)
      })
    }

    test('takes null as the absence of a number', async () => {
      const { kube } = bench()
      for (const maxPods of [7, null]) {
        const add = [{ op: 'add', path: '/spec/maxPods', value: maxPods }]
        const { status, body } = await kube.patch('json', `${path}/${name()}`, add)
        assert.deepEqual([status, at(body, 'spec', 'maxPods')], [200, maxPods ?? undefined])
      }
      const overrides = { maxRouteENI: 3, maxIPPerENI: null }
      const add = [{ op: 'add', path: '/spec/overrides', value: overrides }]
      const { body } = await kube.patch('json', `${path}/${name()}`, add)
      assert.deepEqual(at(body, 'spec', 'overrides'), { maxRouteENI: 3 })
    })

    test('refuses an address without a grant', async () => {
      const patch = { status: { node: { returned: [{ ip: '10.0.1.9' }] } } }
      const { status, body } = await bench().kube.patch('merge', `${path}/${name()}/status`, patch)
      assert.equal(status, 422)
      assert.match(asText(body['message']), /status\.node\.returned\[0\]\.grant: Required value/)
    })

    test('shows ENIs, addresses and their use', async () => {
      const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io'
      const { body } = await bench().kube.get(`${path}/${name()}`, { accept })
      const cells = asObjects(body['rows'])[0]?.['cells'] as unknown[]
      const shown = asObjects(body['columnDefinitions']).map(
        (column, i) => `${asText(column['name'])}=${String(cells[i])}`,
      )
      assert.deepEqual(shown.slice(0, -1), [
        `Name=${name()}`,
        'ENIs=1',
        'Bound=1',
        'Used=0',
        'Idle=1',
        'Min=2',
        'Max=5',
        'Ready=True',
        'Reason=Published',
        'Settings=Applied',
        'Max ENIs=7',
        'IPs/ENI=29',
        'Direct=1',
        'Direct Used=1',
        'Direct Min=1',
        'Direct Max=3',
        'Max Direct=4',
        'Instance=ins-1',
        'Zone=ap-guangzhou-3',
        'Agent=0.1.0',
      ])
    })
  })
}
