// Whether the cluster allows somebody something: SubjectAccessReviews, remembered for a moment.
import type { Clock } from '../base/clock.ts'
import type { Millis } from '../value/millis.ts'
import type { KubeClient } from './client.ts'
import { at, textAt } from './json.ts'

export interface Subject {
  readonly user: string
  readonly uid: string
  readonly groups: readonly string[]
  readonly extra: Readonly<Record<string, readonly string[]>>
}

/** What is wanted: a resource, or a path that is none. */
export type Wanted =
  | {
      readonly verb: string
      readonly group: string
      readonly version: string
      readonly resource: string
      readonly subresource: string
      readonly namespace: string
      readonly name: string
    }
  | { readonly verb: string; readonly path: string }

export interface Verdict {
  readonly allowed: boolean
  readonly why: string
}

export type AccessReviews = (subject: Subject, wanted: Wanted) => Promise<Verdict>

/** As long as the API server's own delegated authorization: a person who was just given a role may have to wait so long. */
const rememberFor: Millis = 10_000
const mostRemembered = 1000

/** Throws as KubeClient.call. */
export function accessReviews(client: KubeClient, clock: Clock): AccessReviews {
  const remembered = new Map<string, { verdict: Promise<Verdict>; until: Millis }>()
  return (subject, wanted) => {
    const key = JSON.stringify([subject, wanted])
    const now = clock.now()
    const known = remembered.get(key)
    if (known !== undefined && now < known.until && known.until - now <= rememberFor) return known.verdict
    const verdict = ask(client, subject, wanted)
    remembered.delete(key) // the newest last
    remembered.set(key, { verdict, until: now + rememberFor })
    const [oldest] = remembered.keys()
    if (remembered.size > mostRemembered && oldest !== undefined) remembered.delete(oldest)
    verdict.catch(() => remembered.delete(key))
    return verdict
  }
}

async function ask(client: KubeClient, subject: Subject, wanted: Wanted): Promise<Verdict> {
  const answer = await client.call({
    doing: `ask whether user "${subject.user}" may ${wanted.verb}`,
    method: 'POST',
    path: '/apis/authorization.k8s.io/v1/subjectaccessreviews',
    body: {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: {
        user: subject.user,
        uid: subject.uid,
        groups: subject.groups,
        extra: subject.extra,
        ...('path' in wanted
          ? { nonResourceAttributes: { verb: wanted.verb, path: wanted.path } }
          : { resourceAttributes: wanted }),
      },
    },
  })
  return {
    allowed: at(answer, 'status', 'allowed') === true && at(answer, 'status', 'denied') !== true,
    why: textAt(answer, 'status', 'reason') ?? '',
  }
}
