// The NodeENIConfig (NEC) as JSON and as domain values. Unknown fields are ignored, so that neighbouring versions
// understand each other; what we use is checked strictly, and a fault is named by its path instead of thrown.
import { z } from 'zod'
import type { Condition, Nec, NecPublication, NodeReport, PublishedEni } from '../ipam/types.ts'
import { parseCidr } from '../value/cidr.ts'
import { parseIpv4 } from '../value/ipv4.ts'
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

const eni = z
  .object(
    {
      eniID: text,
      mac,
      primaryIP: ipv4,
      subnetID: text,
      subnetCIDR: cidr,
      gateway: ipv4,
      index: count.min(1, 'is below 1'),
      ips,
    },
    { error: 'is not an object' },
  )
  .transform(
    (json): PublishedEni => ({
      id: json.eniID,
      mac: json.mac,
      primaryIp: json.primaryIP,
      subnetId: json.subnetID,
      subnetCidr: json.subnetCIDR,
      gateway: json.gateway,
      slot: json.index,
      ips: json.ips,
    }),
  )

const spec = z
  .object(
    {
      instanceID: text,
      zone: text,
      maxRouteENI: count,
      maxIPPerENI: count,
      routeENIIPMinWarmTarget: count,
      routeENIIPMaxWarmTarget: count,
      leaderEpoch: count.nullish(),
    },
    { error: 'is not an object' },
  )
  .refine((json) => json.routeENIIPMinWarmTarget <= json.routeENIIPMaxWarmTarget, {
    path: ['routeENIIPMinWarmTarget'],
    error: 'is above routeENIIPMaxWarmTarget',
  })

const enis = z.array(eni, { error: 'is not a list' }).superRefine((list, context) => {
  const seen = new Set<string>()
  const once = (what: string, value: string, path: (string | number)[]) => {
    // Two ENIs with one address would route one pod's packets through the other's link.
    if (seen.has(`${what} ${value}`)) context.addIssue({ code: 'custom', path, message: 'is there twice' })
    seen.add(`${what} ${value}`)
  }
  list.forEach((each, i) => {
    once('id', each.id, [i, 'eniID'])
    once('mac', each.mac, [i, 'mac'])
    once('slot', String(each.slot), [i, 'index'])
    once('address', each.primaryIp, [i, 'primaryIP'])
    each.ips.forEach((one, j) => {
      once('address', one.address, [i, 'ips', j, 'ip'])
    })
  })
})

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
    { returned: ips, inUse: count, idle: count, databaseID: text, version: text },
    { error: 'is not an object' },
  )
  .transform(
    (json): NodeReport => ({
      returned: json.returned,
      inUse: json.inUse,
      idle: json.idle,
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
    .object({ eniInfos: z.unknown(), conditions: z.unknown(), node: z.unknown() })
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
  const infos = read(enis, status?.eniInfos, 'status.eniInfos')
  const known = read(conditions, status?.conditions, 'status.conditions')
  const node = read(report, status?.node, 'status.node')
  return {
    name: metadata.name,
    uid: metadata.uid,
    annotations: metadata.annotations ?? {},
    publication:
      settings && infos
        ? {
            instanceId: settings.instanceID,
            zone: settings.zone,
            maxEnis: settings.maxRouteENI,
            ipsPerEni: settings.maxIPPerENI,
            minWarm: settings.routeENIIPMinWarmTarget,
            maxWarm: settings.routeENIIPMaxWarmTarget,
            epoch: settings.leaderEpoch ?? 0,
            enis: infos,
            conditions: known ?? [],
          }
        : undefined,
    report: node,
    fault: faults.length === 0 ? undefined : faults.join('; '),
  }
}

/** The leader's half as JSON: a patch of these fields touches nothing of the agent's or the user's. */
export function encodePublication(publication: NecPublication): PublicationJson {
  return {
    spec: {
      instanceID: publication.instanceId,
      zone: publication.zone,
      maxRouteENI: publication.maxEnis,
      maxIPPerENI: publication.ipsPerEni,
      routeENIIPMinWarmTarget: publication.minWarm,
      routeENIIPMaxWarmTarget: publication.maxWarm,
      leaderEpoch: publication.epoch,
    },
    status: {
      eniInfos: publication.enis.map((each) => ({
        eniID: each.id,
        mac: each.mac,
        primaryIP: each.primaryIp,
        subnetID: each.subnetId,
        subnetCIDR: each.subnetCidr,
        gateway: each.gateway,
        index: each.slot,
        ips: each.ips.map((one) => ({ ip: one.address, grant: one.grant })),
      })),
      routeENICount: publication.enis.length,
      boundIPCount: publication.enis.reduce((sum, each) => sum + each.ips.length, 0),
      conditions: publication.conditions,
    },
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
