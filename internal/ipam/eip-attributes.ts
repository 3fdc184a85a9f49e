// What annotation eip-attributes says: JSON with Bandwidth and ISP (E1), or the parameters of AllocateAddresses that real TKE takes as well
// (vpc-api.md, part 5). Unknown keys, wrong types and values out of range are refused, and the answer says what is allowed.
import { type Isp, isps } from './types.ts'

/** Most Mbps of each (vpc-api.md, AllocateAddresses). What is paid for by the month cannot be given back when its pod ends: not allowed. */
const chargeTypes = {
  TRAFFIC_POSTPAID_BY_HOUR: 100,
  BANDWIDTH_POSTPAID_BY_HOUR: 100,
  BANDWIDTH_PACKAGE: 2000,
} as const

export type EipChargeType = keyof typeof chargeTypes

export function isChargeType(text: string | undefined): text is EipChargeType {
  return text !== undefined && Object.hasOwn(chargeTypes, text)
}

export interface CreatedWish {
  readonly source: 'created'
  /** In Mbps. */
  readonly bandwidth: number
  readonly isp: Isp
  readonly chargeType: EipChargeType
  /** undefined: the leader's own. */
  readonly label: string | undefined
  /** Beside the leader's own. */
  readonly tags: Readonly<Record<string, string>>
  /** More parameters of AllocateAddresses, in the API's words. */
  readonly raw: Readonly<Record<string, unknown>>
}

/** Of what a pod does not say. */
export const eipDefaults = { bandwidth: 100, isp: 'BGP', chargeType: 'TRAFFIC_POSTPAID_BY_HOUR' } as const

/** Longer is nobody's wish. */
const mostText = 8192
const mostTags = 20

type Fields = Readonly<Record<string, unknown>>
/** A value as it is to be, or what is allowed. */
type Read = { readonly value: unknown } | { readonly allowed: string }

const readers: Readonly<Record<string, (value: unknown) => Read>> = {
  Bandwidth: readBandwidth,
  ISP: oneOf(isps),
  InternetMaxBandwidthOut: readBandwidth,
  InternetServiceProvider: oneOf(isps),
  InternetChargeType: oneOf(Object.keys(chargeTypes)),
  BandwidthPackageId: matching(/^bwp-[0-9a-z]{1,60}$/, 'an id such as bwp-1a2b3c4d'),
  AddressType: oneOf(['EIP', 'AnycastEIP', 'HighQualityEIP']),
  AddressName: matching(/^.{1,128}$/u, 'a text of 1 to 128 characters'),
  Egress: matching(/^[0-9A-Za-z_-]{1,64}$/, 'letters, digits, "_" and "-", such as center_egress1'),
  VipCluster: readTexts,
  Tags: readTags,
}

/** What the JSON in `text` asks for; else what is wrong with it, and what is allowed. Empty text asks for the defaults. */
export function parseEipAttributes(text: string): CreatedWish | string {
  const fields = readObject(text)
  if (typeof fields === 'string') return fields
  const values = new Map<string, unknown>()
  for (const [key, value] of Object.entries(fields)) {
    const reader = Object.hasOwn(readers, key) ? readers[key] : undefined
    if (reader === undefined)
      return `"${cut(key)}" is no attribute; allowed are ${Object.keys(readers).join(', ')}`
    // Left empty, it is as if it were not there.
    if (value === '') continue
    const read = reader(value)
    if ('allowed' in read) return `${key} is ${cut(JSON.stringify(value))}; allowed is ${read.allowed}`
    values.set(key, read.value)
  }
  return together(values)
}

function readObject(text: string): Fields | string {
  if (text === '') return {}
  const allowed = 'allowed is a JSON object such as {"Bandwidth":"100","ISP":"BGP"}'
  if (text.length > mostText) return `it has ${text.length} characters; allowed are ${mostText}`
  try {
    const value: unknown = JSON.parse(text)
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? (value as Fields) : `it is no object; ${allowed}`
  } catch {
    return `it is no JSON; ${allowed}`
  }
}

