// VpcIPs and VpcIPClaims as people and programs meet them. The same tests run on the leader's server itself, through the embedded API
// server and through a real kube-apiserver.
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { asObject, asObjects, asText, at, type JsonObject } from '../../internal/apiserver/object.ts'
import type { Database } from '../../internal/sqlite/database.ts'
import {
  bound,
  deleteClaim,
  insertClaim,
  pending,
  retained,
  updateClaim,
} from '../apiserver/claims/claim-rows.ts'
import { eipTests } from './eip-claims.contract.ts'
import { Kube, type KubeServer, nameOf, namesIn, nextEvents, versionOf } from './kube/server.ts'

export interface ClaimSubject {
  readonly server: KubeServer
  /** Of the leader that serves. */
  readonly db: Database
  /** Cuts the log of changes. */
  forget(): void
  close(): Promise<void>
}

const group = '/apis/ipam.tke.cloud.tencent.com/v1beta1'
const vips = `${group}/vpcips`
const all = `${group}/vpcipclaims`
const vipcs = `${group}/namespaces/default/vpcipclaims`

/** Registers the suite for the server that `open` gives. */
export function claimsContract(name: string, open: () => Promise<ClaimSubject>): void {
  describe(`claims on ${name}`, { timeout: 120_000 }, () => {
    let subject: ClaimSubject | undefined
    const its = (): ClaimSubject => {
      if (subject === undefined) throw new Error('Cannot test: the server was not opened')
      return subject
    }
    const kube = () => new Kube(its().server)
    before(async () => {
      subject = await open()
    })
    after(() => subject?.close())
    beforeEach(() => {
      its().db.run('DELETE FROM claim')
      its().db.run('DELETE FROM eip_claim')
    })
    readTests(its, kube)
    watchTests(its, kube)
    deleteTests(its, kube)
    eipTests(its, kube)
  })
}

export type Its = () => ClaimSubject
export type KubeOf = () => Kube

