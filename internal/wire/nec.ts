// The NodeENIConfig (NEC) as JSON and as domain values. Unknown fields are ignored, so that neighbouring versions
// understand each other; what we use is checked strictly, and a fault is named by its path instead of thrown.
import { z } from 'zod'
import { storedExpiry } from '../ipam/claim-expiry.ts'
import type {
  Condition,
  Nec,
  NecPublication,
  NodeDefaults,
  NodeOverrides,
  NodeReport,
  NodeTerms,
  PublishedClaim,
  PublishedEni,
  PublishedIp,
  WarmTargets,
} from '../ipam/types.ts'
import { parseCidr } from '../value/cidr.ts'
import { type Ipv4, parseIpv4 } from '../value/ipv4.ts'
import { parseMac } from '../value/mac.ts'
import { quoteJson } from './json.ts'

/** The leader's fields as a merge patch: `spec`, and those of `status` that are the leader's. */
export interface PublicationJson {
  readonly spec: Readonly<Record<string, unknown>>
  readonly status: Readonly<Record<string, unknown>>
}

const ipv4 = parsed(parseIpv4, 'is not an IPv4 address')
const mac = parsed(parseMac, 'is not a MAC address')
const cidr = parsed(parseCidr, 'is not an IPv4 block')
const text = z.string({ error: 'is not text' }).min(1, 'is empty')
const count = z.int({ error: 'is not a whole number' }).min(0, 'is negative')

const object = { error: 'is not an object' }

const uid = z.string({ error: 'is not text' }).nullish()

function exposed({ eipFor }: { readonly eipFor?: string | null | undefined }) {
  return typeof eipFor === 'string' ? { eipFor } : {}
}

const ip = z
  .object({ ip: ipv4, grant: count, eipFor: uid }, object)
  .transform((json) => ({ address: json.ip, grant: json.grant, ...exposed(json) }))
const ips = z.array(ip, { error: 'is not a list' })

const owner = z.object({ apiVersion: text, kind: text, name: text, uid: text }, object)
const claim = z
  .object({ namespace: text, name: text, expireAfterMs: count.nullish(), owner: owner.nullish() }, object)
  .transform(({ expireAfterMs, name, namespace, owner }): PublishedClaim => {
    const expireAfter = storedExpiry(expireAfterMs)
    return {
      namespace,
      name,
      ...(expireAfter !== undefined && { expireAfter }),
      ...(owner && { owner }),
    }
  })

/** In a list of their own: an agent that knows nothing of claims would give them to any pod. */
const claimedIp = z
  .object({ ip: ipv4, grant: count, claim }, object)
  .transform((json) => ({ address: json.ip, grant: json.grant, claim: json.claim }))
const claimedIps = z.array(claimedIp, { error: 'is not a list' }).nullish()

const eniFields = {
  eniID: text,
  mac,
  primaryIP: ipv4,
  subnetID: text,
  subnetCIDR: cidr,
  gateway: ipv4,
  index: count.min(1, 'is below 1'),
  maxPoolIPs: count.nullish(),
}
interface EniJson {
  readonly eniID: string
  readonly mac: PublishedEni['mac']
  readonly primaryIP: Ipv4
  readonly subnetID: string
  readonly subnetCIDR: PublishedEni['subnetCidr']
  readonly gateway: Ipv4
  readonly index: number
  readonly maxPoolIPs?: number | null | undefined
}

function readEni(json: EniJson): Omit<PublishedEni, 'mode' | 'ips'> {
  return {
    id: json.eniID,
    mac: json.mac,
    primaryIp: json.primaryIP,
    subnetId: json.subnetID,
    subnetCidr: json.subnetCIDR,
    gateway: json.gateway,
    slot: json.index,
    ...(typeof json.maxPoolIPs === 'number' && { mostOfPool: json.maxPoolIPs }),
  }
}

const sharedEni = z.object({ ...eniFields, ips, claimedIPs: claimedIps }, object).transform(
  (json): PublishedEni => ({
    ...readEni(json),
    mode: 'shared',
    ips: [...json.ips, ...(json.claimedIPs ?? [])],
  }),
)

const exclusiveEni = z.object({ ...eniFields, grant: count, eipFor: uid }, object).transform(
  (json): PublishedEni => ({
    ...readEni(json),
    mode: 'exclusive',
    ips: [{ address: json.primaryIP, grant: json.grant, ...exposed(json) }],
  }),
)

