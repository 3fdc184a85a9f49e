// Known mistakes of others (peers' loudest bugs), built in on purpose: the simulation is worth something only if it finds them.

import type { Clock } from '../../../internal/base/clock.ts'
import type { Random } from '../../../internal/base/random.ts'
import { isIdle, type LocalIp, usedPerEni } from '../../../internal/ipam/choose-address.ts'
import { IpamError } from '../../../internal/ipam/errors.ts'
import type { Nec, NodeReport, PodFact } from '../../../internal/ipam/types.ts'
import type { LeaderSettings } from '../../../internal/leader/settings.ts'
import type { Term } from '../../../internal/leader/term.ts'
import type { Agent } from '../../../internal/node/agent.ts'
import type { NodeSettings } from '../../../internal/node/settings.ts'
import type {
  Cloud,
  Feed,
  LeaderKube,
  LeaderLedger,
  LeaderTx,
  LeaseStore,
  Linux,
  NodeKube,
  NodeLedger,
} from '../../../internal/ports.ts'
import type { Database } from '../../../internal/sqlite/database.ts'
import type { Ipv4 } from '../../../internal/value/ipv4.ts'
import type { KernelTwin } from './kernel-twin.ts'
import { eipPlants } from './plants-eips.ts'
import type { World } from './world.ts'

/** Where a known mistake can be built in, to see that the invariants notice it. */
export interface Plant {
  readonly cloud?: (cloud: Cloud) => Cloud
  readonly leaderKube?: (kube: LeaderKube, random: Random, world: World) => LeaderKube
  /** `wall`: the machine's clock, which somebody may set. */
  readonly leaderLedger?: (ledger: LeaderLedger, db: Database, wall: Clock) => LeaderLedger
  readonly lease?: (store: LeaseStore) => LeaseStore
  readonly term?: (term: Term) => Term
  readonly leaderSettings?: Partial<LeaderSettings>
  /** At each start of the leader, before it reads anything. */
  readonly leaderDb?: (db: Database) => void
  readonly nodeKube?: (kube: NodeKube) => NodeKube
  readonly nodeLedger?: (ledger: NodeLedger) => NodeLedger
  /** At each start of an agent, before it reads anything. */
  readonly nodeDb?: (db: Database) => void
  readonly linux?: (linux: Linux, kernel: KernelTwin, world: World) => Linux
  readonly agent?: (agent: Agent, ledger: NodeLedger) => Agent
  readonly nodeSettings?: Partial<NodeSettings>
}

export interface KnownMistake extends Plant {
  /** What others call it: the loudest bugs of cloud address managers, by kind. */
  readonly peers: string
}

