// What must be true: always, and once everything is quiet.
import { isIdle } from '../../../internal/ipam/choose-address.ts'
import { clusterTag, intentTag, purposeOf } from '../../../internal/ipam/eni-tags.ts'
import { routeTableOf } from '../../../internal/ipam/plan-repair.ts'
import type { ReturnReason } from '../../../internal/ipam/plan-return.ts'
import { nodeDefaults } from '../../../internal/node/settings.ts'
import type { Ipv4 } from '../../../internal/value/ipv4.ts'
import type { Millis } from '../../../internal/value/millis.ts'
import { quietClaimFaults } from './claim-invariants.ts'
import { quietEipFaults } from './eip-invariants.ts'
import { difference, kernelFaults } from './kernel-invariants.ts'
import { boundFaults, hasRoom, withoutPlace } from './pool-invariants.ts'
import { clusterId, type SimNode, type World } from './world.ts'

/** Watches the world after every step. */
export class Watchman {
  readonly #world: World
  /** When each address was last seen taken from a pod's link, and which. */
  readonly #freedAt = new Map<Ipv4, number>()
  /** Since when each ENI's link is up, by node and MAC; and since when it is in the node's own namespace. */
  #upSince: ReadonlyMap<string, Millis> = new Map()
  #homeSince: ReadonlyMap<string, Millis> = new Map()
  readonly #freedFrom = new Map<Ipv4, string>()
  /** Running pods whose links went by hand. */
  readonly #cut = new Set<string>()
  #before = new Map<string, Ipv4>()
  #moves = -1

  constructor(world: World) {
    this.#world = world
  }

  /** Faults that must never be, now. */
  look(): string[] {
    const { nodes, plugs } = this.#world
    const moves = nodes.reduce((sum, { kernel, gone }) => sum + kernel.moves + (gone ? 1 : 0), plugs)
    if (moves === this.#moves) return this.#world.faults
    this.#moves = moves
    this.#noteLinks()
    const links = new Map<string, { address: Ipv4; node: SimNode }>()
    for (const node of this.#world.nodes) {
      if (node.gone) continue
      for (const [name, end] of node.kernel.podLinks)
        links.set(`${node.name}/${name}`, { address: end.address, node })
      for (const { address, ifname, netns } of node.kernel.given.values())
        links.set(`${node.name}/${netns} ${ifname}`, { address, node })
    }
    const faults = [
      ...this.#twice(links),
      ...this.#unbound(links),
      ...this.#misrouted(),
      ...this.#tooSoon(links),
      ...this.#cutOff(),
      ...this.#strayEnis(),
    ]
    this.#before = new Map([...links].map(([key, { address }]) => [key, address]))
    return [...faults, ...this.#world.faults]
  }

  #twice(links: ReadonlyMap<string, { address: Ipv4; node: SimNode }>): string[] {
    const { hands } = this.#world
    const holders = Map.groupBy(links, ([, { address }]) => address)
    return [...holders]
      .map(
        ([address, all]) => [address, all.filter(([, { node }]) => !hands.excuses(address, node))] as const,
      )
      .filter(([, all]) => all.length > 1)
      .map(([address, all]) => `${address} serves ${all.map(([key]) => key).join(' and ')}`)
  }

  /** An address under a pod must be bound to that pod's node in the cloud. */
  #unbound(links: ReadonlyMap<string, { address: Ipv4; node: SimNode }>): string[] {
    const { boundTo: where, hands } = this.#world
    return [...links]
      .filter(([, { address, node }]) => where.get(address) !== node.instanceId)
      .filter(([, { address, node }]) => !hands.excuses(address, node))
      .map(
        ([key, { address }]) =>
          `${address} of ${key} is bound to ${where.get(address) ?? 'nothing'} in the cloud`,
      )
  }

