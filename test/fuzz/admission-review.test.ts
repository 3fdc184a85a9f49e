// What comes to the webhook of static pods: a question that is wrong in places never refuses a pod, and what is added always fits the pod
// and keeps it to the zone.
import assert from 'node:assert/strict'
import { after } from 'node:test'
import { staticIpWebhook } from '../../internal/apiserver/claims/static-ip-webhook.ts'
import { asText, at, type Json, type JsonObject } from '../../internal/apiserver/object.ts'
import { applyJsonPatch } from '../../internal/apiserver/patch/json-patch.ts'
import { cloudZoneLabel, type PodPlacement, selects, zoneLabel } from '../../internal/ipam/node-affinity.ts'
import { isStaticPod } from '../../internal/kube/facts.ts'
import { claimFeed } from '../../internal/store/leader/claim-feed.ts'
import { isDeeperThan, maxLevels } from '../../internal/wire/json.ts'
import { readPlacement } from '../../internal/wire/pod-placement.ts'
import { insertClaim, retained } from '../apiserver/claims/claim-rows.ts'
import { openClaimLedger } from '../apiserver/claims/claim-server.ts'
import { VirtualClock } from '../fake/virtual-clock.ts'
import { LogBook } from '../node/log-book.ts'
import { fuzz } from './fuzz.ts'
import { mutate, mutateText, mutations } from './mutate.ts'

const ledger = openClaimLedger()
after(() => ledger.close())
insertClaim(ledger.db, retained('web', '10.0.0.5', { zone: 'ap-guangzhou-3' }))

const log = new LogBook()
const webhook = staticIpWebhook({
  feed: claimFeed(ledger.db, new VirtualClock()),
  isStatic: (pod) => isStaticPod(pod, 'tke-route-eni'),
  zone: (name) => ({ name, labels: ['100003'] }),
  obstacle: () => undefined,
  log,
})

const term = (key: string, ...values: string[]) => ({ matchExpressions: [{ key, operator: 'In', values }] })
const review = {
  apiVersion: 'admission.k8s.io/v1',
  kind: 'AdmissionReview',
  request: {
    uid: 'u-1',
    operation: 'CREATE',
    resource: { group: '', version: 'v1', resource: 'pods' },
    namespace: 'default',
    object: {
      metadata: { name: 'web', annotations: { 'tke.cloud.tencent.com/vpc-ip-claim-delete-policy': 'Never' } },
      spec: {
        nodeSelector: { disk: 'ssd' },
        affinity: {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: {
              nodeSelectorTerms: [
                term('disk', 'ssd', 'hdd'),
                term(zoneLabel, '100003', '100004'),
                { matchFields: [{ key: 'metadata.name', operator: 'In', values: ['inside'] }] },
              ],
            },
          },
          podAffinity: {},
        },
      },
    },
  },
}

const labels = { disk: 'ssd', [zoneLabel]: '100003', [cloudZoneLabel]: 'ap-guangzhou-3' }
const inside = { name: 'inside', labels }
const outside = { name: 'inside', labels: { ...labels, [zoneLabel]: '100004' } }

fuzz('[R6] no question to the webhook of static pods refuses a pod', mutations, (changes) => {
  const question = mutate(review, changes)
  const { status, body } = webhook({ method: 'POST', url: '/', body: mutateText(review, changes) })
  if (status !== 200) return assert.equal(status, 400)
  const response = at(JSON.parse(String(body)), 'response')
  assert.equal(at(response, 'allowed'), true)
  const patch = asText(at(response, 'patch'))
  if (patch === '' || isDeeperThan(question, maxLevels)) return
  const pod = at(question as Json, 'request', 'object') as JsonObject
  const patched = applyJsonPatch(pod, JSON.parse(Buffer.from(patch, 'base64').toString()) as Json)
  const [was, is] = [placementOf(pod), placementOf(patched)]
  assert.equal(selects(is, outside), false)
  assert.equal(selects(is, inside), selects(was, inside))
})

fuzz('[R6] pods made wrong in places are let pass by the webhook', mutations, (changes) => {
  const { object } = review.request
  const others = JSON.stringify({
    ...review,
    request: { ...review.request, object: { ...object, spec: 'SPEC' } },
  })
  const body = others.replace('"SPEC"', () => mutateText(object.spec, changes))
  assert.equal(webhook({ method: 'POST', url: '/', body }).status, 200)
  assert.deepEqual(log.entries, [])
})

function placementOf(pod: JsonObject): PodPlacement {
  const placement = readPlacement(pod['spec'])
  assert.ok(placement)
  return placement
}
