// The port `Linux`: this node's links, routes, rules and sysctls, and the pods' ends of them, through iproute2.
import type { Clock } from '../base/clock.ts'
import { IpamError } from '../ipam/errors.ts'
import { routeTableOf } from '../ipam/plan-repair.ts'
import { forwardingKey, rpFilterKey } from '../ipam/sysctl-keys.ts'
import type { Link, PodWiring } from '../ipam/types.ts'
import type { Linux } from '../ports.ts'
import type { Mac } from '../value/mac.ts'
import { createAliases } from './aliases.ts'
import { applyChanges } from './apply-changes.ts'
import { firstFault } from './batch.ts'
import { createBatcher } from './batcher.ts'
import { connectPod, failed } from './connect-pod.ts'
import { type EniMover, giveEni, takeEni } from './exclusive-eni.ts'
import { findEnis } from './find-enis.ts'
import { inspectEni } from './inspect-eni.ts'
import { inspectPod } from './inspect-pod.ts'
import { createLane } from './lane.ts'
import { createLanePool } from './lane-pool.ts'
import { requireLinkName, requireNetnsPath } from './names.ts'
import { isNetns, netnsDirectories, ownNetnsPath } from './netns.ts'
import { detailedOptions, query, queryOptions } from './query.ts'
import { podLinksOf, readLinks, readRoutes, readRules, withAddresses } from './read-kernel.ts'
import { createSysctls } from './sysctl.ts'
import { disconnectLines, ourProtocol, removeDoomedLine } from './wiring-lines.ts'

export interface LinuxOptions {
  readonly clock: Clock
  /** The table of an ENI's link is its index plus this (D1). */
  readonly routeTableBase: number
  /** Where proc is mounted. */
  readonly procRoot?: string
  /** Where the runtime keeps network namespaces. */
  readonly netnsDirs?: readonly string[]
}

/** Pods at a time, of 0.7 MB each: more would only queue for the kernel's one network lock. */
const podLanes = 8
/** Pods whose node side shares one `ip`. */
const connectsPerBatch = 8
/** Links removed at once (see removeDoomedLine). */
const disconnectsPerBatch = 64

