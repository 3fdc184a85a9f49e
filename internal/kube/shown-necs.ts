// NECs as they are shown to people: the columns of the definition, and why a part of one could not be read.
import type { Log } from '../base/log.ts'
import type { Feed, Stop } from '../ports.ts'
import { decodeNec } from '../wire/nec.ts'
import type { KubeClient } from './client.ts'
import { textAt } from './json.ts'
import { listAll } from './list.ts'
import { necCollection, necPath } from './nec-api.ts'
import { type ReflectorTools, reflect, reflectorDefaults } from './reflector.ts'
import type { Source } from './source.ts'

/** null: not written yet, or not readable. */
export interface ShownNec {
  readonly name: string
  readonly uid: string
  readonly instance: string | null
  readonly zone: string | null
  readonly enis: number | null
  readonly addresses: number | null
  readonly inUse: number | null
  readonly idle: number | null
  /** Addresses that the node gives back. */
  readonly returned: number | null
  readonly maxEnis: number | null
  readonly addressesPerEni: number | null
  readonly minWarm: number | null
  readonly maxWarm: number | null
  readonly exclusiveEnis: number | null
  readonly exclusiveInUse: number | null
  readonly maxExclusiveEnis: number | null
  readonly exclusiveMinWarm: number | null
  readonly exclusiveMaxWarm: number | null
  readonly ready: string | null
  readonly readyReason: string | null
  readonly readyMessage: string | null
  readonly agentVersion: string | null
  readonly databaseId: string | null
  readonly fault: string | null
  readonly createdAt: string | null
}

const necs: Source<ShownNec> = {
  what: 'NECs',
  path: necCollection,
  read: toShownNec,
  freshness: 'consistent',
}

/** All of them, by name. Throws as KubeClient.call. */
export async function listShownNecs(client: KubeClient, log: Log): Promise<readonly ShownNec[]> {
  const signal = new AbortController().signal
  const { items } = await listAll(necs, { client, log, signal, limits: reflectorDefaults, newest: undefined })
  return items.toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

/** Throws as KubeClient.call; not_found when there is none. */
export async function getShownNec(client: KubeClient, name: string): Promise<ShownNec | undefined> {
  return toShownNec(await client.call({ doing: `get NEC "${name}"`, path: necPath(name) }))
}

export function watchShownNecs(feed: Feed<ShownNec>, tools: ReflectorTools): Stop {
  return reflect(necs, feed, tools)
}

/** Undefined for what has no name. */
function toShownNec(object: unknown): ShownNec | undefined {
  const nec = decodeNec(object)
  if (nec === undefined) return undefined
  const { publication, report } = nec
  const shared = publication?.enis.filter(({ mode }) => mode === 'shared')
  const ready = publication?.conditions.find(({ type }) => type === 'Ready')
  return {
    name: nec.name,
    uid: nec.uid,
    instance: publication?.instanceId ?? null,
    zone: publication?.zone ?? null,
    enis: shared?.length ?? null,
    addresses: shared?.reduce((sum, { ips }) => sum + ips.length, 0) ?? null,
    inUse: report?.inUse ?? null,
    idle: report?.idle ?? null,
    returned: report?.returned.length ?? null,
    maxEnis: publication?.shared.maxEnis ?? null,
    addressesPerEni: publication?.shared.ipsPerEni ?? null,
    minWarm: publication?.shared.minWarm ?? null,
    maxWarm: publication?.shared.maxWarm ?? null,
    exclusiveEnis: publication === undefined ? null : publication.enis.length - (shared?.length ?? 0),
    exclusiveInUse: report?.exclusiveInUse ?? null,
    maxExclusiveEnis: publication?.exclusive.maxEnis ?? null,
    exclusiveMinWarm: publication?.exclusive.minWarm ?? null,
    exclusiveMaxWarm: publication?.exclusive.maxWarm ?? null,
    ready: ready?.status ?? null,
    readyReason: ready?.reason ?? null,
    readyMessage: ready?.message ?? null,
    agentVersion: report?.version ?? null,
    databaseId: report?.databaseId ?? null,
    fault: nec.fault ?? null,
    createdAt: textAt(object, 'metadata', 'creationTimestamp') ?? null,
  }
}
