// What can happen to the system, as data, and how it is done to a world.

import { pick, randomInt } from '../../../internal/base/random.ts'
import type { EniMode, NodeDefaults, PodFact } from '../../../internal/ipam/types.ts'
import { releaseNow } from '../../leader/release.ts'
import { annotated } from './annotations.ts'
import { stream } from './chance.ts'
import type { LinkFaults } from './cloud-link.ts'
import type { Happening } from './draw.ts'
import { happenToEips, isOfEips } from './eip-happenings.ts'
import type { KubeFaults } from './kube-twin.ts'
import type { Place } from './static-pods.ts'
import type { SimNode, World } from './world.ts'

export const zones: readonly string[] = ['ap-guangzhou-3', 'ap-guangzhou-4']

/** What becomes of the agent's file. */
type NodeDatabase = 'lose-node-database' | 'back-up-node' | 'restore-node'

/** What becomes of the leader's, and what people do in the console. */
type ByHand =
  | 'lose-leader-database'
  | 'back-up-leader'
  | 'restore-leader'
  | 'hand-detaches'
  | 'hand-deletes'
  | 'hand-moves'
  | 'hand-unassigns'
  | 'hand-assigns'
  | 'hand-makes-orphan'
  | 'hand-makes-foreign'

export type What =
  | {
      readonly kind: 'start-pods'
      readonly node: string
      readonly count: number
      readonly wants: EniMode
    }
  | { readonly kind: 'end-pods'; readonly node: string; readonly count: number }
  | {
      readonly kind: 'add-node'
      readonly node: string
      readonly zone: number
      readonly type: string
      readonly maxPods?: number
    }
  /** `set`: annotations by short name; null takes one off. */
  | {
      readonly kind: 'annotate'
      readonly node: string
      readonly set: Readonly<Record<string, string | null>>
    }
  | { readonly kind: 'resize-instance'; readonly node: string; readonly type: string }
  | { readonly kind: 'set-max-pods'; readonly node: string; readonly maxPods: number | null }
  /** `hot`: the leader reads them while it runs. */
  | {
      readonly kind: 'change-settings'
      readonly defaults: NodeDefaults
      readonly exclusiveEnis: boolean
      readonly hot: boolean
    }
  | { readonly kind: 'remove-node'; readonly node: string; readonly whileAttaching: boolean }
  | { readonly kind: 'replace-sandbox' | 'reboot' | NodeDatabase; readonly node: string }
  | { readonly kind: 'kill-agent'; readonly node: string; readonly downMs: number }
  | { readonly kind: 'kill-leader'; readonly downMs: number }
  /** Its machine with all that is on it; another one like it comes. */
  | { readonly kind: 'lose-leader-machine'; readonly downMs: number }
  | { readonly kind: 'delete-lease' }
  | { readonly kind: 'cut-off'; readonly who: string; readonly forMs: number }
  | { readonly kind: 'die-at'; readonly who: string; readonly point: string; readonly skip: number }
  | { readonly kind: 'stop-process'; readonly who: string; readonly forMs: number }
  | { readonly kind: 'set-clock'; readonly who: string; readonly byMs: number }
  | { readonly kind: 'break-watches' | ByHand }
  | { readonly kind: 'deaf-watches' | 'kube-outage'; readonly forMs: number }
  | {
      readonly kind: 'short-list'
      readonly of: 'nodes' | 'pods' | 'necs' | 'all'
      readonly share: number
      readonly forMs: number
    }
  | { readonly kind: 'kube-faults'; readonly faults: KubeFaults; readonly forMs: number }
  | { readonly kind: 'cloud-outage'; readonly how: 'reset' | 'unavailable'; readonly forMs: number }
  | {
      readonly kind: 'cloud-faults'
      readonly link: LinkFaults
      readonly failTasks: number
      readonly taskDelayMs: number
      readonly forMs: number
    }
  | { readonly kind: 'stale-describe'; readonly staleMs: number; readonly forMs: number }
  | { readonly kind: 'crash-rate'; readonly rate: number; readonly forMs: number }