function readTests(its: Its, kube: KubeOf): void {
  test('[S8] discovery names all with their short names and verbs', async () => {
    const { body } = await kube().get(group)
    const found = asObjects(body['resources']).map(({ name, shortNames, namespaced, verbs }) => ({
      name,
      shortNames,
      namespaced,
      verbs,
    }))
    assert.deepEqual(found, [
      { name: 'vpcips', shortNames: ['vip'], namespaced: false, verbs: ['get', 'list', 'watch'] },
      {
        name: 'vpcipclaims',
        shortNames: ['vipc'],
        namespaced: true,
        verbs: ['delete', 'deletecollection', 'get', 'list', 'watch'],
      },
      {
        name: 'eipclaims',
        shortNames: ['eipc'],
        namespaced: true,
        verbs: ['delete', 'deletecollection', 'get', 'list', 'watch'],
      },
    ])
  })

  test('[S8] a claim and its address are two views of one row', async () => {
    insertClaim(its().db, bound('web-0', '10.0.0.5'))
    const { body: claim } = await kube().get(`${vipcs}/web-0`)
    const { body: vip } = await kube().get(`${vips}/10.0.0.5`)
    assert.partialDeepStrictEqual(claim, {
      kind: 'VpcIPClaim',
      metadata: { name: 'web-0', namespace: 'default', generation: 1 },
      spec: { type: 'Pod', deletePolicy: 'Never', mode: 'shared' },
      status: { phase: 'Bound', vpcIP: '10.0.0.5', node: 'node-1', podUID: 'pod-web-0', eniID: 'eni-1' },
    })
    assert.partialDeepStrictEqual(vip, {
      kind: 'VpcIP',
      metadata: { name: '10.0.0.5', labels: { 'tke.cloud.tencent.com/node-name': 'node-1' } },
      spec: { claimRef: { namespace: 'default', name: 'web-0', uid: at(claim, 'metadata', 'uid') } },
      status: { phase: 'Assigned', node: 'node-1' },
    })
    assert.equal(versionOf(claim), versionOf(vip))
    assert.notEqual(at(claim, 'metadata', 'uid'), at(vip, 'metadata', 'uid'))
  })

  test('[S8] tables have the columns that people look for', async () => {
    insertClaim(its().db, retained('web-0', '10.0.0.5', { expire_after: 3_600_000, expires_at: 3_590_000 }))
    const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io'
    const table = async (path: string) => {
      const { body } = await kube().get(path, { accept })
      const columns = asObjects(body['columnDefinitions']).map(
        (column) => asText(column['name']) + (column['priority'] === 1 ? '*' : ''),
      )
      return { columns, cells: asObjects(body['rows'])[0]?.['cells'] }
    }
    const vip = await table(vips)
    assert.equal(
      vip.columns.join(' '),
      'Name Phase Namespace/Pod Node Age ENI* Subnet* Zone* Held-By* Message*',
    )
    const vipc = await table(all)
    assert.equal(vipc.columns.join(' '), 'Name Phase IP Node Policy Expires Age Owner* Subnet* Message*')
    assert.match(String(vipc.cells), /^web-0,Retained,10\.0\.0\.5,<none>,Never,in 59m,/)
    assert.match(
      String(vip.cells),
      /^10\.0\.0\.5,Retained,default\/web-0,<none>,\w+,<none>,subnet-a,zone-a,rsv-web-0,<none>$/,
    )
  })

  for (const [path, selector, names] of [
    [vips, 'status.phase=Retained', ['10.0.0.7']],
    [vips, 'spec.claimRef.name=web-1', ['10.0.0.6']],
    [vips, 'status.node!=node-1', ['10.0.0.6', '10.0.0.7']],
    [all, 'status.phase=Pending', ['web-2']],
    [all, 'status.node=node-2,status.vpcIP=10.0.0.6', ['web-1']],
    [all, 'spec.deletePolicy=Immediate', []],
  ] as const) {
    test(`fieldSelector ${selector}`, async () => {
      insertClaim(its().db, bound('web-0', '10.0.0.5'))
      insertClaim(its().db, bound('web-1', '10.0.0.6', { node: 'node-2' }))
      insertClaim(its().db, pending('web-2'))
      insertClaim(its().db, retained('web-3', '10.0.0.7'))
      const { body } = await kube().get(`${path}?fieldSelector=${encodeURIComponent(selector)}`)
      assert.deepEqual(namesIn(body), names)
    })
  }

  test('labelSelector by node, and lists of one namespace', async () => {
    insertClaim(its().db, bound('a', '10.0.0.5'))
    insertClaim(its().db, bound('b', '10.0.0.6', { node: 'node-2', namespace: 'other' }))
    const label = encodeURIComponent('tke.cloud.tencent.com/node-name=node-2')
    assert.deepEqual(namesIn((await kube().get(`${vips}?labelSelector=${label}`)).body), ['10.0.0.6'])
    assert.deepEqual(namesIn((await kube().get(vipcs)).body), ['a'])
    assert.deepEqual(namesIn((await kube().get(all)).body), ['a', 'b'])
  })

  for (const path of [vips, all]) {
    test(`pages of ${path.split('/').at(-1)} are of the moment of the first`, async () => {
      const { db } = its()
      for (let i = 0; i < 7; i++) insertClaim(db, bound(`web-${i}`, `10.0.0.${i}`))
      const first = await kube().get(`${path}?limit=3`)
      assert.equal(at(first.body, 'metadata', 'remainingItemCount'), 4)
      deleteClaim(db, 'web-4')
      updateClaim(db, 'web-5', { node: 'moved', address: '10.0.9.9' })
      insertClaim(db, retained('web-50', '10.0.0.50'))
      const seen = [...asObjects(first.body['items'])]
      let next = asText(at(first.body, 'metadata', 'continue'))
      while (next !== '') {
        const { body } = await kube().get(`${path}?limit=3&continue=${encodeURIComponent(next)}`)
        assert.equal(versionOf(body), versionOf(first.body))
        seen.push(...asObjects(body['items']))
        next = asText(at(body, 'metadata', 'continue'))
      }
      const names = [0, 1, 2, 3, 4, 5, 6].map((i) => (path === vips ? `10.0.0.${i}` : `web-${i}`))
      assert.deepEqual(seen.map(nameOf), names)
      assert.deepEqual([...new Set(seen.map((item) => at(item, 'status', 'node')))], ['node-1'])
    })
  }

  test('a page of a past that is forgotten is 410, with a token to go on', async () => {
    for (let i = 0; i < 4; i++) insertClaim(its().db, bound(`web-${i}`, `10.0.0.${i}`))
    const first = await kube().get(`${all}?limit=2`)
    updateClaim(its().db, 'web-3', { node: 'moved' })
    its().forget()
    const token = encodeURIComponent(asText(at(first.body, 'metadata', 'continue')))
    const gone = await kube().get(`${all}?limit=2&continue=${token}`)
    assert.equal(gone.status, 410)
    const fresh = encodeURIComponent(asText(at(gone.body, 'metadata', 'continue')))
    assert.deepEqual(namesIn((await kube().get(`${all}?continue=${fresh}`)).body), ['web-2', 'web-3'])
  })

  test('OpenAPI v3 describes every field of status', async () => {
    const { body } = await kube().get(`/openapi/v3${group}`)
    const schemas = asObject(at(body, 'components', 'schemas'))
    const kinds = Object.values(schemas)
      .filter((schema) => JSON.stringify(at(schema, 'x-kubernetes-group-version-kind'))?.includes('ipam.tke'))
      .map(asObject)
      .filter((schema) => at(schema, 'properties', 'status') !== undefined)
    assert.equal(kinds.length, 3)
    for (const kind of kinds) {
      const fields = Object.values(asObject(at(kind, 'properties', 'status', 'properties'))).map(asObject)
      assert.ok(fields.length > 5)
      for (const field of fields) assert.notEqual(asText(field['description']), '')
    }
  })

  test('what is not there is 404; what cannot be done is 405', async () => {
    insertClaim(its().db, bound('web-0', '10.0.0.5'))
    assert.equal((await kube().get(`${vips}/10.0.0.99`)).status, 404)
    assert.equal((await kube().get(`${vipcs}/nobody`)).status, 404)
    assert.equal((await kube().send('POST', vipcs, { metadata: { name: 'x' } })).status, 405)
    assert.equal((await kube().patch('merge', `${vipcs}/web-0`, { spec: {} })).status, 405)
    const { status, body } = await kube().send('DELETE', `${vips}/10.0.0.5`)
    assert.equal(status, 405)
    assert.match(asText(body['message']), /kubectl delete vipc/)
  })
}