/** The kernel of the network namespace we run in. Starts no process before the first call; `close` ends them. */
export function createLinux(options: LinuxOptions): Linux & { close(): Promise<void> } {
  const { clock, netnsDirs = netnsDirectories, procRoot = '/proc', routeTableBase } = options
  const lane = (): ReturnType<typeof createLane> => createLane(clock)
  const host = createBatcher({ lane: lane(), maxShared: connectsPerBatch })
  /** What nobody's ADD waits for. */
  const background = createBatcher({
    lane: lane(),
    maxShared: disconnectsPerBatch,
    epilogue: [removeDoomedLine],
  })
  const pods = createLanePool(Array.from({ length: podLanes }, lane))
  const queries = createLanePool([createLane(clock, queryOptions)])
  const details = createLanePool([createLane(clock, detailedOptions)])
  const sysctls = createSysctls(procRoot)
  const aliases = createAliases(clock, background)
  const mover: EniMover = { host, pods, details, home: () => ownNetnsPath(procRoot) }
  /** So that ADD needs no list of links; an ENI's index is its own for as long as it is attached. */
  let indexOf: ReadonlyMap<Mac, number> = new Map()

  function remember(links: readonly Link[]): readonly Link[] {
    indexOf = new Map(links.flatMap(({ index, mac }) => (mac === undefined ? [] : [[mac, index] as const])))
    return links
  }

  async function links(): Promise<readonly Link[]> {
    const [answer] = await query(queries, '', ['link show'])
    return remember(readLinks(answer))
  }

  async function tableOf(eniMac: Mac): Promise<number | undefined> {
    if (!indexOf.has(eniMac)) await links()
    const index = indexOf.get(eniMac)
    return index === undefined ? undefined : routeTableOf({ index }, routeTableBase)
  }

  async function disconnectPod({
    address,
    hostLink,
  }: Pick<PodWiring, 'address' | 'hostLink'>): Promise<void> {
    requireLinkName(hostLink)
    const lines = disconnectLines(address, hostLink)
    const fault = firstFault(lines, await background.run(lines))
    if (fault !== undefined)
      throw new IpamError('kernel', `Cannot disconnect pod ${address} ("${hostLink}"): ${fault}`)
  }

  async function connectChecked(
    wiring: PodWiring,
    table: number,
  ): Promise<Awaited<ReturnType<Linux['connectPod']>>> {
    const { hostMac, kept, podMac } = await connectPod({ host, pods }, wiring, table)
    const faults = kept ? await inspectPod(queries, wiring, table) : []
    if (faults.length > 0) throw failed(wiring, faults.join('; '))
    openFilter(wiring.hostLink)
    aliases.add(wiring)
    return { hostMac, podMac }
  }

  function openFilter(link: string): void {
    const key = rpFilterKey(link)
    if (sysctls.read(key) !== '0') sysctls.write(key, '0')
  }

  return {
    links,

    async survey() {
      const [rules, routes, addresses, linkRows] = await query(queries, '', [
        'rule show',
        `route show table all protocol ${ourProtocol}`,
        'route show table local type local', // far less to print than every link's addresses
        'link show',
      ])
      const all = remember(readLinks(linkRows))
      const keys = [forwardingKey, rpFilterKey('all'), ...all.map(({ name }) => rpFilterKey(name))]
      return {
        links: withAddresses(all, addresses),
        rules: readRules(rules),
        routes: readRoutes(routes),
        podLinks: podLinksOf(linkRows),
        sysctls: Object.fromEntries(
          keys.flatMap((key) => {
            const value = sysctls.read(key)
            return value === undefined ? [] : [[key, value]]
          }),
        ),
      }
    },

    async apply(changes) {
      // An ENI that was attached anew has another index.
      if (changes.some(({ kind }) => kind === 'set-up-eni')) indexOf = new Map()
      await applyChanges({ host, queries, sysctls, routeTableBase }, changes)
    },

    async connectPod(wiring) {
      requireLinkName(wiring.hostLink)
      requireLinkName(wiring.ifname)
      requireNetnsPath(wiring.netns)
      if (!isNetns(wiring.netns)) throw failed(wiring, 'there is no such network namespace')
      const table = await tableOf(wiring.eniMac)
      if (table === undefined) throw failed(wiring, `no link has the MAC of its ENI, ${wiring.eniMac}`)
      try {
        return await connectChecked(wiring, table)
      } catch {
        // A leftover of an earlier sandbox, or a lane that broke: from the ground up, once.
        await disconnectPod(wiring)
      }
      try {
        return await connectChecked(wiring, table)
      } catch (error) {
        await disconnectPod(wiring)
        throw error
      }
    },

    disconnectPod,

    async inspectPod(wiring) {
      requireLinkName(wiring.hostLink)
      requireLinkName(wiring.ifname)
      requireNetnsPath(wiring.netns)
      if (!isNetns(wiring.netns)) return [`network namespace "${wiring.netns}" is gone`]
      return await inspectPod(queries, wiring, await tableOf(wiring.eniMac))
    },

    giveEni: (wiring) => giveEni(mover, wiring),
    takeEni: (wiring) => takeEni(mover, wiring),

    async inspectEni(wiring) {
      requireLinkName(wiring.ifname)
      requireNetnsPath(wiring.netns)
      if (!isNetns(wiring.netns)) return [`network namespace "${wiring.netns}" is gone`]
      return await inspectEni(details, wiring)
    },

    findEnis: () => findEnis(queries, netnsDirs, mover.home()),

    namespaceExists: (netns) => Promise.resolve(isNetns(netns)),

    async close() {
      await aliases.close()
      await Promise.all([host.close(), background.close(), pods.close(), queries.close(), details.close()])
    },
  }
}
