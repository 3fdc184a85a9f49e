// Pods that come back to static addresses, as their API server makes them with a leader behind it. The same tests run on the embedded API
// server and on a real kube-apiserver.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { after, before, beforeEach, describe, test } from 'node:test'
import { asObjects, asText, at, type Json, type JsonObject } from '../../internal/apiserver/object.ts'
import { zoneLabel } from '../../internal/ipam/node-affinity.ts'
import type { ZoneOfNodes } from '../../internal/ipam/zone-affinity.ts'
import type { Database } from '../../internal/sqlite/database.ts'
import { setComplete } from '../../internal/store/leader/meta.ts'
import { writeMeta } from '../../internal/store/meta.ts'
import { bound, type ClaimValues, insertClaim, pending, retained } from '../apiserver/claims/claim-rows.ts'
import { type Answer, Kube, type KubeServer } from './kube/server.ts'

export interface StaticIpSubject {
  readonly server: KubeServer
  /** Of the leader that serves. */
  readonly db: Database
  stopLeader(): Promise<void>
  /** With the setting static-ip-affinity. */
  startLeader(keepsZones?: boolean): Promise<void>
  close(): Promise<void>
}

/** What the leader of a subject knows of nodes: zone-b is 100004 to Kubernetes, and nobody knows what zone-a is. */
export function zoneOfNodes(name: string): ZoneOfNodes | undefined {
  return name === 'zone-b' ? { name, labels: ['100004'] } : undefined
}

const policy = 'tke.cloud.tencent.com/vpc-ip-claim-delete-policy'
const pods = '/api/v1/namespaces/default/pods'
const configuration = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/tke-eni-static-ip'
const ours = {
  nodeAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: [{ matchExpressions: [{ key: zoneLabel, operator: 'In', values: ['100004'] }] }],
    },
  },
}

interface PodWish {
  readonly spec?: object
  readonly annotations?: object
  readonly dryRun?: boolean
}