export const plants: Readonly<Record<string, KnownMistake>> = {
  /** A call without an answer is taken for one that did not happen. */
  'outcome-not-recorded': {
    peers: 'leak',
    cloud(cloud) {
      let made = 0
      return {
        ...cloud,
        async createEni(request, priority) {
          const eni = await cloud.createEni(request, priority)
          if (++made % 4 === 0) throw new IpamError('unavailable', 'Cannot create ENI: no answer came')
          return eni
        },
      }
    },
  },
  /** Nothing is stored until the cloud has accepted: what a crash interrupts is unknown to the next process. */
  'intent-not-stored-before-call': {
    peers: 'leak',
    leaderDb(db) {
      db.transaction(() => {
        db.run(
          `DELETE FROM eni WHERE key IN (SELECT eni FROM intent WHERE kind = 'create' AND state = 'recorded')`,
        )
        db.run(`DELETE FROM intent WHERE kind = 'create' AND state = 'recorded'`)
      })
    },
  },
  /** What one view of the cloud does not show is taken for gone. */
  'pruned-by-one-stale-view': {
    peers: 'stale view',
    leaderSettings: { settle: { staleFor: 0, giveUpAfter: 0 } },
    leaderLedger: (ledger) => ({
      ...ledger,
      write: (change) => ledger.write((tx) => change(believing(tx))),
    }),
  },
  /** The leader takes back addresses that the node has not given up. */
  'release-without-proof': {
    peers: 'release',
    leaderKube: (kube, random) => ({
      ...kube,
      watchNecs: (feed) =>
        kube.watchNecs(mapFeed(feed, (nec) => (random.next() < 0.2 ? withStolenReturn(nec) : nec))),
    }),
  },
  /** A node that is missing in one list is gone. */
  'absent-node-released-at-once': {
    peers: 'release',
    leaderSettings: { leaveAfter: 100 },
    leaderKube: (kube) => ({ ...kube, getNode: () => Promise.resolve(undefined) }),
  },
  /** A return counts for the address, not for the binding that was returned. */
  'grant-ignored': {
    peers: 'disagree',
    leaderKube: (kube) => ({ ...kube, watchNecs: (feed) => kube.watchNecs(mapFeed(feed, withNewestGrants)) }),
  },
  /** A freed address is handed out again at once. */
  'cooldown-ignored': { peers: 'cooldown', nodeSettings: { cooldown: 0 } },
  'cooldown-lost-on-restart': {
    peers: 'cooldown',
    nodeDb: (db) => void db.run('UPDATE ip SET cooling_until = 0'),
  },
  /** Rules of a pod that is gone stay behind. */
  'rules-left-behind': {
    peers: 'rules',
    linux: (linux, kernel) => ({
      ...linux,
      async disconnectPod(wiring) {
        const before = kernel.rules.filter(({ from }) => from === wiring.address)
        await linux.disconnectPod(wiring)
        kernel.rules.push(...before)
      },
    }),
  },
  /** An ENI that was away has another table when it is back; its pods' rules lead to the former one. */
  'rules-of-former-link': {
    peers: 'rules',
    linux: (linux) => ({
      ...linux,
      apply: (changes) =>
        linux.apply(changes.filter(({ kind }) => kind !== 'add-rule' && kind !== 'remove-rule')),
    }),
  },
  /** The address is free again before the pod's link and rules are gone. */
  'released-before-teardown': {
    peers: 'rules',
    linux: (linux, _, world) => ({
      ...linux,
      disconnectPod(wiring) {
        world.clock.after(5000, () => void linux.disconnectPod(wiring))
        return Promise.resolve()
      },
    }),
  },
  /** More ENIs than the instance can carry are made, again and again. */
  'eni-cap-ignored': {
    peers: 'cap',
    cloud: (cloud) => ({
      ...cloud,
      describeEniQuota: async (...asked) => ({ ...(await cloud.describeEniQuota(...asked)), enis: 99 }),
    }),
  },
  /** What the kernel has and the database has not is taken for a leftover: a lost database costs every pod its network. */
  'lost-database-believed': {
    peers: 'stale view',
    nodeLedger: (ledger) => ({ ...ledger, letGo: () => true }),
  },
  /** Whoever sees a lease takes it, and a leader that was overtaken goes on. */
  'two-leaders-without-fencing': { peers: 'two leaders', lease: alwaysFree, term: unending },
  /** A leader that has lost its lease goes on until it notices in some other way. */
  'deposed-leader-writes': { peers: 'two leaders', term: unending },
  /** A DEL frees whatever the pod has now, not what its sandbox had. */
  'released-by-pod-name': {
    peers: 'key',
    agent: (agent, ledger) => {
      const podOf = new Map<string, string>()
      return {
        ...agent,
        add: (sandbox, signal) => {
          podOf.set(sandbox.containerId, sandbox.pod.uid)
          return agent.add(sandbox, signal)
        },
        async remove(key) {
          const [current] = ledger.attachmentsOfPod(podOf.get(key.containerId) ?? '', key.ifname)
          await agent.remove(current ?? key)
        },
      }
    },
  },
  /** A DEL that comes again frees the address by its number, whoever has it by now. */
  'repeated-del-frees-live': {
    peers: 'release',
    agent: (agent, ledger) => {
      const addressOf = new Map<string, Ipv4>()
      return {
        ...agent,
        async add(sandbox, signal) {
          const network = await agent.add(sandbox, signal)
          addressOf.set(sandbox.containerId, network.attachment.address)
          return network
        },
        async remove(key) {
          const had = addressOf.get(key.containerId)
          await agent.remove(ledger.attachments().find(({ address }) => address === had) ?? key)
        },
      }
    },
  },
  /** What an accepted assignment announces is believed, though not all of it comes. */
  'announcement-believed': {
    peers: 'partial',
    cloud(cloud) {
      const announced = new Map<string, Set<Ipv4>>()
      return {
        ...cloud,
        async assignIps(request, priority) {
          const addresses = await cloud.assignIps(request, priority)
          announced.set(request.eni, new Set(addresses))
          return addresses
        },
        async describeEnis(query, priority) {
          const enis = await cloud.describeEnis(query, priority)
          return enis.map((eni) => {
            const shown = new Set(eni.ips.map(({ address }) => address))
            const more = [...(announced.get(eni.id) ?? [])].filter((address) => !shown.has(address))
            return {
              ...eni,
              ips: [
                ...eni.ips.map((ip) =>
                  announced.get(eni.id)?.has(ip.address) ? { ...ip, state: 'available' as const } : ip,
                ),
                ...more.map((address) => ({ address, state: 'available' as const })),
              ],
            }
          })
        },
      }
    },
  },
  /** After the API server failed once, nothing is published any more. */
  'never-recovers': {
    peers: 'outage',
    leaderKube(kube) {
      let broken = false
      return {
        ...kube,
        async publishNec(...publication) {
          if (broken) return
          try {
            await kube.publishNec(...publication)
          } catch (error) {
            broken = true
            throw error
          }
        },
      }
    },
  },
  /** An intent whose call was refused once is forgotten in the ledger, though an earlier sending may have taken effect. */
  'failed-too-early': {
    peers: 'partial',
    leaderLedger: (ledger) => ({
      ...ledger,
      write: (change) => ledger.write((tx) => change(hasty(tx))),
    }),
  },
  /** A ledger that is made anew counts its grants from the beginning: nodes take new bindings for old ones. */
  'grants-start-over': {
    peers: 'recovery',
    leaderLedger: (ledger) => ({
      ...ledger,
      write: (change) => ledger.write((tx) => change({ ...tx, raiseGrants: () => undefined })),
    }),
  },
  /** What is given back leaves the fullest ENI: none ever drains. */
  'fullest-eni-first': {
    peers: 'release',
    nodeLedger: (ledger) => ({
      ...ledger,
      write: (change) =>
        ledger.write((tx) =>
          change({
            ...tx,
            giveBack: (addresses, reason) =>
              tx.giveBack(fromFullest(ledger, tx.ips(), addresses.length), reason),
          }),
        ),
    }),
  },
  /** A least above the most is taken for what somebody wanted. */
  'targets-unchecked': {
    peers: 'settings',
    leaderKube: (kube) => ({
      ...kube,
      watchNecs: (feed) => kube.watchNecs(mapFeed(feed, withOrderedTargets)),
    }),
  },
  /** A maximum is lowered below what pods use. */
  'use-unchecked': {
    peers: 'settings',
    leaderKube: (kube) => ({ ...kube, watchNecs: (feed) => kube.watchNecs(mapFeed(feed, withoutUse)) }),
  },
  /** An ENI of which the database says that nobody has it is handed out, wherever it is. */
  'away-eni-handed-out': {
    peers: 'exclusive',
    linux: (linux, kernel) => ({
      ...linux,
      findEnis: () => Promise.resolve([]),
      async survey() {
        const survey = await linux.survey()
        const away = [...kernel.given].map(([mac, { index }]) => ({
          name: `eth${index}`,
          index,
          mac,
          up: false,
          addresses: [],
        }))
        return { ...survey, links: [...survey.links, ...away] }
      },
      async giveEni(wiring) {
        const holder = kernel.given.get(wiring.mac)
        if (holder !== undefined && holder.netns !== wiring.netns)
          await linux.takeEni({ ...wiring, netns: holder.netns })
        return linux.giveEni(wiring)
      },
    }),
  },
  /** Each kind keeps its warm ENIs, whatever pods of the other kind wait for. */
  'warm-enis-keep-their-places': {
    peers: 'exclusive',
    nodeKube: (kube) => ({
      ...kube,
      watchNec: (feed) => kube.watchNec(mapFeed(feed, withEndlessPlaces)),
    }),
  },
  /** What a pod's ENI had on it is still on it for the next one. */
  'exclusive-eni-not-cleaned': {
    peers: 'exclusive',
    linux: (linux, kernel) => ({
      ...linux,
      async takeEni(place) {
        const had = kernel.given.get(place.mac)?.address
        await linux.takeEni(place)
        const link = kernel.links.get(place.mac)
        if (link !== undefined && had !== undefined) Object.assign(link, { up: true, addresses: [had] })
      },
      apply: (changes) => linux.apply(changes.filter(({ kind }) => kind !== 'clean-eni')),
    }),
  },
  /** A static address leaves its ENI although the node has not given it back: a sandbox may still have it. */
  'claim-moved-without-return': {
    peers: 'static',
    leaderKube: (kube, random) => ({
      ...kube,
      watchNecs: (feed) =>
        kube.watchNecs(mapFeed(feed, (nec) => (random.next() < 0.2 ? withClaimsReturned(nec) : nec))),
    }),
  },
  /** A static address is kept as long as a clock says that somebody may set. */
  'claim-expires-by-wall-clock': {
    peers: 'static',
    leaderLedger: (ledger, _, wall) => ({
      ...ledger,
      expiredClaims: () =>
        ledger.claimsWhere('Retained').filter(({ expireAfter = 3_600_000, expiresAt, retainedAt }) => {
          return expiresAt !== undefined && wall.now() - (retainedAt ?? 0) >= expireAfter
        }),
    }),
  },
  /** Pods are known by their names: the late end of one is taken for that of the next. */
  'late-end-frees-next-pod': {
    peers: 'static',
    leaderKube: (kube) => ({ ...kube, watchPods: (feed) => kube.watchPods(byName(feed)) }),
  },
  /** What a lost call has reserved is reserved once more. */
  'reservation-asked-anew': {
    peers: 'static',
    cloud: (cloud) => {
      let asked = 0
      return {
        ...cloud,
        describeReservations: async (query, priority) =>
          'tags' in query && Object.keys(query.tags).length > 1
            ? []
            : cloud.describeReservations(query, priority),
        reserveIp: (request, priority) =>
          cloud.reserveIp(
            { ...request, clientToken: `${request.clientToken.slice(0, 50)}-${++asked}` },
            priority,
          ),
      }
    },
  },
  /** When a node goes, what its pods had goes with it. */
  'claims-gone-with-node': {
    peers: 'static',
    leaderLedger: (ledger) => ({
      ...ledger,
      write: (change) =>
        ledger.write((tx) =>
          change({
            ...tx,
            setPhase(name, phase) {
              tx.setPhase(name, phase)
              if (phase !== 'leaving') return
              for (const claim of ledger.placedClaims(name))
                if (claim.phase !== 'Releasing')
                  tx.changeClaim(claim, { phase: 'Releasing', podUid: undefined })
            },
          }),
        ),
    }),
  },
  /** An address that is kept for one pod is shown to its node as one of the pool. */
  'claimed-address-in-pool': {
    peers: 'static',
    leaderLedger: (ledger) => ({
      ...ledger,
      publishedEnis: (node) =>
        ledger.publishedEnis(node).map((eni) => ({
          ...eni,
          ips: eni.ips.map(({ address, grant }) => ({ address, grant })),
        })),
    }),
  },
  /** A ledger that is lost knows no claims: their addresses are anybody's. */
  'claims-lost-with-ledger': {
    peers: 'static',
    leaderLedger: (ledger) => ({
      ...ledger,
      write: (change) => ledger.write((tx) => change({ ...tx, restoreClaim: () => undefined as never })),
    }),
  },
  /** A claim's time runs from when its pod ended by what was stored last, however long ago that was. */
  'claim-time-from-last-tick': {
    peers: 'static',
    leaderLedger: (ledger) => {
      const started = ledger.expiryClock().now
      return {
        ...ledger,
        write: (change) =>
          ledger.write((tx) =>
            change({
              ...tx,
              changeClaim: (claim, wanted) =>
                tx.changeClaim(
                  claim,
                  wanted.expiresAt === undefined
                    ? wanted
                    : { ...wanted, expiresAt: wanted.expiresAt - (ledger.expiryClock().now - started) },
                ),
            }),
          ),
      }
    },
  },
  /** A ledger that is lost is an empty one: what the cloud has is nobody's. */
  'lost-ledger-is-empty': {
    peers: 'recovery',
    leaderLedger: (ledger) => ({
      ...ledger,
      write: (change) => ledger.write((tx) => change({ ...tx, adoptEni: () => undefined })),
    }),
  },
  ...eipPlants,
}