const warm = {
  routeENIIPMinWarmTarget: count,
  routeENIIPMaxWarmTarget: count,
  directENIMinWarmTarget: count,
  directENIMaxWarmTarget: count,
}
type WarmJson = Readonly<Partial<Record<keyof typeof warm, number | null | undefined>>>

function checkWarm({ value, issues }: z.core.ParsePayload<WarmJson>): void {
  for (const [min, max] of [
    ['routeENIIPMinWarmTarget', 'routeENIIPMaxWarmTarget'],
    ['directENIMinWarmTarget', 'directENIMaxWarmTarget'],
  ] as const) {
    if ((value[min] ?? 0) > (value[max] ?? Number.POSITIVE_INFINITY))
      issues.push({ code: 'custom', path: [min], message: `is above ${max}`, input: value[min] })
  }
}

const defaults = z.object(warm, object).check(checkWarm)

const given = count.nullish()
const overrides = z
  .object(
    {
      routeENIIPMinWarmTarget: given,
      routeENIIPMaxWarmTarget: given,
      directENIMinWarmTarget: given,
      directENIMaxWarmTarget: given,
      maxRouteENI: given,
      maxIPPerENI: given,
      maxDirectENI: given,
    },
    object,
  )
  .check(checkWarm)

const spec = z
  .object(
    {
      instanceID: text,
      zone: text,
      maxENI: count,
      maxRouteENI: count,
      maxIPPerENI: count,
      maxDirectENI: count,
      ...warm,
      maxPods: count.nullish(),
      defaults,
      overrides,
      leaderEpoch: count,
      enableStaticIP: z.boolean({ error: 'is not true or false' }),
      // Leaders of before say nothing of it.
      maxEIP: count.nullish(),
    },
    object,
  )
  .check(checkWarm)

function readTerms(json: z.infer<typeof spec>): NodeTerms {
  const podCap = typeof json.maxPods === 'number' ? { maxPods: json.maxPods } : {}
  return {
    instanceEnis: json.maxENI,
    shared: { ...readWarm(json).shared, maxEnis: json.maxRouteENI, ipsPerEni: json.maxIPPerENI, ...podCap },
    exclusive: { ...readWarm(json).exclusive, maxEnis: json.maxDirectENI, ipsPerEni: 1, ...podCap },
    defaults: readWarm(json.defaults),
    overrides: readOverrides(json.overrides),
  }
}

function readWarm(json: z.infer<typeof defaults>): NodeDefaults {
  return {
    shared: { minWarm: json.routeENIIPMinWarmTarget, maxWarm: json.routeENIIPMaxWarmTarget },
    exclusive: { minWarm: json.directENIMinWarmTarget, maxWarm: json.directENIMaxWarmTarget },
  }
}

function readOverrides(json: z.infer<typeof overrides>): NodeOverrides {
  const pair = (minWarm: number | null | undefined, maxWarm: number | null | undefined) =>
    typeof minWarm === 'number' && typeof maxWarm === 'number' ? { minWarm, maxWarm } : undefined
  const all = {
    sharedWarm: pair(json.routeENIIPMinWarmTarget, json.routeENIIPMaxWarmTarget),
    exclusiveWarm: pair(json.directENIMinWarmTarget, json.directENIMaxWarmTarget),
    maxSharedEnis: json.maxRouteENI ?? undefined,
    maxIpsPerEni: json.maxIPPerENI ?? undefined,
    maxExclusiveEnis: json.maxDirectENI ?? undefined,
  }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}

const sharedEnis = z.array(sharedEni, { error: 'is not a list' })
const exclusiveEnis = z.array(exclusiveEni, { error: 'is not a list' })

/** Two ENIs with one address would route one pod's packets through the other's link. */
function repeated(lists: Readonly<Record<string, readonly PublishedEni[]>>): string | undefined {
  const seen = new Set<string>()
  for (const [path, list] of Object.entries(lists)) {
    for (const [i, each] of list.entries()) {
      const once: readonly (readonly [string, string])[] = [
        ['eniID', each.id],
        ['mac', each.mac],
        ['index', String(each.slot)],
        ['primaryIP', each.primaryIp],
        ...(each.mode === 'shared'
          ? each.ips.map((one, j) => [pathOf(one, j, each), one.address] as const)
          : []),
      ]
      for (const [field, value] of once) {
        const key = /IP|ip/.test(field) ? `address ${value}` : `${field} ${value}`
        if (seen.has(key)) return `status.${path}[${i}].${field}: ${quoteJson(value)} is there twice`
        seen.add(key)
      }
    }
  }
  return undefined
}

