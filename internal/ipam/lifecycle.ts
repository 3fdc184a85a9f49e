// What all claims have in common, whatever they are to: a pod takes one, ends, comes back; time runs; and at last it is let go. Which phase
// may follow which is in claim.ts.
import type { Millis } from '../value/millis.ts'
import type { AnyClaim, ChangeOf } from './claim.ts'
import type { NodeName, PodUid } from './types.ts'

/** What the claim is to stays. */
export type LifecycleChange = Omit<ChangeOf<AnyClaim>, 'address'>

const nobody = { podUid: undefined, node: undefined }

/** What it has goes back, and then it is gone. */
export function letGo(reason: string, message: string): LifecycleChange {
  return { ...nobody, retainedAt: undefined, expiresAt: undefined, phase: 'Releasing', reason, message }
}

/** What it has is kept for the next pod of its name; `expiresAt` undefined: for ever, as things are. */
function retain(now: Millis, expiresAt: Millis | undefined): LifecycleChange {
  return { ...nobody, phase: 'Retained', retainedAt: now, expiresAt, reason: '', message: '' }
}

/** Two looks at the ledger's clock do not agree to the second. */
const agree: Millis = 60_000

/** The change that makes `expiresAt` follow the setting: stopped when there is none, begun or shortened to `latest`, never prolonged. */
function retime(
  { expiresAt }: Pick<AnyClaim, 'expiresAt'>,
  latest: Millis | undefined,
): LifecycleChange | undefined {
  const isRight =
    latest === undefined ? expiresAt === undefined : expiresAt !== undefined && expiresAt <= latest + agree
  return isRight ? undefined : { expiresAt: latest }
}

/**
 * What its pod leaves, or has left, is kept until `latest`; undefined: no time runs. `missing`: what it is a claim to, of one that has none
 * yet. Returns undefined when it is so already.
 */
export function keptUntil(
  claim: Pick<AnyClaim, 'phase' | 'expiresAt'>,
  { latest, missing, now }: { latest: Millis | undefined; missing: string | undefined; now: Millis },
): LifecycleChange | undefined {
  if (claim.phase === 'Retained') return retime(claim, latest)
  return missing === undefined
    ? retain(now, latest)
    : letGo('PodGone', `its pod went before it had ${missing}`)
}

/** The pod has it from now on. `has`: there is what it is a claim to. */
export function takenBy(
  { generation }: Pick<AnyClaim, 'generation'>,
  { node, uid }: { readonly node: NodeName | undefined; readonly uid: PodUid },
  { expireAfter, has }: { readonly expireAfter: Millis | undefined; readonly has: boolean },
): LifecycleChange {
  return {
    ...{ podUid: uid, node, phase: has ? 'Attaching' : 'Pending', generation: generation + 1 },
    ...{ retainedAt: undefined, expiresAt: undefined, expireAfter, reason: '', message: '' },
  }
}