function fromFullest(ledger: NodeLedger, ips: readonly LocalIp[], count: number): readonly Ipv4[] {
  const used = usedPerEni(ips)
  const usedOn = ({ eniId }: LocalIp) => used.get(eniId) ?? 0
  return ips
    .filter((ip) => isIdle(ip) && ledger.eniOf(ip.address)?.mode === 'shared')
    .toSorted((a, b) => usedOn(b) - usedOn(a))
    .slice(0, count)
    .map(({ address }) => address)
}

/** The most is at least the least. */
function withOrderedTargets(nec: Nec): Nec {
  const annotations = { ...nec.annotations }
  for (const [name, least] of Object.entries(annotations)) {
    const most = name.replace('-min-', '-max-')
    if (Number(annotations[most]) < Number(least)) annotations[most] = least
  }
  return { ...nec, annotations }
}

function withoutUse(nec: Nec): Nec {
  const none = { enisInUse: 0, mostInUse: 0, exclusiveInUse: 0 }
  return nec.report === undefined ? nec : { ...nec, report: { ...nec.report, ...none } }
}

function unending(term: Term): Term {
  return { ...term, holds: () => true, check() {}, end() {}, over: new AbortController().signal }
}

function alwaysFree(store: LeaseStore): LeaseStore {
  return {
    ...store,
    async read() {
      const lease = await store.read()
      return lease === undefined ? undefined : { ...lease, holder: undefined }
    },
  }
}

