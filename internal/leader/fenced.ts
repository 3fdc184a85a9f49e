// What a leader may touch only while its term holds. Each call is refused once it does not, and whoever answers that a later
// leader is at work ends the term.
import { isLater } from '../ipam/epoch.ts'
import { errorCode } from '../ipam/errors.ts'
import type { Nec } from '../ipam/types.ts'
import type { Cloud, Feed, LeaderKube, LeaderLedger } from '../ports.ts'
import type { Term } from './term.ts'

const overtaken = 'a later leader is at work'

/** Each call throws `deposed` unless the term holds when it is made; how it fares while it waits is the adapter's to look after. */
export function fencedCloud(cloud: Cloud, term: Term): Cloud {
  const fence = fenceOf(term)
  return {
    describeEnis: fence(cloud.describeEnis),
    describeSubnets: fence(cloud.describeSubnets),
    describeInstances: fence(cloud.describeInstances),
    describeEniQuota: fence(cloud.describeEniQuota),
    createEni: fence(cloud.createEni),
    attachEni: fence(cloud.attachEni),
    detachEni: fence(cloud.detachEni),
    deleteEni: fence(cloud.deleteEni),
    assignIps: fence(cloud.assignIps),
    unassignIps: fence(cloud.unassignIps),
    migrateIp: fence(cloud.migrateIp),
    reserveIp: fence(cloud.reserveIp),
    describeReservations: fence(cloud.describeReservations),
    releaseReservation: fence(cloud.releaseReservation),
    allocateEip: fence(cloud.allocateEip),
    describeEips: fence(cloud.describeEips),
    associateEip: fence(cloud.associateEip),
    disassociateEip: fence(cloud.disassociateEip),
    releaseEip: fence(cloud.releaseEip),
    describeEipQuota: fence(cloud.describeEipQuota),
  }
}

/** As `fencedCloud`; a NEC of a later epoch ends the term, too. */
export function fencedKube(kube: LeaderKube, term: Term): LeaderKube {
  const fence = fenceOf(term)
  const look = (nec: Nec) => {
    const epoch = nec.publication?.epoch ?? 0
    if (isLater(epoch, term.epoch))
      term.end(overtaken, `NEC "${nec.name}" is of epoch ${epoch}, this one of ${term.epoch}`)
  }
  return {
    watchNodes: (feed) => kube.watchNodes(feed),
    watchPods: (feed) => kube.watchPods(feed),
    watchNecs: (feed) => kube.watchNecs(lookedAt(feed, look)),
    getNode: fence(kube.getNode),
    getPod: fence(kube.getPod),
    getNec: fence(kube.getNec),
    publishNec: fence(kube.publishNec),
    deleteNec: fence(kube.deleteNec),
    setUnavailable: fence(kube.setUnavailable),
    setPublicIp: fence(kube.setPublicIp),
    getWorkload: fence(kube.getWorkload),
    watchWorkloads: (kind, feed, trouble) => kube.watchWorkloads(kind, feed, trouble),
    keepSources: fence(kube.keepSources),
    serverTime: fence(kube.serverTime),
    notify(notice) {
      if (term.holds()) kube.notify(notice)
    },
  }
}

/** Every change is looked at in the very transaction that makes it: the term holds, and no later one has written here. */
export function fencedLedger(ledger: LeaderLedger, term: Term): LeaderLedger {
  const fence = fenceOf(term)
  return {
    ...ledger,
    write: <T>(change: Parameters<typeof ledger.write<T>>[0]) =>
      fence(() =>
        ledger.write((tx) => {
          term.check()
          tx.enterEpoch(term.epoch)
          return change(tx)
        }),
      )(),
  }
}

function fenceOf(term: Term) {
  return <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      term.check()
      try {
        return await call(...args)
      } catch (error) {
        if (errorCode(error) === 'deposed') term.end(overtaken, (error as Error).message)
        throw error
      }
    }
}

/** Looked at before anybody acts on it. */
function lookedAt<T>(feed: Feed<T>, look: (item: T) => void): Feed<T> {
  return {
    replaced(items) {
      items.forEach(look)
      feed.replaced(items)
    },
    changed(item) {
      look(item)
      feed.changed(item)
    },
    removed: (item) => feed.removed(item),
  }
}
