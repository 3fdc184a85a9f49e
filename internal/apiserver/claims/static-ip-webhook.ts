// A mutating admission webhook for pods that keep their addresses: one that comes back is told to the scheduler to be for the zone of its
// address (S10). It answers from the ledger alone, and lets every pod pass.
import type { Log } from '../../base/log.ts'
import { type ZoneOfNodes, zoneAffinityPatch } from '../../ipam/zone-affinity.ts'
import type { ClaimFeed } from '../../ports.ts'
import {
  type AdmissionAnswer,
  type AdmissionQuestion,
  decodeAdmissionReview,
  encodeAdmissionReview,
} from '../../wire/admission-review.ts'
import { readPlacement } from '../../wire/pod-placement.ts'
import { answering } from '../api.ts'
import { asText, at, type JsonObject } from '../object.ts'
import { type Answer, type ApiRequest, jsonAnswer } from '../request.ts'
import { badRequest, methodNotAllowed } from '../status-error.ts'

export interface StaticIpWebhookParts {
  readonly feed: Pick<ClaimFeed, 'claim'>
  /** Does the pod keep an address, as its object in JSON says? */
  readonly isStatic: (pod: JsonObject) => boolean
  /** How nodes of a zone, in the cloud's words, are labelled; undefined while nobody knows. */
  readonly zone: (name: string) => ZoneOfNodes | undefined
  /** Why nothing is said of pods now; undefined when something can be. */
  readonly obstacle: () => string | undefined
  readonly log: Log
}

/** Answers AdmissionReviews. What is none is refused: then the API server goes on without us. */
export function staticIpWebhook(parts: StaticIpWebhookParts): (request: ApiRequest) => Answer {
  return ({ method, body }) =>
    answering(() => {
      if (method !== 'POST') throw methodNotAllowed()
      const question = decodeAdmissionReview(body ?? '')
      if (question === undefined)
        throw badRequest('the body is not an AdmissionReview of admission.k8s.io/v1')
      return jsonAnswer(200, encodeAdmissionReview(question.uid, answerTo(question, parts)))
    })
}

/** Whatever happens here, the pod is made. */
function answerTo(question: AdmissionQuestion, parts: StaticIpWebhookParts): AdmissionAnswer {
  try {
    return judge(question, parts)
  } catch (error) {
    parts.log.warn('static pod made without the zone of its address', { error: String(error) })
    return {}
  }
}

function judge(
  { namespace, object, operation, resource }: AdmissionQuestion,
  { feed, isStatic, obstacle, zone }: StaticIpWebhookParts,
): AdmissionAnswer {
  const pod = object as JsonObject
  const name = asText(at(pod, 'metadata', 'name'))
  if (operation !== 'CREATE' || resource !== 'pods' || name === '') return {}
  if (!isStatic(pod) || obstacle() !== undefined) return {}
  const claim = feed.claim({ namespace, name })
  // What is being released comes back to no pod.
  if (claim?.policy !== 'Never' || claim.phase === 'Releasing') return {}
  const { address, zone: zoneName } = claim
  const placement = readPlacement(pod['spec'])
  if (address === undefined || zoneName === undefined || placement === undefined) return {}
  const place = zone(zoneName)
  const patch = place === undefined ? [] : zoneAffinityPatch(placement, place)
  if (patch !== 'elsewhere') return { patch }
  const warning = `static address ${address} is in zone ${zoneName}, where this pod may not run: it waits until it may, or claim ${name} is deleted`
  return { warnings: [warning] }
}