export type HappeningKind = What['kind']

/** To static pods and their claims. */
export type ClaimWhat =
  | {
      readonly kind: 'start-static'
      readonly name: string
      readonly node: string
      readonly expireAfter?: number
    }
  | { readonly kind: 'end-static'; readonly name: string; readonly place: Place | 'never' }
  /** As kubectl delete vipc. */
  | { readonly kind: 'release-claim'; readonly name: string; readonly force: boolean }
  /** Static pods move to other nodes, as after kubectl drain. */
  | { readonly kind: 'drain-node'; readonly node: string; readonly forMs: number }
  /** The role may not reserve addresses, nor let reservations go, or one of the two. */
  | { readonly kind: 'deny-reserving'; readonly actions: readonly string[]; readonly forMs: number }
  | { readonly kind: 'hand-releases-reservation' | 'hand-unassigns-claimed' | 'hand-assigns-claimed' }
  /** The leader's machine is started again with a clock that somebody has set. */
  | { readonly kind: 'leader-clock-jumps'; readonly byMs: number; readonly downMs: number }
  | { readonly kind: 'die-at-claim'; readonly point: string; readonly skip: number }
  | {
      readonly kind: 'force-delete'
      readonly name: string
      readonly place: Place | 'never'
      /** Its kubelet hears of it after so long. */
      readonly heardAfterMs: number
    }

