// The kernel of one node: links, rules, routes and namespaces that outlive the agent. ENI links are what the cloud has attached.
import { IpamError } from '../../../internal/ipam/errors.ts'
import { type EniInPod, readEniAlias } from '../../../internal/ipam/link-identity.ts'
import {
  fromPodPriority,
  mainTable,
  routeTableOf,
  toPodPriority,
} from '../../../internal/ipam/plan-repair.ts'
import type {
  ExclusiveWiring,
  KernelChange,
  Link,
  PodWiring,
  Route,
  Rule,
} from '../../../internal/ipam/types.ts'
import type { Linux } from '../../../internal/ports.ts'
import type { Ipv4 } from '../../../internal/value/ipv4.ts'
import { type Mac, parseMac } from '../../../internal/value/mac.ts'
import type { Process } from './process.ts'

/** As the real one: not on the way of an ADD. */
const aliasDelayMs = 1000
const kernelLatency = { minMs: 0, maxMs: 3 }

export interface PodEnd {
  readonly address: Ipv4
  readonly netns: string
  readonly ifname: string
  /** Whose it is; comes a while after the link. */
  alias?: string | undefined
}

export type GivenEni = PodEnd & {
  readonly index: number
  /** It has its address and routes: they come a while after the link. */
  furnished: boolean
}

type EniLink = Link & { up: boolean; addresses: readonly Ipv4[] }

export class KernelTwin {
  readonly links = new Map<Mac, EniLink>()
  /** Exclusive ENIs that are in a pod's namespace, and not among `links`. */
  readonly given = new Map<Mac, GivenEni>()
  /** Host link name → the pod's end. */
  readonly podLinks = new Map<string, PodEnd>()
  readonly namespaces = new Set<string>()
  rules: Rule[] = []
  routes: Route[] = []
  /** Rises whenever a pod's link comes or goes; an ENI's is one. And when an ENI is set up: its pods' rules must lead to it from then on. */
  moves = 0
  sysctls: Record<string, string> = { 'net.ipv4.ip_forward': '0', 'net.ipv4.conf.all.rp_filter': '1' }
  #nextIndex = 2
  readonly #base: number

  constructor(routeTableBase: number) {
    this.#base = routeTableBase
  }

  /** The cloud's attached ENIs appear and vanish as links, wherever these are; their tables go with them. */
  setEnis(macs: readonly string[]): void {
    const now = new Set(macs.flatMap((mac) => parseMac(mac) ?? []))
    for (const mac of this.given.keys()) if (!now.has(mac)) this.#ungive(mac)
    for (const [mac, link] of this.links) {
      if (now.has(mac)) continue
      this.links.delete(mac)
      this.routes = this.routes.filter(({ dev }) => dev !== link.name)
    }
    for (const mac of now) {
      if (this.links.has(mac) || this.given.has(mac)) continue
      const index = this.#nextIndex++
      this.links.set(mac, { name: `eth${index}`, index, mac, up: false, addresses: [] })
    }
  }

  /** The sandbox is gone, and its end of the veth with it; rules stay. Its exclusive ENI comes back to the node under a name of the kernel's. */
  destroyNamespace(netns: string): void {
    this.namespaces.delete(netns)
    for (const [name, end] of this.podLinks) if (end.netns === netns) this.#dropLink(name)
    for (const [mac, end] of this.given) if (end.netns === netns) this.#bringBack(mac, `dev${end.index}`)
  }

  reboot(): void {
    this.namespaces.clear()
    for (const [mac, { index }] of this.given) this.#bringBack(mac, `eth${index}`)
    this.podLinks.clear()
    this.moves++
    this.rules = []
    this.routes = []
    for (const link of this.links.values()) link.up = false
  }