function watchTests(its: Its, kube: KubeOf): void {
  test('[S8] an address comes, changes and goes with its claim', async () => {
    const { db } = its()
    const watch = await kube().watch(
      `${vips}?watch=1&resourceVersion=${versionOf((await kube().get(vips)).body)}`,
    )
    insertClaim(db, pending('web-0'))
    updateClaim(db, 'web-0', { phase: 'Attaching', address: '10.0.0.5' })
    updateClaim(db, 'web-0', { phase: 'Bound' })
    updateClaim(db, 'web-0', { address: '10.0.0.6' })
    deleteClaim(db, 'web-0')
    assert.deepEqual(await nextEvents(watch, 5), [
      'ADDED 10.0.0.5',
      'MODIFIED 10.0.0.5',
      'DELETED 10.0.0.5',
      'ADDED 10.0.0.6',
      'DELETED 10.0.0.6',
    ])
    watch.close()
  })

  test('a watch resumes where another one ended', async () => {
    const { db } = its()
    insertClaim(db, bound('web-0', '10.0.0.5'))
    const from = versionOf((await kube().get(vipcs)).body)
    updateClaim(db, 'web-0', { message: 'one' })
    deleteClaim(db, 'web-0')
    insertClaim(db, bound('web-1', '10.0.0.6', { namespace: 'other' }))
    insertClaim(db, bound('web-2', '10.0.0.7'))
    const watch = await kube().watch(`${vipcs}?watch=1&resourceVersion=${from}`)
    assert.deepEqual(await nextEvents(watch, 3), ['MODIFIED web-0', 'DELETED web-0', 'ADDED web-2'])
    watch.close()
  })

  test('a watch with a selector sees what comes into it and what leaves it', async () => {
    const { db } = its()
    insertClaim(db, retained('web-0', '10.0.0.5'))
    const watch = await kube().watch(`${vips}?watch=1&fieldSelector=status.phase%3DRetained`)
    assert.deepEqual(await nextEvents(watch, 1), ['ADDED 10.0.0.5'])
    updateClaim(db, 'web-0', { phase: 'Bound', pod_uid: 'again', node: 'node-1', retained_at: null })
    assert.deepEqual(await nextEvents(watch, 1), ['DELETED 10.0.0.5'])
    watch.close()
  })

  test('a watch from a past that is forgotten is told to list again', async () => {
    const from = versionOf((await kube().get(all)).body)
    insertClaim(its().db, bound('web-0', '10.0.0.5'))
    its().forget()
    const watch = await kube().watch(`${all}?watch=1&resourceVersion=${from}`)
    const event = await watch.next()
    assert.equal(event?.type, 'ERROR')
    assert.partialDeepStrictEqual(event?.object, { code: 410, reason: 'Expired' })
    watch.close()
    const newest = versionOf((await kube().get(all)).body)
    const resumed = await kube().watch(`${all}?watch=1&resourceVersion=${newest}`)
    updateClaim(its().db, 'web-0', { message: 'goes on' })
    assert.deepEqual(await nextEvents(resumed, 1), ['MODIFIED web-0'])
    resumed.close()
  })
}

