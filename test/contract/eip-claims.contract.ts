// EIPClaims as people and programs meet them: what is theirs alone, and that the rest is as for VpcIPClaims.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asObject, asObjects, asText, at } from '../../internal/apiserver/object.ts'
import {
  bound,
  boundEip,
  deleteEip,
  insertClaim,
  insertEip,
  listedEip,
  pendingEip,
  retainedEip,
  updateClaim,
  updateEip,
} from '../apiserver/claims/claim-rows.ts'
import type { Its, KubeOf } from './claims.contract.ts'
import { namesIn, nextEvents, versionOf } from './kube/server.ts'

const group = '/apis/ipam.tke.cloud.tencent.com/v1beta1'
const all = `${group}/eipclaims`
const eipcs = `${group}/namespaces/default/eipclaims`
const asTable = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' }

/** Registers them within a suite. */
export function eipTests(its: Its, kube: KubeOf): void {
  readTests(its, kube)
  watchTests(its, kube)
  deleteTests(its, kube)
}

function readTests(its: Its, kube: KubeOf): void {
  test('[E6] an EIPClaim has the name of its pod, and says what is asked for and what became of it', async () => {
    insertEip(its().db, boundEip('web-0', 5, { expire_after: 3_600_000 }))
    const { body } = await kube().get(`${eipcs}/web-0`)
    assert.partialDeepStrictEqual(body, {
      kind: 'EIPClaim',
      metadata: { name: 'web-0', namespace: 'default', generation: 1 },
      spec: {
        ...{ type: 'Pod', source: 'created', deletePolicy: 'Never', claimExpiredDuration: '1h0m0s' },
        ...{ bandwidth: 5, isp: 'CMCC', chargeType: 'TRAFFIC_POSTPAID_BY_HOUR' },
      },
      status: {
        ...{ phase: 'Bound', publicIP: '203.0.113.5', eipID: 'eip-5', privateIP: '10.0.0.5' },
        ...{ node: 'node-1', podUID: 'pod-web-0', eniID: 'eni-1', cost: 'traffic' },
      },
    })
  })

  test('[E4] one of a list says which', async () => {
    insertEip(its().db, boundEip('web-0', 5, listedEip(['eip-5', 'eip-6'])))
    const { body } = await kube().get(`${eipcs}/web-0`)
    assert.deepEqual(at(body, 'spec', 'eipIDs'), ['eip-5', 'eip-6'])
    assert.equal(at(body, 'status', 'cost'), 'user')
  })

  test('[E6] tables of EIPClaims have the columns that people look for', async () => {
    insertEip(its().db, retainedEip('web-0', 5, { expire_after: 3_600_000, expires_at: 3_590_000 }))
    const { body } = await kube().get(all, asTable)
    const columns = asObjects(body['columnDefinitions']).map(
      (column) => asText(column['name']) + (column['priority'] === 1 ? '*' : ''),
    )
    assert.equal(
      columns.join(' '),
      'Name Phase IP EIP Node Policy Expires Age Private-IP* Bandwidth* ISP* Cost* Owner* Message*',
    )
    assert.match(
      String(asObjects(body['rows'])[0]?.['cells']),
      /^web-0,Retained,203\.0\.113\.5,eip-5,<none>,Never,in 59m,\w+,<none>,5,CMCC,idle,<none>,<none>$/,
    )
  })

  for (const [selector, names] of [
    ['status.phase=Pending', ['web-2']],
    ['status.node=node-2,status.publicIP=203.0.113.6', ['web-1']],
    ['status.cost=idle', ['web-3']],
    ['status.eipID=eip-5', ['web-0']],
    ['spec.source=specified', ['web-1']],
  ] as const)
    test(`fieldSelector ${selector} of EIPClaims`, async () => {
      insertEip(its().db, boundEip('web-0', 5))
      insertEip(its().db, boundEip('web-1', 6, { node: 'node-2', ...listedEip(['eip-6']) }))
      insertEip(its().db, pendingEip('web-2'))
      insertEip(its().db, retainedEip('web-3', 7))
      const { body } = await kube().get(`${all}?fieldSelector=${encodeURIComponent(selector)}`)
      assert.deepEqual(namesIn(body), names)
    })

  test('pages of eipclaims are of the moment of the first', async () => {
    const { db } = its()
    for (let i = 0; i < 5; i++) insertEip(db, retainedEip(`web-${i}`, i))
    const first = await kube().get(`${all}?limit=3`)
    updateEip(db, 'web-4', { phase: 'Releasing' })
    deleteEip(db, 'web-4')
    insertEip(db, retainedEip('web-9', 9))
    const token = encodeURIComponent(asText(at(first.body, 'metadata', 'continue')))
    const second = await kube().get(`${all}?limit=3&continue=${token}`)
    assert.deepEqual(namesIn(second.body), ['web-3', 'web-4'])
    assert.equal(versionOf(second.body), versionOf(first.body))
  })
}