  /** Teardown comes before release: what has no owner has no rule; and the rule of what has one leads to its ENI. */
  #misrouted(): string[] {
    return this.#world.nodes.flatMap((node) => {
      const owned = new Set(node.ledger?.attachments().map(({ address }) => address))
      const linked = new Set([...node.kernel.podLinks.values()].map(({ address }) => address))
      return node.kernel.rules.flatMap((rule) => {
        const address = rule.from ?? rule.to
        if (node.gone || address === undefined || this.#world.clock.now() - node.lostAt < 600_000) return []
        if (!owned.has(address) && !linked.has(address))
          return [`${node.name} has a rule for ${address}, which nobody has`]
        const mac = this.#world.macOf.get(address)
        const eni = [...node.kernel.links.values()].find((link) => link.mac === mac)
        if (rule.from === undefined || eni === undefined || !linked.has(address)) return []
        // What was taken off and has come back is another link, with another table: rules follow when the agent sets it up.
        if (!eni.up) return []
        if (this.#world.hands.excuses(address, node)) return []
        const table = routeTableOf(eni, nodeDefaults.routeTableBase)
        return rule.table === table ? [] : [`${node.name}: packets from ${address} leave by a wrong ENI`]
      })
    })
  }

  /** A pod that runs keeps the network that its ADD gave it. */
  #cutOff(): string[] {
    return this.#world.nodes.flatMap((node) => {
      if (node.gone) return []
      const { given, podLinks } = node.kernel
      const linked = new Set(
        [...podLinks.values(), ...given.values()].map(({ address, netns }) => `${netns} ${address}`),
      )
      return node.kubelet
        .runningPods()
        .filter(({ address, netns }) => address !== undefined && !linked.has(`${netns} ${address}`))
        .filter(({ address, netns }) => address === undefined || !this.#cutByHand(node, netns, address))
        .map(({ address, name }) => `${node.name}: running pod ${name} lost its network (${address})`)
    })
  }

  /** Whoever takes an ENI off in the console takes its pod's link with it; it stays away, though the address may come back on another ENI. */
  #cutByHand(node: SimNode, netns: string | undefined, address: Ipv4): boolean {
    const pod = `${node.name} ${netns} ${address}`
    if (this.#world.hands.excuses(address, node)) this.#cut.add(pod)
    return this.#cut.has(pod)
  }

  /** An exclusive ENI is in the namespace of the pod that has its address, and in no other. */
  #strayEnis(): string[] {
    return this.#world.nodes.flatMap((node) => {
      if (node.gone) return []
      const running = new Map(node.kubelet.runningPods().map(({ netns, ...pod }) => [netns, pod]))
      return [...node.kernel.given].flatMap(([mac, { address, netns }]) => {
        const carries = this.#world.macOf.get(address)
        const pod = running.get(netns)
        if (carries !== mac)
          return [`${node.name}: ENI ${mac} is in a pod for ${address}, which is on ${carries}`]
        if (pod?.address === undefined || pod.address === address) return []
        return [`${node.name}: pod ${pod.name} with ${pod.address} has the ENI of ${address}`]
      })
    })
  }

  /** P16: while another address was idle and rested, a cooling one must not have been handed out. */
  #tooSoon(links: ReadonlyMap<string, { address: Ipv4; node: SimNode }>): string[] {
    const now = this.#world.clock.now()
    const faults = []
    for (const [key, { address, node }] of links) {
      if (this.#before.get(key) === address) continue
      // Who had an address before is not known to a new database, nor to an old one.
      if (now - node.lostAt < 3 * nodeDefaults.cooldown) continue
      // By a clock that was set, rest is longer or shorter than it was.
      if (now - node.machine.clockSetAt < 3 * nodeDefaults.cooldown) continue
      const skewMs = node.clock.now() - now
      const freedAt = this.#freedAt.get(address)
      const from = this.#freedFrom.get(address)
      if (from === key) continue // the same sandbox, connected again
      if (node.ledger?.ips().some((ip) => ip.address === address && ip.claim !== undefined)) continue // the only one for its pod
      if (isForItsEip(node, address)) continue // the same pod's, in another sandbox
      // An address rests on the node that has it: by our doing it leaves that only after its rest, or over a maximum.
      const [before] = from?.split('/') ?? []
      if (before !== node.name && (this.#world.hands.haveTaken(address) || this.#wasBeyond(before, address)))
        continue
      // While a clock catches up it is a tenth too fast or too slow.
      const cooldown = nodeDefaults.cooldown * (skewMs === node.machine.skewMs ? 1 : 0.85)
      if (freedAt === undefined || now - freedAt >= cooldown - 1000) continue
      if (now + skewMs - chosenAt(node, address) > 100) continue // linked later, after a crash: what was idle then is not known now
      const held = new Set(node.ledger?.quarantine().map((entry) => entry.address))
      const mode = node.ledger?.eniOf(address)?.mode
      const rested = node.ledger
        ?.ips()
        .find(
          (ip) =>
            isIdle(ip) &&
            !held.has(ip.address) &&
            node.ledger?.eniOf(ip.address)?.mode === mode &&
            this.#readyFor(node, ip.eniId) &&
            now - Math.max(this.#freedAt.get(ip.address) ?? 0, lastHeld(node, ip.address) - skewMs) >
              nodeDefaults.cooldown + 1000,
        )
      const fresh = node.db.get<{ at: number }>(
        `SELECT at FROM ip_history WHERE address = ? AND event IN ('added', 'renewed') ORDER BY seq DESC LIMIT 1`,
        rested?.address ?? '',
      )
      if (rested !== undefined && fresh !== undefined && now + skewMs - fresh.at > 1000) {
        faults.push(
          `${address} is handed out ${now - freedAt} ms after it was freed, while ${rested.address} is idle`,
        )
      }
    }
    for (const [key, address] of this.#before) {
      if (links.has(key)) continue
      this.#freedAt.set(address, now)
      this.#freedFrom.set(address, key)
    }
    return faults
  }

  /** Has that node given it back for being over a maximum? That waits for no rest (P5). */
  #wasBeyond(name: string | undefined, address: Ipv4): boolean {
    const reason: ReturnReason = 'more than a maximum allows'
    const node = this.#world.nodes.find((one) => one.name === name)
    const last = node?.db.get<{ reason: string }>(
      `SELECT reason FROM ip_history WHERE address = ? AND event = 'returned' ORDER BY seq DESC LIMIT 1`,
      address,
    )
    return last?.reason === reason
  }

  /** Long enough for the agent to know. */
  #readyFor(node: SimNode, eniId: string): boolean {
    const eni = node.ledger?.enis().find(({ id }) => id === eniId)
    const now = this.#world.clock.now()
    if (eni?.mode !== 'exclusive') {
      const since = this.#upSince.get(`${node.name} ${eni?.mac}`)
      return since !== undefined && now - since > 1000
    }
    // One that has just come back is not known to be there before the agent has looked.
    const since = this.#homeSince.get(`${node.name} ${eni.mac}`)
    return since !== undefined && now - since > 2 * nodeDefaults.repairEvery
  }

  #noteLinks(): void {
    const now = this.#world.clock.now()
    const links = this.#world.nodes.flatMap(({ kernel, name }) =>
      [...kernel.links].map(([mac, { up }]) => ({ key: `${name} ${mac}`, up })),
    )
    const since = (before: ReadonlyMap<string, Millis>, seen: typeof links) =>
      new Map(seen.map(({ key }) => [key, before.get(key) ?? now]))
    this.#upSince = since(
      this.#upSince,
      links.filter(({ up }) => up),
    )
    this.#homeSince = since(this.#homeSince, links)
  }
}