/** Registers the suite for the server that `open` gives. */
export function staticIpContract(name: string, open: () => Promise<StaticIpSubject>): void {
  describe(`static pods on ${name}`, { timeout: 120_000 }, () => {
    let subject: StaticIpSubject | undefined
    const its = (): StaticIpSubject => {
      if (subject === undefined) throw new Error('Cannot test: the server was not opened')
      return subject
    }
    const kube = () => new Kube(its().server)
    const create = (pod: string, { annotations = { [policy]: 'Never' }, dryRun, spec = {} }: PodWish = {}) =>
      kube().send('POST', dryRun ? `${pods}?dryRun=All` : pods, {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: pod, annotations },
        spec: { containers: [{ name: 'main', image: 'none' }], ...spec },
      })
    /** The API server hears of a webhook a moment after it is there. */
    const served = async () => {
      insertClaim(its().db, inZoneB('probe', '10.0.9.9'))
      while (affinityOf(await create('probe', { dryRun: true })) === undefined)
        await new Promise((resolve) => setImmediate(resolve))
    }
    before(async () => {
      subject = await open()
      await served()
    })
    after(() => subject?.close())
    beforeEach(() => its().db.run('DELETE FROM claim'))

    for (const { does, row } of [
      { does: 'whose address was kept', row: inZoneB('kept', '10.0.0.5') },
      { does: 'whose forerunner is still there', row: bound('held', '10.0.0.6', { zone: 'zone-b' }) },
    ])
      test(`[S10] a pod ${does} is scheduled to the zone of the address`, async () => {
        insertClaim(its().db, row)
        const answer = await create(String(row['name']))
        assert.equal(answer.status, 201, JSON.stringify(answer.body))
        assert.deepEqual(affinityOf(answer), ours)
        const { body } = await kube().get(`${pods}/${row['name']}`)
        assert.deepEqual(at(body, 'spec', 'affinity'), ours)
      })

    for (const { does, row, wish = {} } of [
      { does: 'without a claim', row: inZoneB('somebody', '10.0.0.7') },
      { does: 'that keeps no address', row: inZoneB('none-a', '10.0.0.7'), wish: { annotations: {} } },
      {
        does: 'that says so',
        row: inZoneB('none-b', '10.0.0.7'),
        wish: { annotations: { [policy]: 'Immediate' } },
      },
      {
        does: 'whose address is of the pool',
        row: bound('none-c', '10.0.0.7', { zone: 'zone-b', policy: 'Immediate' }),
      },
      { does: 'whose address is given back', row: inZoneB('none-d', '10.0.0.7', { phase: 'Releasing' }) },
      { does: 'that has no address yet', row: pending('none-e') },
      { does: 'of a zone that nobody knows', row: retained('none-f', '10.0.0.7') },
      {
        does: "of the host's network",
        row: inZoneB('none-g', '10.0.0.7'),
        wish: { spec: { hostNetwork: true } },
      },
      {
        does: 'with an ENI of its own',
        row: inZoneB('none-h', '10.0.0.7'),
        wish: { annotations: { [policy]: 'Never', 'tke.cloud.tencent.com/networks': 'tke-direct-eni' } },
      },
    ] as { does: string; row: ClaimValues; wish?: PodWish }[])
      test(`a pod ${does} is made as it is`, async () => {
        insertClaim(its().db, row)
        const name = does === 'without a claim' ? 'nobody' : String(row['name'])
        const answer = await create(name, wish)
        assert.equal(answer.status, 201, JSON.stringify(answer.body))
        assert.equal(affinityOf(answer), undefined)
        assert.equal(answer.headers['warning'], undefined)
      })

    test('[S10] a pod that may not be in the zone is made as it asks, and who makes it is told the zone', async () => {
      insertClaim(its().db, inZoneB('far', '10.0.0.8'))
      const answer = await create('far', { spec: { nodeSelector: { [zoneLabel]: '100003' } } })
      assert.equal(answer.status, 201)
      assert.equal(affinityOf(answer), undefined)
      assert.match(String(answer.headers['warning']), /299 .*static address 10\.0\.0\.8 is in zone zone-b/)
    })

    test('[S10] a pod keeps its own conditions beside the zone', async () => {
      insertClaim(its().db, inZoneB('both', '10.0.0.9'))
      const disk = { key: 'disk', operator: 'In', values: ['ssd'] }
      const spec = {
        affinity: {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: {
              nodeSelectorTerms: [{ matchExpressions: [disk] }, { matchFields: [fieldOf('node-1')] }],
            },
          },
        },
      }
      const terms = asObjects(termsOf(affinityOf(await create('both', { spec }))))
      const zone = termsOf(ours)[0]?.['matchExpressions'] as Json[]
      assert.deepEqual(terms, [
        { matchExpressions: [disk, ...zone] },
        { matchFields: [fieldOf('node-1')], matchExpressions: zone },
      ])
    })

    test('while the ledger is rebuilt pods are made as they are', async () => {
      insertClaim(its().db, inZoneB('early', '10.0.0.10'))
      writeMeta(its().db, 'complete', undefined)
      assert.equal(affinityOf(await create('early', { dryRun: true })), undefined)
      setComplete(its().db)
      assert.deepEqual(affinityOf(await create('early')), ours)
    })

    test('[S10] without a leader a static pod is made at once', async () => {
      insertClaim(its().db, inZoneB('alone', '10.0.0.11'))
      await its().stopLeader()
      const began = Date.now()
      const answer = await create('alone')
      assert.equal(answer.status, 201, JSON.stringify(answer.body))
      assert.equal(affinityOf(answer), undefined)
      assert.ok(Date.now() - began < 3000)
      await its().startLeader()
      await served()
    })

    test('[S10] a leader that does not answer holds a static pod up for two seconds', async () => {
      insertClaim(its().db, inZoneB('stuck', '10.0.0.12'))
      await its().stopLeader()
      const stuck = await listenWithoutAnswer(await portOf(kube()))
      const began = Date.now()
      assert.equal((await create('stuck')).status, 201)
      assert.ok(Date.now() - began < 3000)
      await stuck.close()
      await its().startLeader()
      await served()
    })

    test('where it is turned off the API server is told to ask no more', async () => {
      assert.equal((await kube().get(configuration)).status, 200)
      await its().stopLeader()
      await its().startLeader(false)
      while ((await kube().get(configuration)).status !== 404)
        await new Promise((resolve) => setImmediate(resolve))
      insertClaim(its().db, inZoneB('off', '10.0.0.13'))
      assert.equal(affinityOf(await create('off')), undefined)
      await its().stopLeader()
      await its().startLeader()
      await served()
    })
  })
}

function inZoneB(name: string, address: string, values: ClaimValues = {}): ClaimValues {
  return retained(name, address, { zone: 'zone-b', ...values })
}

function affinityOf({ body }: Answer): Json | undefined {
  return at(body, 'spec', 'affinity')
}

function termsOf(affinity: Json | undefined): JsonObject[] {
  const required = 'requiredDuringSchedulingIgnoredDuringExecution'
  return asObjects(at(affinity, 'nodeAffinity', required, 'nodeSelectorTerms'))
}

function fieldOf(node: string): JsonObject {
  return { key: 'metadata.name', operator: 'In', values: [node] }
}

/** Where the API server finds the leader. */
async function portOf(kube: Kube): Promise<{ address: string; port: number }> {
  const path = '/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices/tke-eni-apiserver'
  const { body } = await kube.get(path)
  const [endpoint] = asObjects(body['endpoints'])
  const addresses = endpoint?.['addresses']
  return {
    address: asText(Array.isArray(addresses) ? addresses[0] : undefined),
    port: Number(asObjects(body['ports'])[0]?.['port']),
  }
}

/** Takes connections and says nothing, as a process that was stopped. */
async function listenWithoutAnswer(where: { address: string; port: number }) {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => void sockets.add(socket.on('error', () => {})))
  server.listen(where.port, where.address)
  await once(server, 'listening')
  return {
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
