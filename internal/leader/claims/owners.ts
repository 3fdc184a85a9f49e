// Claims that go with the workload of their pods (S7): which that is, and whether it is still there. A kind is watched while a claim of
// such a workload exists; where it cannot be watched its workloads are asked for now and then.
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { AnyClaim, FollowedOwner } from '../../ipam/claim.ts'
import { errorCode } from '../../ipam/errors.ts'
import type { OwnerRef, PodFact, PodName } from '../../ipam/types.ts'
import type { LeaderKube, LeaderLedger, Stop, WorkloadKind } from '../../ports.ts'
import type { Millis } from '../../value/millis.ts'

export interface Topmost {
  readonly owner?: OwnerRef
  readonly fault?: string
  /** The one that could not be looked at. */
  readonly at?: OwnerRef
}

export interface Owners {
  /** The topmost controller of the pod: none, one, or why that cannot be found out for good. Throws what may pass. */
  topmost(pod: Pick<PodFact, 'namespace' | 'claim'>): Promise<Topmost>
  /** Of a claim without a pod. `owner`: it is there, and this is how it is known. Throws what may pass. */
  judge(
    claim: Pick<AnyClaim, 'namespace' | 'owner'>,
  ): Promise<'there' | 'gone' | 'unsure' | { readonly owner: FollowedOwner | undefined }>
  /** A claim goes with it from now on. */
  follow(owner: OwnerRef): void
  /** Watches the kinds that claims go with now, and no others. */
  keep(): void
  stop(): void
}

export interface OwnersOptions {
  readonly kube: LeaderKube
  readonly ledger: LeaderLedger
  readonly clock: Clock
  readonly log: Log
  /** Its workload may be gone. */
  readonly wake: (pod: PodName) => void
}

/** A chain of owners that is longer goes round in circles. */
const mostOwners = 10

/** Of a kind that cannot be watched. One that is served no more went with its workloads, when that is still so then. */
const askAgainAfter: Millis = 5 * 60_000

/** What a claim says whose workload was known in an earlier ledger: one of that name may be another by now. */
export const unknownUid = ''

interface Watched {
  readonly kind: WorkloadKind
  stop: Stop
  /** Those that are there; undefined until they have been listed, and when they cannot be. */
  uids: Set<string> | undefined
  trouble: string | undefined
}