/** Is it kept for the pod that has it now, whose EIP leads there? */
function isForItsEip({ ledger }: SimNode, address: Ipv4): boolean {
  const pod = ledger?.attachments().find((one) => one.address === address)?.pod.uid
  return pod !== undefined && ledger?.ips().find((ip) => ip.address === address)?.eipFor === pod
}

/** When a sandbox last got or lost the address: it may never have been linked. */
function lastHeld(node: SimNode, address: Ipv4): number {
  const sql = `SELECT max(at) AS at FROM ip_history WHERE address = ? AND event IN ('attached', 'detached')`
  return node.db.get<{ at: number | null }>(sql, address)?.at ?? 0
}

/** When the agent gave the address to the sandbox that has it; some milliseconds lie between that and the link. */
function chosenAt(node: SimNode, address: Ipv4): number {
  return (
    node.db.get<{ at: number }>(`SELECT created_at AS at FROM attachment WHERE address = ?`, address)?.at ?? 0
  )
}

/** One request makes one ENI, and one that is held for failed makes none; whatever people do beside it. */
export function creationFaults(world: World): string[] {
  const { enis } = world.cloud.admin.audit(world.clock.now())
  return world.hosts.flatMap(({ db }) => {
    const states = new Map(
      db
        .all<{ token: string; state: string }>(`SELECT token, state FROM intent WHERE kind = 'create'`)
        .map(({ token, state }) => [token, state]),
    )
    const known = new Set(db.all<{ id: string }>(`SELECT id FROM eni`).map(({ id }) => id))
    const made = enis.filter(({ tags }) => states.has(tags[intentTag] ?? ''))
    const failed = made.filter(
      ({ id, tags }) => states.get(tags[intentTag] ?? '') === 'failed' && !known.has(id),
    )
    const twins = [...Map.groupBy(made, ({ tags }) => tags[intentTag])].filter(([, all]) => all.length > 1)
    return [
      ...failed.map(({ id }) => `ENI ${id} is made, by a request that is held for failed`),
      ...twins.map(([, all]) => `ENIs ${all.map(({ id }) => id).join(' and ')} are made by one request`),
    ]
  })
}

/**
 * ENIs that no leader knows of, nor what asked for them. A survey would find them, but unless somebody loses a ledger or works by hand
 * there must be nothing to find.
 */