/** Lets it happen now. What needs something that is not there (any more) does nothing. */
export function happen(world: World, happening: Happening): void {
  const { id, at: _, ...what } = happening
  world.log(`* ${JSON.stringify(what)}`)
  world.random = stream(world.seed, `happening ${id}`)
  if (what.kind.startsWith('hand-')) world.handled = true
  if (isOfEips(what)) return happenToEips(world, what)
  switch (what.kind) {
    case 'start-pods':
      return withNode(world, what.node, (node) => startPods(world, node, id, what))
    case 'start-static':
      return withNode(world, what.node, (node) =>
        world.statics.start(what.name, node, {
          keepsIp: true,
          wants: 'shared',
          expireAfter: what.expireAfter,
        }),
      )
    case 'end-static':
      return world.statics.end(what.name, what.place)
    case 'release-claim':
      return releaseClaim(world, what.name, what.force)
    case 'drain-node':
      return withNode(world, what.node, (node) => world.statics.drain(node, what.forMs))
    case 'deny-reserving':
      return world.deny([...what.actions], what.forMs)
    case 'hand-releases-reservation':
      return world.hands.releaseReservation()
    case 'hand-unassigns-claimed':
      return world.hands.unassignClaimed()
    case 'hand-assigns-claimed':
      return world.hands.assignClaimed()
    case 'leader-clock-jumps':
      world.setClock('leader', what.byMs)
      return world.kill('leader', what.downMs)
    case 'die-at-claim':
      return world.fate.arm(what.point.startsWith('node.') ? 'node' : 'leader', what.point, what.skip)
    case 'force-delete':
      return world.statics.forceDelete(what.name, what.place, what.heardAfterMs)
    case 'end-pods':
      return withNode(world, what.node, (node) => endPods(world, node, what.count))
    case 'replace-sandbox':
      return withNode(world, what.node, (node) => {
        const pod = pick(world.random, node.kubelet.runningPods())
        if (pod !== undefined) node.kubelet.replaceSandbox(pod.uid)
      })
    case 'add-node':
      return world.addNode(what.node, what.zone, what.type, what.maxPods)
    case 'annotate': {
      const nec = world.kube.necs.items.get(what.node)
      if (nec === undefined) return
      return world.kube.necs.put(what.node, { ...nec, annotations: annotated(nec.annotations, what.set) })
    }
    case 'resize-instance':
      return withNode(world, what.node, (node) => world.resize(node, what.type))
    case 'set-max-pods': {
      const fact = world.kube.nodes.items.get(what.node)
      if (fact !== undefined) world.kube.nodes.put(what.node, { ...fact, maxPods: what.maxPods ?? undefined })
      return
    }
    case 'change-settings': {
      const { defaults, exclusiveEnis } = what
      return world.setSettings({ defaults, exclusiveEnis }, what.hot)
    }
    case 'remove-node':
      return withNode(world, what.node, (node) => {
        if (!what.whileAttaching) return world.removeNode(node)
        world.whenAttaching(node.instanceId, () => world.removeNode(node))
      })
    case 'reboot':
      return withNode(world, what.node, (node) => world.reboot(node))
    case 'lose-node-database':
      return withNode(world, what.node, (node) => world.loseNodeDatabase(node))
    case 'back-up-node':
      return withNode(world, what.node, (node) => world.backUpNode(node))
    case 'restore-node':
      return withNode(world, what.node, (node) => world.restoreNode(node))
    case 'lose-leader-database':
      return world.host.loseDatabase()
    case 'back-up-leader':
      return world.host.backUp()
    case 'restore-leader':
      return world.host.restore()
    case 'hand-detaches':
      return world.hands.detachEni()
    case 'hand-deletes':
      return world.hands.deleteEni()
    case 'hand-moves':
      return world.hands.moveEni()
    case 'hand-unassigns':
      return world.hands.unassign()
    case 'hand-assigns':
      return world.hands.assign()
    case 'hand-makes-orphan':
      return world.hands.makeOrphan()
    case 'hand-makes-foreign':
      return world.hands.makeForeign()
    case 'lose-leader-machine': {
      const { host } = world
      world.kill(host.machine.name, what.downMs)
      return host.loseDatabase()
    }
    case 'delete-lease':
      // Before the first NEC nothing but the lease tells that anybody leads: two leaders may begin, for as long as one renewal takes.
      if (world.kube.necs.items.size > 0) world.lease.delete()
      return
    case 'cut-off': {
      const who = what.who === 'leader' ? world.host.machine.name : what.who
      return world.during(
        what.forMs,
        () => world.kube.cutOff(who, true),
        () => world.kube.cutOff(who, false),
      )
    }
    case 'kill-leader':
      return world.kill('leader', what.downMs)
    case 'kill-agent':
      return world.kill(what.node, what.downMs)
    case 'die-at':
      return world.fate.arm(what.who, what.point, what.skip)
    case 'stop-process': {
      const process = world.processOf(what.who)
      return world.during(
        what.forMs,
        () => process?.stop(),
        () => process?.goOn(),
      )
    }
    case 'set-clock':
      return world.setClock(what.who, what.byMs)
    case 'break-watches':
      return world.kube.breakWatches()
    case 'deaf-watches':
      return world.during(
        what.forMs,
        () => world.kube.setDeaf(true),
        () => world.kube.setDeaf(false),
      )
    case 'kube-outage':
      return world.during(
        what.forMs,
        () => world.kube.setOutage(true),
        () => world.kube.setOutage(false),
      )
    case 'short-list':
      return shortList(world, what)
    case 'kube-faults':
      return world.during(
        what.forMs,
        () => world.setKubeFaults(what.faults),
        () => world.setKubeFaults(undefined),
      )
    case 'cloud-outage':
      return world.during(
        what.forMs,
        () => world.cloud.setFaults({ outage: what.how }),
        () => world.cloud.setFaults({ outage: 'off' }),
      )
    case 'cloud-faults':
      return world.during(
        what.forMs,
        () => {
          world.setLinkFaults(what.link)
          world.cloud.setFaults({ failTasks: { '*': what.failTasks }, taskDelayMs: what.taskDelayMs })
        },
        () => {
          world.setLinkFaults(undefined)
          world.cloud.setFaults({ failTasks: {}, taskDelayMs: 0 })
        },
      )
    case 'stale-describe':
      return world.during(
        what.forMs,
        () => world.cloud.setFaults({ staleDescribeMs: what.staleMs }),
        () => world.cloud.setFaults({ staleDescribeMs: 0 }),
      )
    case 'crash-rate':
      return world.during(
        what.forMs,
        () => {
          world.fate.chance = what.rate
        },
        () => {
          world.fate.chance = 0
        },
      )
  }
}