  #dropLink(name: string): void {
    this.moves++
    this.podLinks.delete(name)
    this.routes = this.routes.filter(({ dev }) => dev !== name)
  }

  #ungive(mac: Mac): void {
    this.moves++
    this.given.delete(mac)
  }

  #bringBack(mac: Mac, name: string): void {
    const index = this.given.get(mac)?.index
    if (index === undefined) return
    this.#ungive(mac)
    this.links.set(mac, { name, index, mac, up: false, addresses: [] })
  }

  #apply(change: KernelChange): void {
    switch (change.kind) {
      case 'set-up-eni': {
        const link = this.links.get(change.eni.mac)
        if (link === undefined)
          throw new IpamError('kernel', `Cannot set up ${change.link}: there is no such link`)
        if (!link.up) this.moves++
        link.up = true
        link.addresses = [change.eni.primaryIp]
        const table = routeTableOf(link, this.#base)
        this.#addRoute({ table, to: change.eni.gateway, dev: link.name })
        this.#addRoute({ table, to: 'default', via: change.eni.gateway, dev: link.name })
        return
      }
      case 'clean-eni': {
        const link = this.links.get(change.mac)
        if (link === undefined) throw new IpamError('kernel', `Cannot clean ${change.link}: it is gone`)
        return this.#clean(link)
      }
      case 'add-rule':
        return this.#addRule(change.rule)
      case 'remove-rule':
        this.rules = this.rules.filter((rule) => !same(rule, change.rule))
        return
      case 'add-route':
        return this.#addRoute(change.route)
      case 'remove-route':
        this.routes = this.routes.filter((route) => !same(route, change.route))
        return
      case 'remove-link':
        return this.#dropLink(change.link)
      case 'raise-link':
        return
      case 'name-link':
        return this.#name(change.link, change.alias)
      case 'set-sysctl':
        this.sysctls[change.key] = change.value
        return
    }
  }

  #addRule(rule: Rule): void {
    if (!this.rules.some((other) => same(other, rule))) this.rules.push(rule)
  }

  #addRoute(route: Route): void {
    if (!this.routes.some((other) => same(other, route))) this.routes.push(route)
  }

  #connect(wiring: PodWiring): void {
    const eni = this.links.get(wiring.eniMac)
    if (!this.namespaces.has(wiring.netns))
      throw new IpamError('kernel', 'Cannot connect: the namespace is gone')
    if (eni === undefined) throw new IpamError('kernel', 'Cannot connect: the ENI has no link')
    const { address, netns, ifname, hostLink } = wiring
    this.moves++
    const before = this.podLinks.get(hostLink)
    this.podLinks.set(hostLink, { address, netns, ifname, alias: before?.alias })
    this.rules = this.rules.filter(({ from, to }) => from !== address && to !== address)
    this.#addRule({ priority: toPodPriority, to: address, table: mainTable })
    this.#addRule({ priority: fromPodPriority, from: address, table: routeTableOf(eni, this.#base) })
    this.routes = this.routes.filter(({ to }) => to !== address)
    this.#addRoute({ table: mainTable, to: address, dev: hostLink })
  }

  #name(link: string, alias: string | undefined): void {
    const end = this.podLinks.get(link)
    if (end !== undefined) end.alias = alias
  }

  #disconnect({ address, hostLink }: Pick<PodWiring, 'address' | 'hostLink'>): void {
    this.#dropLink(hostLink)
    this.rules = this.rules.filter(({ from, to }) => from !== address && to !== address)
    this.routes = this.routes.filter(({ to }) => to !== address)
  }

  #clean(link: EniLink): void {
    link.up = false
    link.addresses = []
    this.routes = this.routes.filter(({ dev }) => dev !== link.name)
  }

  #give({ address, alias, ifname, mac, netns }: ExclusiveWiring): void {
    const cannot = (why: string) => new IpamError('kernel', `Cannot give ENI ${mac}: ${why}`)
    if (!this.namespaces.has(netns)) throw cannot('the namespace is gone')
    const there = this.given.get(mac)
    if (there?.netns === netns && there.ifname === ifname) {
      there.alias = alias
      return
    }
    const ends = [...this.podLinks.values(), ...this.given.values()]
    if (ends.some((end) => end.netns === netns && end.ifname === ifname))
      throw cannot(`the namespace has a link ${ifname}`)
    if (there?.netns === netns) this.#bringBack(mac, spareName(mac))
    const link = this.links.get(mac)
    if (link === undefined) throw cannot('it has no link on the node')
    this.moves++
    this.#clean(link)
    this.links.delete(mac)
    this.given.set(mac, { address, netns, ifname, alias, index: link.index, furnished: false })
  }

  #furnish({ ifname, mac, netns }: ExclusiveWiring): void {
    const there = this.given.get(mac)
    if (there?.netns !== netns || there.ifname !== ifname)
      throw new IpamError('kernel', `Cannot give ENI ${mac}: its link has left the namespace`)
    there.furnished = true
  }

  #take({ mac, netns }: Pick<ExclusiveWiring, 'mac' | 'netns'>): void {
    const link = this.links.get(mac)
    if (link !== undefined) this.#clean(link)
    else if (this.given.get(mac)?.netns === netns) this.#bringBack(mac, spareName(mac))
  }

  #inspectEni({ address, ifname, mac, netns }: ExclusiveWiring): readonly string[] {
    const end = this.given.get(mac)
    const isThere = end?.netns === netns && end.ifname === ifname && end.address === address && end.furnished
    return isThere ? [] : [`link "${ifname}" is missing in the pod`]
  }

  #findEnis(): readonly EniInPod[] {
    return [...this.given].flatMap(([mac, { alias, netns }]) => {
      const identity = readEniAlias(alias)
      return identity === undefined ? [] : [{ ...identity, mac, netns }]
    })
  }

  linux(process: Process): Linux {
    const call = <T>(effect: () => T) => process.io(effect, kernelLatency)
    return {
      links: () => call(() => [...this.links.values()]),
      survey: () =>
        call(() => ({
          links: [...this.links.values()].map((link) => ({ ...link })),
          rules: [...this.rules],
          routes: [...this.routes],
          podLinks: [...this.podLinks].map(([name, { alias }]) => ({
            name,
            up: true,
            ...(alias === undefined ? {} : { alias }),
          })),
          sysctls: { ...this.sysctls },
        })),
      apply: (changes) => call(() => changes.forEach((change) => void this.#apply(change))),
      connectPod: (wiring) =>
        call(() => {
          this.#connect(wiring)
          process.clock.after(aliasDelayMs, () => this.#name(wiring.hostLink, wiring.alias))
          return { podMac: zeroMac, hostMac: zeroMac }
        }),
      disconnectPod: (wiring) => call(() => this.#disconnect(wiring)),
      inspectPod: ({ hostLink, netns }) =>
        call(() => (this.podLinks.get(hostLink)?.netns === netns ? [] : ['link is missing'])),
      // Whoever dies between the two has moved the link, and not yet given it its address.
      giveEni: (wiring) => call(() => this.#give(wiring)).then(() => call(() => this.#furnish(wiring))),
      takeEni: (wiring) => call(() => this.#take(wiring)),
      inspectEni: (wiring) => call(() => this.#inspectEni(wiring)),
      findEnis: () => call(() => this.#findEnis()),
      namespaceExists: (netns) => call(() => this.namespaces.has(netns)),
    }
  }
}

/** As the real one. */
function spareName(mac: Mac): string {
  return `eni${mac.replaceAll(':', '')}`
}

const zeroMac = '02:00:00:00:00:00' as Mac

function same(a: object, b: object): boolean {
  const keys = new Set([...Object.keys(a), ...Object.keys(b)])
  return [...keys].every((key) => Reflect.get(a, key) === Reflect.get(b, key))
}