export function orphanFaults(world: World): string[] {
  const [who, ...others] = world.ledBy
  const host = world.hosts.find(({ machine }) => machine.name === who)
  if (host === undefined || others.length > 0) return [] // another leader's ledger is made anew
  if (world.handled || world.hosts.some(({ lostAt }) => lostAt > 0)) return []
  const known = new Set(host.db.all<{ id: string }>(`SELECT id FROM eni`).map(({ id }) => id))
  const tokens = new Set(host.ledger.openIntents().map(({ token }) => token))
  const { enis } = world.cloud.admin.audit(world.clock.now())
  return enis
    .filter(({ id, tags }) => tags[clusterTag] === clusterId && !known.has(id))
    .filter(({ tags }) => !tokens.has(tags[intentTag] ?? ''))
    .map(({ id }) => `ENI ${id} is made, and nobody knows of it`)
}

/** Faults that must not be left once nothing happens any more. */
export function quietFaults(world: World): string[] {
  const audit = world.cloud.admin.audit(world.clock.now())
  const ours = audit.enis.filter(({ tags }) => tags[clusterTag] === clusterId)
  const ledgerEnis = world.leaderDb.all<{ id: string; node: string; state: string }>(
    `SELECT id, node, state FROM eni`,
  )
  const ledgerIps = world.leaderDb.all<{ address: Ipv4; state: string }>(`SELECT address, state FROM ip`)
  const modes = new Map(ours.map(({ id, tags }) => [id, purposeOf({ tags }).mode]))
  const cloudIps = audit.ips.filter(({ eniId, primary }) => {
    const mode = modes.get(eniId)
    return mode !== undefined && primary === (mode === 'exclusive')
  })
  return [
    ...audit.faults.map((fault) => `cloud: ${fault}`),
    ...world.hands.faults(),
    ...world.ledger.suspects().map(({ kind, subject }) => `${subject} is in quarantine: ${kind}`),
    ...difference(
      'ENI in the cloud, not in the ledger',
      ours.map(({ id }) => id),
      ledgerEnis.map(({ id }) => id),
    ),
    ...difference(
      'ENI in the ledger, not in the cloud',
      ledgerEnis.map(({ id }) => id),
      ours.map(({ id }) => id),
    ),
    ...difference(
      'address in the cloud, not in the ledger',
      cloudIps.map(({ address }) => address),
      ledgerIps.map(({ address }) => address),
    ),
    ...difference(
      'address in the ledger, not in the cloud',
      ledgerIps.map(({ address }) => address),
      cloudIps.map(({ address }) => address),
    ),
    ...ledgerEnis
      .filter(({ state }) => state !== 'attached')
      .filter(({ id }) => !world.nodes.some((node) => withoutPlace(world, node).has(id)))
      .map(({ id, state }) => `ENI ${id} is still ${state}`),
    ...ledgerIps
      .filter(({ state }) => state !== 'bound')
      .map(({ address, state }) => `address ${address} is still ${state}`),
    ...world.ledger.openIntents().map((intent) => `intent ${intent.id} (${intent.kind}) is still open`),
    ...quietClaimFaults(world),
    ...quietEipFaults(world),
    ...world.nodes.flatMap((node) => (node.gone ? goneFaults(world, node) : nodeFaults(world, node))),
  ]
}

function goneFaults(world: World, node: SimNode): string[] {
  return world.ledger.node(node.name) === undefined ? [] : [`${node.name} is gone, but still in the ledger`]
}

function nodeFaults(world: World, node: SimNode): string[] {
  const pool = world.ledger.pool(node.name)
  if (pool === undefined) return [`${node.name} is not in the ledger`]
  const local = node.ledger?.ips() ?? []
  const published = world.ledger
    .publishedEnis(node.name)
    .flatMap(({ ips }) => ips.map(({ address }) => address))
  const pods = node.kubelet.runningPods()
  return [
    ...difference(
      `${node.name}: published, not in node.db`,
      published,
      local.map(({ address }) => address),
    ),
    ...difference(
      `${node.name}: in node.db, not published`,
      local.map(({ address }) => address),
      published,
    ),
    ...world.expected.quietFaults(node),
    ...boundFaults(world, node),
    ...pods
      .filter(({ address, isStatic }) => address === undefined && !(isStatic && world.settings.staticIps))
      .map(({ name }) => `${node.name}: pod ${name} has no address`)
      .slice(0, hasRoom(world, node) ? 1000 : 0),
    ...kernelFaults(world, node),
    ...(hasRoom(world, node) && pool.enis.some(({ ips }) => ips.length === 0)
      ? [`${node.name}: an ENI without addresses is kept`]
      : []),
  ]
}