function watchTests(its: Its, kube: KubeOf): void {
  test('[E6] a watch of EIPClaims resumes by the numbering of all claims, and sees its own kind alone', async () => {
    const { db } = its()
    insertEip(db, boundEip('web-0', 5))
    insertClaim(db, bound('web-0', '10.0.0.5'))
    const from = versionOf((await kube().get(`${group}/vpcipclaims`)).body)
    updateClaim(db, 'web-0', { message: 'of the address' })
    updateEip(db, 'web-0', { message: 'of the EIP' })
    insertEip(db, boundEip('web-1', 6, { namespace: 'other' }))
    insertEip(db, boundEip('web-2', 7))
    deleteEip(db, 'web-2')
    const watch = await kube().watch(`${eipcs}?watch=1&resourceVersion=${from}`)
    assert.deepEqual(await nextEvents(watch, 3), ['MODIFIED web-0', 'ADDED web-2', 'DELETED web-2'])
    watch.close()
    const addresses = await kube().watch(`${group}/vpcips?watch=1&resourceVersion=${from}`)
    assert.deepEqual(await nextEvents(addresses, 1), ['MODIFIED 10.0.0.5'])
    addresses.close()
  })
}

function deleteTests(its: Its, kube: KubeOf): void {
  const phaseOf = (name: string) =>
    its().db.get<{ phase: string }>('SELECT phase FROM eip_claim WHERE name = ?', name)?.phase

  test('[E6] a deleted EIPClaim is there until its EIP is given back', async () => {
    insertEip(its().db, retainedEip('web-0', 5))
    const { status, body } = await kube().send('DELETE', `${eipcs}/web-0`)
    assert.equal(status, 200)
    assert.match(asText(at(body, 'metadata', 'deletionTimestamp')), /^2\d{3}-/)
    assert.equal((await kube().get(`${eipcs}/web-0`)).status, 200)
    deleteEip(its().db, 'web-0')
    assert.equal((await kube().send('DELETE', `${eipcs}/web-0`)).status, 404)
  })

  test('[E6] an EIPClaim whose pod runs is not deleted, and the answer says why', async () => {
    insertEip(its().db, boundEip('web-0', 5))
    const { status, body } = await kube().send('DELETE', `${eipcs}/web-0`)
    assert.equal(status, 409)
    assert.match(asText(body['message']), /"web-0": its pod is there on node "node-1"/)
    assert.equal(phaseOf('web-0'), 'Bound')
  })

  test('an EIPClaim is deleted as it was read, and its address of the same name is not', async () => {
    insertEip(its().db, retainedEip('web-0', 5))
    insertClaim(its().db, bound('web-0', '10.0.0.5'))
    const { body } = await kube().get(`${eipcs}/web-0`)
    const { uid, resourceVersion } = asObject(at(body, 'metadata'))
    const stale = { preconditions: { uid, resourceVersion: '7' } }
    assert.equal((await kube().send('DELETE', `${eipcs}/web-0`, stale)).status, 409)
    const dry = { dryRun: ['All'], preconditions: { uid, resourceVersion } }
    assert.equal((await kube().send('DELETE', `${eipcs}/web-0`, dry)).status, 200)
    assert.equal(phaseOf('web-0'), 'Retained')
    const seen = { preconditions: { uid, resourceVersion } }
    assert.equal((await kube().send('DELETE', `${eipcs}/web-0`, seen)).status, 200)
    assert.equal(phaseOf('web-0'), 'Releasing')
    assert.equal((await kube().get(`${group}/namespaces/default/vpcipclaims/web-0`)).status, 200)
  })
}
