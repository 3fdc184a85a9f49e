// What `ip -N -json` prints, in our words. Pure; what is not ours by its protocol number is left out.

import { mainTable } from '../ipam/plan-repair.ts'
import type { KernelSurvey, Link, Route, Rule } from '../ipam/types.ts'
import { type Ipv4, parseIpv4 } from '../value/ipv4.ts'
import { parseMac } from '../value/mac.ts'
import { isHostLink } from './pod-link.ts'
import { ourProtocol } from './wiring-lines.ts'

type Fields = Readonly<Record<string, unknown>>

/** The objects of one JSON answer; none when it is not an array. */
export function rows(answer: unknown): readonly Fields[] {
  return Array.isArray(answer)
    ? answer.filter((row): row is Fields => typeof row === 'object' && row !== null)
    : []
}

/** Links of `ip link show`. A pod may have changed the MAC of an ENI that it had: the one the hardware came with is the ENI's. */
export function readLinks(answer: unknown): readonly Link[] {
  return rows(answer).flatMap((row) => {
    const { address, flags, ifindex, ifname, permaddr } = row
    if (typeof ifname !== 'string' || typeof ifindex !== 'number') return []
    const up = Array.isArray(flags) && flags.includes('UP')
    return [{ name: ifname, index: ifindex, mac: parseMac(text(permaddr ?? address)), up }]
  })
}

/** `links` with their addresses, by `ip route show table local type local`: those of links that are up. */
export function withAddresses(links: readonly Link[], answer: unknown): readonly Link[] {
  const byLink = Map.groupBy(rows(answer), ({ dev }) => dev)
  return links.map((link) => ({
    ...link,
    addresses: (byLink.get(link.name) ?? []).flatMap(({ dst }) => parseIpv4(text(dst)) ?? []),
  }))
}

/** Our rules of `ip -N rule show`. */
export function readRules(answer: unknown): readonly Rule[] {
  return rows(answer).flatMap((row) => {
    const { dst, priority, protocol, src, table } = row
    if (Number(protocol) !== ourProtocol || typeof priority !== 'number') return []
    const from = parseIpv4(text(src))
    const to = parseIpv4(text(dst))
    return [{ priority, ...given('from', from), ...given('to', to), table: Number(table) }]
  })
}

/** Our routes of `ip -N route show table all protocol <ours>`; the main table's are printed without their table. */
export function readRoutes(answer: unknown): readonly Route[] {
  return rows(answer).flatMap((row) => {
    const { dev, dst, gateway, table } = row
    if (typeof dev !== 'string' || typeof dst !== 'string') return []
    const via = parseIpv4(text(gateway))
    return [{ table: table === undefined ? mainTable : Number(table), to: dst, ...given('via', via), dev }]
  })
}

/** Host ends of pod links of ours in the answer of `ip link show`. */
export function podLinksOf(answer: unknown): KernelSurvey['podLinks'] {
  const aliases = new Map(rows(answer).map(({ ifalias, ifname }) => [ifname, ifalias]))
  return readLinks(answer)
    .filter(({ name }) => isHostLink(name))
    .map(({ name, up }) => {
      const alias = text(aliases.get(name))
      return alias === '' ? { name, up } : { name, up, alias }
    })
}

function given<K extends string>(key: K, value: Ipv4 | undefined): { [P in K]?: Ipv4 } {
  return (value === undefined ? {} : { [key]: value }) as { [P in K]?: Ipv4 }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