function deleteTests(its: Its, kube: KubeOf): void {
  const phaseOf = (name: string) =>
    its().db.get<{ phase: string }>('SELECT phase FROM claim WHERE name = ?', name)?.phase

  test('[S6] a deleted claim is there until its address is given back', async () => {
    insertClaim(its().db, retained('web-0', '10.0.0.5'))
    const watch = await kube().watch(`${vipcs}?watch=1&fieldSelector=metadata.name%3Dweb-0`)
    assert.deepEqual(await nextEvents(watch, 1), ['ADDED web-0'])
    const { status, body } = await kube().send('DELETE', `${vipcs}/web-0`)
    assert.equal(status, 200)
    assert.match(asText(at(body, 'metadata', 'deletionTimestamp')), /^2\d{3}-/)
    assert.equal(asText(at(body, 'status', 'phase')), 'Releasing')
    assert.equal((await kube().send('DELETE', `${vipcs}/web-0`)).status, 200)
    deleteClaim(its().db, 'web-0')
    assert.deepEqual(await nextEvents(watch, 2), ['MODIFIED web-0', 'DELETED web-0'])
    assert.equal((await kube().send('DELETE', `${vipcs}/web-0`)).status, 404)
    watch.close()
  })

  test('[S6] a claim whose pod runs is not deleted, and the answer says why', async () => {
    insertClaim(its().db, bound('web-0', '10.0.0.5'))
    const { status, body } = await kube().send('DELETE', `${vipcs}/web-0`)
    assert.equal(status, 409)
    assert.match(asText(body['message']), /"web-0": its pod is there on node "node-1"/)
    assert.equal(phaseOf('web-0'), 'Bound')
  })

  for (const [what, options, status] of [
    ['another uid', { preconditions: { uid: 'other' } }, 409],
    ['another version', { preconditions: { resourceVersion: '7' } }, 409],
    ['a dry run', { dryRun: ['All'] }, 200],
    ['a dry run of half', { dryRun: ['Half'] }, 422],
    ['a dry run that is no list', { dryRun: 'All' }, 400],
    ['preconditions that are no object', { preconditions: 'uid' }, 400],
    ['a version that is no text', { preconditions: { resourceVersion: 7 } }, 400],
  ] as const) {
    test(`a delete with ${what} changes nothing`, async () => {
      insertClaim(its().db, retained('web-0', '10.0.0.5'))
      assert.equal((await kube().send('DELETE', `${vipcs}/web-0`, options)).status, status)
      assert.equal(phaseOf('web-0'), 'Retained')
    })
  }

  test('a dry run of what would be refused is refused', async () => {
    insertClaim(its().db, bound('web-0', '10.0.0.5'))
    assert.equal((await kube().send('DELETE', `${vipcs}/web-0`, { dryRun: ['All'] })).status, 409)
  })

  test('a delete with what was read goes through', async () => {
    insertClaim(its().db, retained('web-0', '10.0.0.5'))
    const { body } = await kube().get(`${vipcs}/web-0`)
    const { uid, resourceVersion } = asObject(at(body, 'metadata'))
    const options: JsonObject = { preconditions: { uid, resourceVersion } }
    assert.equal((await kube().send('DELETE', `${vipcs}/web-0`, options)).status, 200)
    assert.equal(phaseOf('web-0'), 'Releasing')
  })

  for (const preconditions of [{ uid: 'other' }, { resourceVersion: '7' }])
    test(`a collection with ${Object.keys(preconditions)} of another object changes nothing`, async () => {
      insertClaim(its().db, retained('web-0', '10.0.0.5'))
      assert.equal((await kube().send('DELETE', vipcs, { preconditions })).status, 409)
      assert.equal(phaseOf('web-0'), 'Retained')
    })

  test('a claim that is kept beyond all time is shown, watched and released', async () => {
    const watch = await kube().watch(`${all}?watch=true`)
    insertClaim(its().db, retained('web-0', '10.0.0.5', { expire_after: 8e15, expires_at: 8.7e15 }))
    assert.deepEqual(await nextEvents(watch, 1), ['ADDED web-0'])
    const { body } = await kube().get(`${vipcs}/web-0`)
    assert.match(asText(at(body, 'status', 'expiresAt')), /^9999-12-31T/)
    assert.equal((await kube().send('DELETE', `${vipcs}/web-0`)).status, 200)
    watch.close()
  })

  test('a collection is released as far as it can be', async () => {
    insertClaim(its().db, retained('web-0', '10.0.0.5'))
    insertClaim(its().db, bound('web-1', '10.0.0.6'))
    insertClaim(its().db, retained('web-2', '10.0.0.7', { namespace: 'other' }))
    const refused = await kube().send('DELETE', vipcs)
    assert.equal(refused.status, 409)
    assert.match(asText(refused.body['message']), /"web-1"/)
    assert.deepEqual(['web-0', 'web-1', 'web-2'].map(phaseOf), ['Releasing', 'Bound', 'Retained'])
    const chosen = await kube().send('DELETE', `${vipcs}?fieldSelector=status.phase%3DRetained`)
    assert.equal(chosen.status, 200)
  })
}
