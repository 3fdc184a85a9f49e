// What ledger, cloud and Kubernetes disagree about, and when enough views agree on it (R7): two, further apart than the
// cloud's answers may lag.
import type { Millis } from '../value/millis.ts'
import type { NodeName } from './types.ts'

export type SuspectKind =
  | 'eni-orphan' // ours by its tag, and in no ledger
  | 'eni-missing' // in the ledger, and the cloud does not show it
  | 'eni-detached' // serves its node by the ledger, and is attached to nothing
  | 'eni-attached' // attached to nothing by the ledger, and is on its node
  | 'eni-elsewhere' // attached to another instance than its node's
  | 'eni-untagged' // in the ledger, without our tag
  | 'eni-retagged' // in the ledger, with the tag of another cluster
  | 'ip-unknown' // on an ENI of ours, and in no ledger
  | 'ip-missing' // in the ledger, and not on its ENI
  | 'ip-doubled' // shown by two pods
  | 'ip-elsewhere' // shown by a pod on another node than the ledger's
  | 'pod-stray' // a pod shows an address of our subnets that the ledger does not have
  | 'reservation-orphan' // ours by its tag, and of no claim
  | 'reservation-missing' // of a claim, and the cloud does not show it
  | 'reservation-unknown' // of a claim by its tags, and that does not know it
  | 'reservation-doubled' // of an address that another's claim has
  | 'nec-differs' // a NEC keeps saying something else than the ledger

/** One disagreement, as one view shows it. */
export interface Finding {
  readonly kind: SuspectKind
  /** The ENI, the address, the pod or the node it is about. */
  readonly subject: string
  readonly node: NodeName | undefined
  readonly reason: string
  readonly remedy: string
  /** Once confirmed, nothing is handed out of it and nothing done to it, until it is over. */
  readonly holds: boolean
}

/** A finding that waits: for the view that confirms it, or for a person. */
export interface Suspect extends Omit<Finding, 'holds'> {
  readonly firstSeen: Millis
  /** The last view that counts. */
  readonly lastSeen: Millis
  readonly reads: number
  readonly held: boolean
}

/** `finding` as of a view at `at`, given what is known of it. */
export function weigh(
  { holds, ...finding }: Finding,
  before: Suspect | undefined,
  at: Millis,
  staleFor: Millis,
): Suspect {
  const agrees = before !== undefined && before.reason === finding.reason
  if (!agrees) return { ...finding, firstSeen: at, lastSeen: at, reads: 1, held: false }
  // A clock that was set back makes the last view one of now.
  const last = Math.min(before.lastSeen, at)
  const counts = at - last > staleFor
  const reads = before.reads + (counts ? 1 : 0)
  return {
    ...finding,
    firstSeen: Math.min(before.firstSeen, last),
    lastSeen: counts ? at : last,
    reads,
    held: holds && reads > 1,
  }
}

export function isConfirmed({ reads }: Suspect): boolean {
  return reads > 1
}

export function suspectKey({ kind, subject }: Pick<Finding, 'kind' | 'subject'>): string {
  return `${kind} ${subject}`
}