/** What goes with what. */
function together(values: ReadonlyMap<string, unknown>): CreatedWish | string {
  const twice =
    either(values, 'Bandwidth', 'InternetMaxBandwidthOut') ?? either(values, 'ISP', 'InternetServiceProvider')
  if (twice !== undefined) return twice
  const bandwidth = (values.get('Bandwidth') ??
    values.get('InternetMaxBandwidthOut') ??
    eipDefaults.bandwidth) as number
  const isp = (values.get('ISP') ?? values.get('InternetServiceProvider') ?? eipDefaults.isp) as Isp
  const chargeType = (values.get('InternetChargeType') ?? eipDefaults.chargeType) as EipChargeType
  if (bandwidth > chargeTypes[chargeType])
    return `a bandwidth of ${bandwidth} is too much for ${chargeType}; allowed is a whole number of 1 to ${chargeTypes[chargeType]} (Mbps)`
  if (values.has('BandwidthPackageId') !== (chargeType === 'BANDWIDTH_PACKAGE'))
    return 'BandwidthPackageId and InternetChargeType "BANDWIDTH_PACKAGE" go together; allowed are both or neither'
  const more = ['BandwidthPackageId', 'AddressType', 'Egress', 'VipCluster'].filter((key) => values.has(key))
  return {
    ...{ source: 'created', bandwidth, isp, chargeType },
    label: values.get('AddressName') as string | undefined,
    tags: (values.get('Tags') ?? {}) as Readonly<Record<string, string>>,
    raw: Object.fromEntries(more.map((key) => [key, values.get(key)])),
  }
}

function either(values: ReadonlyMap<string, unknown>, one: string, other: string): string | undefined {
  return values.has(one) && values.has(other)
    ? `${one} and ${other} are the same; allowed is one of them`
    : undefined
}

const mostBandwidth = Math.max(...Object.values(chargeTypes))

/** "100" as in the documents, or 100 as the API has it. */
function readBandwidth(value: unknown): Read {
  const number = typeof value === 'string' && /^[1-9][0-9]{0,8}$/.test(value) ? Number(value) : value
  const isFine = Number.isInteger(number) && (number as number) >= 1 && (number as number) <= mostBandwidth
  if (isFine) return { value: number }
  const { BANDWIDTH_PACKAGE: ofPackage, TRAFFIC_POSTPAID_BY_HOUR: common } = chargeTypes
  return { allowed: `a whole number of 1 to ${common} (Mbps), to ${ofPackage} with a bandwidth package` }
}

function oneOf(allowed: readonly string[]) {
  return (value: unknown): Read =>
    allowed.includes(value as string) ? { value } : { allowed: `one of ${allowed.join(', ')}` }
}

function matching(shape: RegExp, allowed: string) {
  return (value: unknown): Read => (typeof value === 'string' && shape.test(value) ? { value } : { allowed })
}

function readTexts(value: unknown): Read {
  const isFine =
    Array.isArray(value) &&
    value.length <= 10 &&
    value.every((one) => typeof one === 'string' && /^.{1,64}$/u.test(one))
  return isFine ? { value } : { allowed: 'a list of up to 10 texts' }
}

/** The API's [{"Key":…,"Value":…}]. Keys of ours say whose an EIP is: nobody else sets them. */
function readTags(value: unknown): Read {
  const allowed = `up to ${mostTags} of {"Key":…,"Value":…}, each key once, and none that begins with "tke-"`
  if (!Array.isArray(value) || value.length > mostTags) return { allowed }
  const tags = value.map(tagOf).filter((tag) => tag !== undefined)
  const keys = new Set(tags.map(([key]) => key))
  return tags.length === value.length && keys.size === tags.length
    ? { value: Object.fromEntries(tags) }
    : { allowed }
}

function tagOf(tag: unknown): readonly [key: string, value: string] | undefined {
  if (typeof tag !== 'object' || tag === null) return undefined
  const { Key: key, Value: value, ...others } = tag as Fields
  if (typeof key !== 'string' || typeof value !== 'string' || Object.keys(others).length > 0) return undefined
  const isFine =
    /^.{1,127}$/u.test(key) && value.length <= 255 && !key.startsWith('tke-') && key !== '__proto__'
  return isFine ? [key, value] : undefined
}

function cut(text: string): string {
  return text.length > 40 ? `${text.slice(0, 37)}...` : text
}
