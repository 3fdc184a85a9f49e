// What the kernel lacks or has too much of, against what the node's database says must be (D1, D2, D3, D5).
import { compareIpv4, type Ipv4 } from '../value/ipv4.ts'
import type { Mac } from '../value/mac.ts'
import type { EniWiring, KernelChange, KernelSurvey, Link, Route, Rule } from './types.ts'

/** Kernel priorities of a pod's two rules, and the number of the main table. */
export const toPodPriority = 512
export const fromPodPriority = 1536
export const mainTable = 254

export interface DesiredPod {
  readonly address: Ipv4
  readonly eniMac: Mac
  readonly hostLink: string
  /** undefined: none, and whatever the link has is left. */
  readonly alias?: string | undefined
}

export interface DesiredKernel {
  /** Shared ones. */
  readonly enis: readonly EniWiring[]
  /** Exclusive ENIs that no pod has. */
  readonly spareEnis: readonly Mac[]
  readonly pods: readonly DesiredPod[]
  /** Pods whose wiring is being changed right now: neither repaired nor removed. */
  readonly busy: { readonly addresses: ReadonlySet<Ipv4>; readonly links: ReadonlySet<string> }
  readonly routeTableBase: number
  /** Sysctls and the values they must have. */
  readonly sysctls: Readonly<Record<string, string>>
}

export interface Repair {
  readonly changes: readonly KernelChange[]
  /** ENIs published for this node whose link is not there (yet). */
  readonly missingEnis: readonly Mac[]
  /** Pods whose host link is gone: they must be connected anew. */
  readonly disconnected: readonly Ipv4[]
}

/** The table of an ENI's link (D1). */
export function routeTableOf(link: Pick<Link, 'index'>, base: number): number {
  return link.index + base
}

/** The changes that make the kernel as desired. Rules and routes are compared as wholes; nothing that is not ours is in the survey. */
export function planRepair(desired: DesiredKernel, survey: KernelSurvey): Repair {
  const linkOf = new Map(
    survey.links.flatMap((link) => (link.mac === undefined ? [] : [[link.mac, link] as const])),
  )
  const ready = desired.enis.flatMap((eni) => {
    const link = linkOf.get(eni.mac)
    if (link === undefined) return []
    const table = routeTableOf(link, desired.routeTableBase)
    return [{ eni, link, table, ownRoutes: eniRoutes(eni, link.name, table) }]
  })
  const tableOf = new Map(ready.map(({ eni, table }) => [eni.mac, table]))
  const pods = desired.pods
    .filter((pod) => !desired.busy.addresses.has(pod.address))
    .toSorted((a, b) => compareIpv4(a.address, b.address))
  const podLinks = new Map(survey.podLinks.map((link) => [link.name, link]))
  const connected = pods.filter((pod) => podLinks.has(pod.hostLink))
  const rules = connected.flatMap((pod) => podRules(pod.address, tableOf.get(pod.eniMac)))
  const routes = connected.map((pod): Route => ({ table: mainTable, to: pod.address, dev: pod.hostLink }))
  // The ENI of a pod that is held may be one that the database does not know (yet).
  const busyTables = new Set(
    survey.rules.filter(({ from }) => isBusy(desired, from)).map(({ table }) => table),
  )
  const wantedLinks = new Set(desired.pods.map(({ hostLink }) => hostLink))
  return {
    changes: [
      ...sysctlChanges(desired.sysctls, survey.sysctls),
      ...ready
        .filter(
          ({ eni, link, ownRoutes }) =>
            !link.up ||
            link.addresses?.includes(eni.primaryIp) === false ||
            missing(ownRoutes, survey.routes, routeKey).length > 0,
        )
        .map(({ eni, link }): KernelChange => ({ kind: 'set-up-eni', eni, link: link.name })),
      ...desired.spareEnis.flatMap((mac): readonly KernelChange[] => {
        const link = linkOf.get(mac)
        const isClean = link === undefined || (!link.up && (link.addresses ?? []).length === 0)
        return isClean ? [] : [{ kind: 'clean-eni', mac, link: link.name }]
      }),
      ...connected
        .filter(({ hostLink }) => podLinks.get(hostLink)?.up === false)
        .map(({ hostLink }): KernelChange => ({ kind: 'raise-link', link: hostLink })),
      ...connected.flatMap(({ alias, hostLink }): readonly KernelChange[] =>
        alias === undefined || podLinks.get(hostLink)?.alias === alias
          ? []
          : [{ kind: 'name-link', link: hostLink, alias }],
      ),
      ...missing(rules, survey.rules, ruleKey).map((rule): KernelChange => ({ kind: 'add-rule', rule })),
      ...missing(routes, survey.routes, routeKey).map(
        (route): KernelChange => ({ kind: 'add-route', route }),
      ),
      ...missing(survey.rules, rules, ruleKey)
        .filter((rule) => !isBusy(desired, rule.from ?? rule.to))
        .map((rule): KernelChange => ({ kind: 'remove-rule', rule })),
      ...missing(survey.routes, [...routes, ...ready.flatMap(({ ownRoutes }) => ownRoutes)], routeKey)
        .filter((route) => !isBusy(desired, route.to) && !busyTables.has(route.table))
        .map((route): KernelChange => ({ kind: 'remove-route', route })),
      ...survey.podLinks
        .filter(({ name }) => !wantedLinks.has(name) && !desired.busy.links.has(name))
        .map(({ name }): KernelChange => ({ kind: 'remove-link', link: name })),
    ],
    missingEnis: [...desired.enis.map(({ mac }) => mac), ...desired.spareEnis].filter(
      (mac) => !linkOf.has(mac),
    ),
    disconnected: pods.filter((pod) => !podLinks.has(pod.hostLink)).map(({ address }) => address),
  }
}

/** Packets to the pod go through the main table, packets from it to its ENI's table (D2). */
export function podRules(address: Ipv4, table: number | undefined): readonly Rule[] {
  const to: Rule = { priority: toPodPriority, to: address, table: mainTable }
  return table === undefined ? [to] : [to, { priority: fromPodPriority, from: address, table }]
}

/** What comes from a pod leaves through its ENI, by the gateway of that ENI's subnet (D1). */
export function eniRoutes(
  { gateway }: Pick<EniWiring, 'gateway'>,
  dev: string,
  table: number,
): readonly Route[] {
  return [
    { table, to: gateway, dev },
    { table, to: 'default', via: gateway, dev },
  ]
}

function sysctlChanges(
  wanted: Readonly<Record<string, string>>,
  actual: Readonly<Record<string, string>>,
): KernelChange[] {
  return Object.entries(wanted)
    .filter(([key, value]) => actual[key] !== undefined && actual[key] !== value)
    .map(([key, value]) => ({ kind: 'set-sysctl', key, value }))
}

function missing<T>(wanted: readonly T[], actual: readonly T[], key: (item: T) => string): readonly T[] {
  const there = new Set(actual.map(key))
  return wanted.filter((item) => !there.has(key(item)))
}

function isBusy(desired: DesiredKernel, to: string | undefined): boolean {
  return to !== undefined && desired.busy.addresses.has(to as Ipv4)
}

function ruleKey(rule: Rule): string {
  return `${rule.priority} ${rule.from ?? ''} ${rule.to ?? ''} ${rule.table}`
}

function routeKey(route: Route): string {
  return `${route.table} ${route.to} ${route.via ?? ''} ${route.dev}`
}
