// The tables of docs/eips.md: what annotations ask for, as the code that reads them says.
import { eipKeys, eipWishOf } from '../../internal/ipam/eip-wish.ts'
import { keyPrefix } from '../../internal/ipam/names.ts'

type Said = Partial<Record<keyof typeof eipKeys, string>>

const cases: readonly Said[] = [
  { attributes: '' },
  { attributes: '{"Bandwidth":"100","ISP":"BGP"}' },
  { attributes: '{"ISP":"CMCC"}', policy: 'Never' },
  { attributes: '{}', policy: 'Never', expiry: '1h' },
  { ids: 'eip-xxx1,eip-xxx2' },
  { attributes: '{"Bandwidth":"200"}' },
  { attributes: '{"ISP":"bgp"}' },
  { attributes: '{"Size":1}' },
  { attributes: 'BGP' },
  { attributes: '', ids: 'eip-xxx1' },
  { policy: 'Never' },
  { attributes: '', policy: 'Always' },
]

const attributes = [
  '{"InternetMaxBandwidthOut":5,"InternetServiceProvider":"CTCC"}',
  '{"InternetChargeType":"BANDWIDTH_POSTPAID_BY_HOUR"}',
  '{"InternetChargeType":"BANDWIDTH_PACKAGE","BandwidthPackageId":"bwp-1a2b3c4d","Bandwidth":2000}',
  '{"AddressName":"web","Egress":"center_egress1"}',
  '{"AddressType":"HighQualityEIP","VipCluster":["cluster-1"]}',
  '{"Tags":[{"Key":"cost","Value":"shop"}]}',
  '{"InternetChargeType":"BANDWIDTH_PREPAID_BY_MONTH"}',
  '{"Tags":[{"Key":"tke-created-eip","Value":"no"}]}',
]

/** By name. */
export const eipTables: Readonly<Record<'annotations' | 'attributes', string>> = {
  annotations: table(
    ['annotations', 'a pod `web-1` of a StatefulSet gets'],
    cases.map((said) => [written(said), outcome(said)]),
  ),
  attributes: table(
    ['`eip-attributes`', 'the EIP that is made'],
    attributes.map((text) => [`\`${text}\``, outcome({ attributes: text })]),
  ),
}

function written(said: Said): string {
  return Object.entries(said)
    .map(([key, value]) => {
      const quote = value.includes('"') ? "'" : '"'
      return `\`${eipKeys[key as keyof Said]}: ${quote}${value}${quote}\``
    })
    .join('<br>')
}

function outcome({ attributes, expiry, ids, policy }: Said): string {
  const wish = eipWishOf(
    { attributes, ids, policy, expiry },
    { name: 'web-1', controllerKind: 'StatefulSet' },
  )
  if (wish === undefined) return 'none'
  if ('fault' in wish) return `refused: ${wish.fault.replaceAll(keyPrefix, '')}`
  const kept =
    wish.policy === 'Immediate'
      ? 'until it ends'
      : wish.expireAfter === undefined
        ? 'kept for the next of its name'
        : `kept for the next of its name, ${wish.expireAfter / 60_000} minutes`
  if (wish.source === 'specified') return `${wish.ids[wish.ordinal ?? 0]}, ${kept}`
  const { bandwidth, chargeType, isp, label, raw, tags } = wish
  const more = [
    ...Object.entries(raw).map(([key, value]) => `${key} ${JSON.stringify(value)}`),
    ...(label === undefined ? [] : [`named "${label}"`]),
    ...Object.entries(tags).map(([key, value]) => `tag ${key}=${value}`),
  ]
  return [`${bandwidth} Mbps, ${isp}, ${chargeType}`, ...more, kept].join('; ')
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return `${[line(header), `|${header.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n')}\n`
}