export function createOwners({ clock, kube, ledger, log, wake }: OwnersOptions): Owners {
  const watches = new Map<string, Watched>()
  const asked = new Map<string, Millis>()
  /** Since when a kind was not served at any look. */
  const unserved = new Map<string, Millis>()
  /** Workloads of claims that a watch has seen go. */
  const wentAway = new Set<string>()

  /** Of either kind. */
  function ownedBy(uid: string): readonly PodName[] {
    return [...ledger.claimsOfOwner(uid), ...ledger.eips.ofOwner(uid)]
  }

  /** Those of an earlier ledger all have one uid: it is looked up once, however many they are. */
  function wakeClaims(of: readonly OwnerRef[]): void {
    for (const uid of new Set(of.map((owner) => owner.uid))) for (const claim of ownedBy(uid)) wake(claim)
  }

  function watch(kind: WorkloadKind): Watched {
    const watched: Watched = { kind, stop: () => {}, uids: undefined, trouble: undefined }
    watched.stop = kube.watchWorkloads(
      kind,
      {
        replaced(items) {
          const there = new Set(items.map(({ uid }) => uid))
          watched.uids = there
          if (watched.trouble !== undefined) log.info('workloads are watched again', { ...kind })
          watched.trouble = undefined
          unserved.delete(keyOf(kind))
          const ofKind = ledger.owners().filter((owner) => keyOf(owner) === keyOf(kind))
          wakeClaims(ofKind.filter(({ uid }) => !there.has(uid)))
        },
        changed: ({ uid }) => void watched.uids?.add(uid),
        removed({ uid }) {
          watched.uids?.delete(uid)
          const claims = ownedBy(uid)
          if (claims.length > 0) wentAway.add(uid)
          for (const claim of claims) wake(claim)
        },
      },
      (error) => {
        if (!isForGood(error)) return
        if (watched.trouble === undefined)
          log.warn('workloads cannot be watched: they are asked for now and then', {
            ...kind,
            error: error.message,
          })
        watched.trouble = error.message
        watched.uids = undefined
      },
    )
    return watched
  }

  function ensureWatched(kind: WorkloadKind): void {
    if (!watches.has(keyOf(kind))) watches.set(keyOf(kind), watch(kind))
  }

  /** Is it worth asking? */
  function isSuspect(owner: OwnerRef): boolean {
    if (owner.uid === unknownUid) return true
    const watched = watches.get(keyOf(owner))
    if (watched?.uids !== undefined) return !watched.uids.has(owner.uid)
    if (watched?.trouble === undefined) return false
    const last = asked.get(owner.uid)
    return last === undefined || Math.abs(clock.now() - last) >= askAgainAfter
  }

  /** A kind that was uninstalled took all its workloads along: one look may be at a server that does not know it yet (R7). */
  function judgeKind(owner: OwnerRef, now: Millis): 'gone' | 'unsure' {
    const since = unserved.get(keyOf(owner)) ?? now
    unserved.set(keyOf(owner), since)
    return wentAway.has(owner.uid) || Math.abs(now - since) >= askAgainAfter ? 'gone' : 'unsure'
  }

  return {
    async topmost({ claim, namespace }) {
      let ref: OwnerRef | undefined = claim?.owner
      for (let i = 0; i < mostOwners && ref !== undefined; i++) {
        try {
          const found = await kube.getWorkload(ref, namespace)
          // It went while its pod came: then that is its owner, and the claim goes with it.
          if (found?.uid !== ref.uid || found.controller === undefined) return { owner: ref }
          ref = found.controller
        } catch (error) {
          if (!isForGood(error)) throw error
          return { fault: (error as Error).message, at: ref }
        }
      }
      return ref === undefined
        ? {}
        : { fault: `the owners of the pod go round in circles at ${ref.kind} "${ref.name}"` }
    },
    async judge({ namespace, owner }) {
      if (owner === undefined || !isSuspect(owner)) return 'there'
      const now = clock.now()
      try {
        asked.set(owner.uid, now)
        const found = await kube.getWorkload(owner, namespace)
        unserved.delete(keyOf(owner))
        if (owner.uid === unknownUid) return { owner: found && { ...owner, uid: found.uid } }
        return found?.uid === owner.uid ? 'there' : 'gone'
      } catch (error) {
        if (!isForGood(error)) throw error
        if (errorCode(error) === 'not_found')
          return owner.uid === unknownUid ? 'unsure' : judgeKind(owner, now)
        unserved.delete(keyOf(owner))
        return 'unsure'
      }
    },
    follow: ({ apiVersion, kind }) => ensureWatched({ apiVersion, kind }),
    keep() {
      const all = ledger.owners()
      const kinds = new Map(
        all.map(({ apiVersion, kind }) => [keyOf({ apiVersion, kind }), { apiVersion, kind }]),
      )
      for (const [key, { stop }] of [...watches]) {
        if (kinds.has(key)) continue
        stop()
        watches.delete(key)
      }
      for (const kind of kinds.values()) ensureWatched(kind)
      wakeClaims(all.filter(isSuspect))
      const used = new Set(all.map(({ uid }) => uid))
      for (const uid of [...asked.keys(), ...wentAway]) {
        if (used.has(uid)) continue
        asked.delete(uid)
        wentAway.delete(uid)
      }
      for (const key of unserved.keys()) if (!kinds.has(key)) unserved.delete(key)
    },
    stop() {
      for (const { stop } of watches.values()) stop()
      watches.clear()
    },
  }
}

function keyOf({ apiVersion, kind }: WorkloadKind): string {
  return `${apiVersion} ${kind}`
}

/** Somebody has to do something. */
function isForGood(error: unknown): boolean {
  const code = errorCode(error)
  return code === 'denied' || code === 'bad_input' || code === 'not_found'
}