/** The plant of that name; none without a name. */
export function plantNamed(name: string | undefined): Plant {
  return name === undefined ? {} : (plants[name] ?? {})
}

function believing(tx: LeaderTx): LeaderTx {
  return {
    ...tx,
    noteMissing: (intent, missing) =>
      missing ? tx.finish(intent, undefined) : tx.noteMissing(intent, missing),
  }
}

function hasty(tx: LeaderTx): LeaderTx {
  return { ...tx, noteUnanswered: (intent, error) => tx.fail(intent, error) }
}

function mapFeed<T>(feed: Feed<T>, change: (item: T) => T): Feed<T> {
  return {
    replaced: (items) => feed.replaced(items.map(change)),
    changed: (item) => feed.changed(change(item)),
    removed: (item) => feed.removed(item),
  }
}

function withEndlessPlaces(nec: Nec): Nec {
  return nec.publication === undefined
    ? nec
    : { ...nec, publication: { ...nec.publication, instanceEnis: 1000 } }
}

function withStolenReturn(nec: Nec): Nec {
  const stolen = nec.publication?.enis[0]?.ips[0]
  if (stolen === undefined || nec.report === undefined) return nec
  return { ...nec, report: { ...nec.report, returned: [...nec.report.returned, stolen] } }
}

/** What no pod shows is said to be given back. */
function withClaimsReturned(nec: Nec): Nec {
  const claimed = (nec.publication?.enis ?? []).flatMap(({ ips }) =>
    ips.filter(({ claim }) => claim !== undefined),
  )
  if (nec.report === undefined) return nec
  return { ...nec, report: { ...nec.report, returned: [...nec.report.returned, ...claimed] } }
}