/** Refused while its pod runs, unless by force; what was given up is nobody's. */
function releaseClaim(world: World, name: string, force: boolean): void {
  const { leader, process } = world.host
  if (!world.host.leads() || leader === undefined) return
  const pod = { namespace: 'default', name }
  const isPodless = world.statics.of(name).length === 0
  // What its leader does not know yet may have been done all the same when it dies on it.
  const address = force ? (world.promises.of(name)?.address ?? world.ledger.claim(pod)?.address) : undefined
  if (force) world.promises.disown(name)
  else if (isPodless) world.promises.release(name)
  let answered = false
  if (address !== undefined) world.hands.forceRelease(address, () => !answered && process?.alive === true)
  releaseNow(leader.claims, world.ledger.claim(pod), { force }).then(
    (outcome) => {
      answered = true
      world.log(`vipc of ${name}: ${JSON.stringify(outcome)}`)
      if (typeof outcome === 'string' && !force) world.promises.release(name)
      if (typeof outcome === 'string' && force) world.statics.end(name, 'zone')
    },
    () => {
      answered = true
    },
  )
}

export function withNode(world: World, name: string, then: (node: SimNode) => void): void {
  const node = world.nodes.find((known) => known.name === name)
  if (node !== undefined && !node.gone) then(node)
}

type StartPods = Extract<What, { kind: 'start-pods' }>

function startPods(world: World, node: SimNode, id: number, { count, wants }: StartPods): void {
  for (let i = 1; i <= count; i++) {
    const { maxPods = Number.POSITIVE_INFINITY } = world.kube.nodes.items.get(node.name) ?? {}
    if (node.kubelet.uids().length >= maxPods) return // nobody schedules more
    const name = count === 1 ? `pod-${id}` : `pod-${id}-${i}`
    const pod: PodFact = {
      namespace: 'default',
      name,
      uid: `uid-${name}`,
      node: node.name,
      hostNetwork: false,
      terminal: false,
      deleting: false,
      wants,
      ip: undefined,
      keepsIp: false,
    }
    world.kube.pods.put(pod.uid, pod)
    node.kubelet.start(pod)
  }
}

function endPods(world: World, node: SimNode, count: number): void {
  const running = [...node.kubelet.runningPods()]
  for (let i = 0; i < count && running.length > 0; i++) {
    const [pod] = running.splice(randomInt(world.random, 0, running.length - 1), 1)
    const fact = world.kube.pods.items.get(pod?.uid ?? '')
    if (pod === undefined) return
    if (fact !== undefined) world.kube.pods.put(pod.uid, { ...fact, deleting: true })
    node.kubelet.end(pod.uid)
  }
}

/** An API server that has not caught up answers lists that lack some, or all of a node; the next ones are whole. */
function shortList(world: World, { of, share, forMs }: Extract<What, { kind: 'short-list' }>): void {
  const { nodes, pods, necs } = world.kube
  const some = (keys: Iterable<string>) => new Set([...keys].filter(() => world.random.next() < share))
  const lacking = of === 'all' ? some(nodes.items.keys()) : some(world.kube[of].items.keys())
  const isOfLacking = (uid: string) => lacking.has(pods.items.get(uid)?.node ?? '')
  const short = (key: string) => lacking.has(key)
  const begin = () => {
    if (of !== 'all') return world.kube[of].breakWatches(short)
    nodes.breakWatches(short)
    necs.breakWatches(short)
    pods.breakWatches(isOfLacking)
  }
  world.during(forMs, begin, () => world.kube.breakWatches())
}
