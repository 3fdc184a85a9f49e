// Access reviews: whoever reaches this server may do everything.
import { parseJson } from './body.ts'
import { asObject } from './object.ts'
import { type Answer, jsonAnswer } from './request.ts'
import { methodNotAllowed } from './status-error.ts'

const everything = {
  resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
  nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
  incomplete: false,
}

const reviews: Readonly<Record<string, object>> = {
  selfsubjectaccessreviews: { allowed: true },
  subjectaccessreviews: { allowed: true },
  selfsubjectrulesreviews: everything,
}

const kinds: Readonly<Record<string, string>> = {
  selfsubjectaccessreviews: 'SelfSubjectAccessReview',
  subjectaccessreviews: 'SubjectAccessReview',
  selfsubjectrulesreviews: 'SelfSubjectRulesReview',
}

/** The answer to an authorization.k8s.io request, or undefined when it is none. */
export function review(method: string, pathname: string, body: string | undefined): Answer | undefined {
  const resource = /^\/apis\/authorization\.k8s\.io\/v1\/([a-z]+)$/.exec(pathname)?.[1]
  const status = resource !== undefined && Object.hasOwn(reviews, resource) ? reviews[resource] : undefined
  if (status === undefined) return undefined
  if (method !== 'POST') throw methodNotAllowed()
  const kind = kinds[resource ?? '']
  return jsonAnswer(201, {
    kind,
    apiVersion: 'authorization.k8s.io/v1',
    ...asObject(parseJson(body)),
    status,
  })
}