/** An end is heard after what came next, and ends whoever has the name by then; who has ended is not looked at again. */
function byName(feed: Feed<PodFact>): Feed<PodFact> {
  const known = new Map<string, PodFact>()
  const ended = new Set<string>()
  let late: PodFact[] = []
  const end = (name: string) => {
    for (const one of [...known.values()].filter((pod) => pod.name === name)) {
      known.delete(one.uid)
      ended.add(one.uid)
      feed.removed(one)
    }
  }
  const isThere = ({ uid }: PodFact) => !ended.has(uid)
  return {
    replaced(items) {
      late = []
      known.clear()
      for (const pod of items.filter(isThere)) known.set(pod.uid, pod)
      feed.replaced(items.filter(isThere))
    },
    changed(pod) {
      const before = late
      late = []
      if (isThere(pod)) {
        known.set(pod.uid, pod)
        feed.changed(pod)
      }
      for (const { name } of before) end(name)
    },
    removed: (pod) => void late.push(pod),
  }
}

function withNewestGrants(nec: Nec): Nec {
  if (nec.report === undefined) return nec
  const published = nec.publication?.enis.flatMap(({ ips }) => ips) ?? []
  const newest = (ip: NodeReport['returned'][number]) =>
    published.find(({ address }) => address === ip.address) ?? ip
  return { ...nec, report: { ...nec.report, returned: nec.report.returned.map(newest) } }
}