/** Where the address of that index is in JSON. */
function pathOf({ claim }: PublishedIp, index: number, { ips }: PublishedEni): string {
  if (claim === undefined) return `ips[${index}].ip`
  return `claimedIPs[${index - ips.filter((one) => one.claim === undefined).length}].ip`
}

const condition: z.ZodType<Condition> = z.object(
  {
    type: text,
    status: z.enum(['True', 'False', 'Unknown'], { error: 'is not True, False or Unknown' }),
    reason: z.string({ error: 'is not text' }),
    message: z.string({ error: 'is not text' }),
    lastTransitionTime: z.string({ error: 'is not text' }),
  },
  { error: 'is not an object' },
)
const conditions = z.array(condition, { error: 'is not a list' })

const report = z
  .object(
    {
      returned: ips,
      inUse: count,
      idle: count,
      enisInUse: count,
      mostInUse: count,
      directInUse: count,
      directIdle: count,
      withheld: count,
      directWithheld: count,
      unlinked: z.array(text, { error: 'is not a list' }),
      databaseID: text,
      version: text,
    },
    object,
  )
  .transform(
    (json): NodeReport => ({
      returned: json.returned,
      inUse: json.inUse,
      idle: json.idle,
      enisInUse: json.enisInUse,
      mostInUse: json.mostInUse,
      exclusiveInUse: json.directInUse,
      exclusiveIdle: json.directIdle,
      withheld: json.withheld,
      exclusiveWithheld: json.directWithheld,
      unlinked: json.unlinked,
      databaseId: json.databaseID,
      version: json.version,
    }),
  )

const envelope = z.object({
  metadata: z.object({
    name: text,
    uid: z.string().catch(''),
    annotations: z.record(z.string(), z.string()).nullish().catch(undefined),
  }),
  spec: z.unknown().optional(), // also when somebody has removed it: it is put back
  status: z
    .object({
      eniInfos: z.unknown(),
      directENIInfos: z.unknown(),
      conditions: z.unknown(),
      node: z.unknown(),
    })
    .partial()
    .nullish()
    .catch(undefined),
})

/** The NEC in `object`; undefined only when it has no name. Parts that cannot be read are undefined and named in `fault`. */
export function decodeNec(object: unknown): Nec | undefined {
  const parsedEnvelope = envelope.safeParse(object)
  if (!parsedEnvelope.success) return undefined
  const { metadata, status, spec: rawSpec } = parsedEnvelope.data
  const faults: string[] = []
  const read = <T>(schema: z.ZodType<T>, raw: unknown, path: string): T | undefined => {
    if (raw === undefined || raw === null) return undefined
    const result = schema.safeParse(raw)
    if (result.success) return result.data
    faults.push(explain(result.error, raw, path))
    return undefined
  }
  const settings = read(spec, rawSpec, 'spec')
  const shared = read(sharedEnis, status?.eniInfos, 'status.eniInfos')
  const exclusive = read(exclusiveEnis, status?.directENIInfos, 'status.directENIInfos')
  const twice = shared && exclusive && repeated({ eniInfos: shared, directENIInfos: exclusive })
  if (twice !== undefined) faults.push(twice)
  const known = read(conditions, status?.conditions, 'status.conditions')
  const node = read(report, status?.node, 'status.node')
  return {
    name: metadata.name,
    uid: metadata.uid,
    annotations: metadata.annotations ?? {},
    publication:
      settings && shared && exclusive && twice === undefined
        ? {
            instanceId: settings.instanceID,
            zone: settings.zone,
            ...readTerms(settings),
            epoch: settings.leaderEpoch,
            staticIps: settings.enableStaticIP,
            eips: settings.maxEIP ?? 0,
            enis: [...shared, ...exclusive],
            conditions: known ?? [],
          }
        : undefined,
    report: node,
    fault: faults.length === 0 ? undefined : faults.join('; '),
  }
}

