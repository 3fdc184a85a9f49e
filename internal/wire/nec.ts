// The NodeENIConfig (NEC) as JSON and as domain values. Unknown fields are ignored, so that neighbouring versions
// understand each other; what we use is checked strictly, and a fault is named by its path instead of thrown.
import { z } from 'zod'
import type { Condition, Nec, NecPublication, NodeBounds, NodeReport, PublishedEni } from '../ipam/types.ts'
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

const ip = z
  .object({ ip: ipv4, grant: count }, { error: 'is not an object' })
  .transform((json) => ({ address: json.ip, grant: json.grant }))
const ips = z.array(ip, { error: 'is not a list' })

const eniFields = {
  eniID: text,
  mac,
  primaryIP: ipv4,
  subnetID: text,
  subnetCIDR: cidr,
  gateway: ipv4,
  index: count.min(1, 'is below 1'),
}
const object = { error: 'is not an object' }

interface EniJson {
  readonly eniID: string
  readonly mac: PublishedEni['mac']
  readonly primaryIP: Ipv4
  readonly subnetID: string
  readonly subnetCIDR: PublishedEni['subnetCidr']
  readonly gateway: Ipv4
  readonly index: number
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
  }
}

const sharedEni = z
  .object({ ...eniFields, ips }, object)
  .transform((json): PublishedEni => ({ ...readEni(json), mode: 'shared', ips: json.ips }))

const exclusiveEni = z.object({ ...eniFields, grant: count }, object).transform(
  (json): PublishedEni => ({
    ...readEni(json),
    mode: 'exclusive',
    ips: [{ address: json.primaryIP, grant: json.grant }],
  }),
)

/** Written by a leader without exclusive ENIs it has none of their fields. */
const spec = z
  .object(
    {
      instanceID: text,
      zone: text,
      maxRouteENI: count,
      maxIPPerENI: count,
      routeENIIPMinWarmTarget: count,
      routeENIIPMaxWarmTarget: count,
      maxENI: count.nullish(),
      maxDirectENI: count.nullish(),
      directENIMinWarmTarget: count.nullish(),
      directENIMaxWarmTarget: count.nullish(),
      maxPods: count.nullish(),
      leaderEpoch: count.nullish(),
    },
    object,
  )
  .refine((json) => json.routeENIIPMinWarmTarget <= json.routeENIIPMaxWarmTarget, {
    path: ['routeENIIPMinWarmTarget'],
    error: 'is above routeENIIPMaxWarmTarget',
  })
  .refine((json) => (json.directENIMinWarmTarget ?? 0) <= (json.directENIMaxWarmTarget ?? 0), {
    path: ['directENIMinWarmTarget'],
    error: 'is above directENIMaxWarmTarget',
  })

function readBounds(json: z.infer<typeof spec>): NodeBounds {
  const podCap = typeof json.maxPods === 'number' ? { maxPods: json.maxPods } : {}
  return {
    instanceEnis: json.maxENI ?? json.maxRouteENI,
    shared: {
      minWarm: json.routeENIIPMinWarmTarget,
      maxWarm: json.routeENIIPMaxWarmTarget,
      maxEnis: json.maxRouteENI,
      ipsPerEni: json.maxIPPerENI,
      ...podCap,
    },
    exclusive: {
      minWarm: json.directENIMinWarmTarget ?? 0,
      maxWarm: json.directENIMaxWarmTarget ?? 0,
      maxEnis: json.maxDirectENI ?? 0,
      ipsPerEni: 1,
      ...podCap,
    },
  }
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
          ? each.ips.map(({ address }, j) => [`ips[${j}].ip`, address] as const)
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
      enisInUse: count.nullish(),
      mostInUse: count.nullish(),
      directInUse: count.nullish(),
      directIdle: count.nullish(),
      withheld: count.nullish(),
      directWithheld: count.nullish(),
      unlinked: z.array(text, { error: 'is not a list' }).nullish(),
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
      enisInUse: json.enisInUse ?? undefined,
      mostInUse: json.mostInUse ?? undefined,
      exclusiveInUse: json.directInUse ?? undefined,
      exclusiveIdle: json.directIdle ?? undefined,
      withheld: json.withheld ?? undefined,
      exclusiveWithheld: json.directWithheld ?? undefined,
      unlinked: json.unlinked ?? [],
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
  const rawExclusive = status?.directENIInfos ?? [] // an earlier leader has none
  const exclusive = read(exclusiveEnis, rawExclusive, 'status.directENIInfos')
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
            ...readBounds(settings),
            epoch: settings.leaderEpoch ?? 0,
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
  const { shared, exclusive, instanceEnis, enis } = publication
  const sharedOnes = enis.filter(({ mode }) => mode === 'shared')
  const exclusiveOnes = enis.filter(({ mode }) => mode === 'exclusive')
  return {
    spec: {
      instanceID: publication.instanceId,
      zone: publication.zone,
      maxENI: instanceEnis,
      maxRouteENI: shared.maxEnis,
      maxIPPerENI: shared.ipsPerEni,
      routeENIIPMinWarmTarget: shared.minWarm,
      routeENIIPMaxWarmTarget: shared.maxWarm,
      maxDirectENI: exclusive.maxEnis,
      directENIMinWarmTarget: exclusive.minWarm,
      directENIMaxWarmTarget: exclusive.maxWarm,
      maxPods: shared.maxPods ?? null,
      leaderEpoch: publication.epoch,
    },
    status: {
      eniInfos: sharedOnes.map((each) => ({
        ...encodeEni(each),
        ips: each.ips.map((one) => ({ ip: one.address, grant: one.grant })),
      })),
      directENIInfos: exclusiveOnes.flatMap((each) =>
        each.ips.slice(0, 1).map(({ grant }) => ({ ...encodeEni(each), grant })),
      ),
      routeENICount: sharedOnes.length,
      boundIPCount: sharedOnes.reduce((sum, each) => sum + each.ips.length, 0),
      directENICount: exclusiveOnes.length,
      conditions: publication.conditions,
    },
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
        enisInUse: node.enisInUse ?? null,
        mostInUse: node.mostInUse ?? null,
        directInUse: node.exclusiveInUse ?? null,
        directIdle: node.exclusiveIdle ?? null,
        withheld: node.withheld ?? null,
        directWithheld: node.exclusiveWithheld ?? null,
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