/** The leader's half as JSON: a patch of these fields touches nothing of the agent's or the user's. */
export function encodePublication(publication: NecPublication): PublicationJson {
  const { shared, exclusive, instanceEnis, defaults, overrides, enis } = publication
  const sharedOnes = enis.filter(({ mode }) => mode === 'shared')
  const exclusiveOnes = enis.filter(({ mode }) => mode === 'exclusive')
  return {
    spec: {
      instanceID: publication.instanceId,
      zone: publication.zone,
      maxENI: instanceEnis,
      maxRouteENI: shared.maxEnis,
      maxIPPerENI: shared.ipsPerEni,
      maxDirectENI: exclusive.maxEnis,
      ...encodeWarm(shared, exclusive),
      maxPods: shared.maxPods ?? null,
      defaults: encodeWarm(defaults.shared, defaults.exclusive),
      overrides: {
        ...encodeWarm(overrides.sharedWarm, overrides.exclusiveWarm),
        maxRouteENI: overrides.maxSharedEnis ?? null,
        maxIPPerENI: overrides.maxIpsPerEni ?? null,
        maxDirectENI: overrides.maxExclusiveEnis ?? null,
      },
      leaderEpoch: publication.epoch,
      enableStaticIP: publication.staticIps,
      maxEIP: publication.eips,
    },
    status: {
      eniInfos: sharedOnes.map((each) => ({
        ...encodeEni(each),
        ...encodeIps(each),
      })),
      directENIInfos: exclusiveOnes.flatMap((each) =>
        each.ips.slice(0, 1).map((ip) => ({ ...encodeEni(each), grant: ip.grant, ...exposed(ip) })),
      ),
      routeENICount: sharedOnes.length,
      boundIPCount: sharedOnes.reduce((sum, each) => sum + each.ips.length, 0),
      directENICount: exclusiveOnes.length,
      conditions: publication.conditions,
    },
  }
}

function encodeIps({ ips }: PublishedEni): Readonly<Record<string, unknown>> {
  const claimed = ips.flatMap(({ address, grant, claim }) =>
    claim === undefined ? [] : [{ ip: address, grant, claim: encodeClaim(claim) }],
  )
  return {
    ips: ips
      .filter(({ claim }) => claim === undefined)
      .map((ip) => ({ ip: ip.address, grant: ip.grant, ...exposed(ip) })),
    ...(claimed.length === 0 ? {} : { claimedIPs: claimed }),
  }
}

function encodeClaim({ expireAfter, name, namespace, owner }: PublishedClaim) {
  return {
    namespace,
    name,
    ...(expireAfter !== undefined && { expireAfterMs: expireAfter }),
    ...(owner && { owner }),
  }
}

/** null: a merge patch takes the field out. */
function encodeWarm(shared: WarmTargets | undefined, exclusive: WarmTargets | undefined) {
  return {
    routeENIIPMinWarmTarget: shared?.minWarm ?? null,
    routeENIIPMaxWarmTarget: shared?.maxWarm ?? null,
    directENIMinWarmTarget: exclusive?.minWarm ?? null,
    directENIMaxWarmTarget: exclusive?.maxWarm ?? null,
  }
}

function encodeEni(eni: PublishedEni): Readonly<Record<string, unknown>> {
  return {
    eniID: eni.id,
    mac: eni.mac,
    primaryIP: eni.primaryIp,
    subnetID: eni.subnetId,
    subnetCIDR: eni.subnetCidr,
    gateway: eni.gateway,
    index: eni.slot,
    ...(eni.mostOfPool !== undefined && { maxPoolIPs: eni.mostOfPool }),
  }
}

/** The agent's half as JSON: a merge patch of status.node alone. */
export function encodeReport(node: NodeReport): { readonly status: Readonly<Record<string, unknown>> } {
  return {
    status: {
      node: {
        returned: node.returned.map((one) => ({ ip: one.address, grant: one.grant })),
        inUse: node.inUse,
        idle: node.idle,
        enisInUse: node.enisInUse,
        mostInUse: node.mostInUse,
        directInUse: node.exclusiveInUse,
        directIdle: node.exclusiveIdle,
        withheld: node.withheld,
        directWithheld: node.exclusiveWithheld,
        unlinked: node.unlinked,
        databaseID: node.databaseId,
        version: node.version,
      },
    },
  }
}

function parsed<T>(parse: (text: string) => T | undefined, error: string) {
  return z.unknown().transform((value, context): T => {
    const result = typeof value === 'string' ? parse(value) : undefined
    if (result !== undefined) return result
    context.addIssue({ code: 'custom', message: error })
    return z.NEVER
  })
}

/** The first fault: "status.eniInfos[0].mac: "zz" is not a MAC address". */
function explain(error: z.ZodError, raw: unknown, root: string): string {
  const [issue] = error.issues
  if (issue === undefined) return `${root}: cannot be read`
  let path = root
  let value: unknown = raw
  for (const key of issue.path) {
    path += typeof key === 'number' ? `[${key}]` : `.${String(key)}`
    value = value === null || typeof value !== 'object' ? undefined : Reflect.get(value, key)
  }
  const found = value === undefined ? 'missing' : `${quoteJson(value)} ${issue.message}`
  return `${path}: ${found}`
}
