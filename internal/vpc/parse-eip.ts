// EIPs of the API as our own facts. All throw MalformedAnswer.
import { isEipId } from '../ipam/eip-claim.ts'
import type { CloudEip, CloudEipQuota, EipId, EipState, Quota } from '../ipam/types.ts'
import { parseIpv4 } from '../value/ipv4.ts'
import { type Answer, MalformedAnswer } from './answer.ts'
import { parseTags } from './parse.ts'

const states = new Map<string, EipState>(
  Object.entries({
    CREATING: 'creating',
    UNBIND: 'unbound',
    BINDING: 'binding',
    BIND: 'bound',
    BIND_ENI: 'bound_to_loose_eni',
    UNBINDING: 'unbinding',
    OFFLINING: 'releasing',
  } as const),
)

/** The id in `text`, or undefined when no call would take it as one. */
export function parseEipId(text: string): EipId | undefined {
  return isEipId(text) ? text : undefined
}

export function parseEip(answer: Answer): CloudEip {
  const state = answer.parsed('AddressStatus', 'a known state', (text) => states.get(text))
  const address = optionalAddress(answer, 'AddressIp')
  if (address === undefined && state !== 'creating')
    throw new MalformedAnswer(`${answer.place}.AddressIp`, 'an IPv4 address', address)
  return {
    id: answer.parsed('AddressId', 'the id of an EIP', parseEipId),
    address,
    state,
    eniId: answer.anyText('NetworkInterfaceId') || undefined,
    privateIp: optionalAddress(answer, 'PrivateAddressIp'),
    instanceId: answer.anyText('InstanceId') || undefined,
    bandwidth: answer.optionalCount('Bandwidth'),
    chargeType: answer.anyText('InternetChargeType') || undefined,
    isp: answer.anyText('InternetServiceProvider'),
    arrears: answer.flag('IsArrears'),
    blocked: answer.flag('IsBlocked'),
    name: answer.anyText('AddressName'),
    tags: parseTags(answer),
  }
}

function optionalAddress(answer: Answer, field: string) {
  return answer.anyText(field) === '' ? undefined : answer.parsed(field, 'an IPv4 address', parseIpv4)
}

export function parseEipQuota(answer: Answer): CloudEipQuota {
  const quotas = new Map(answer.objects('QuotaSet').map((one) => [one.text('QuotaId'), one]))
  const find = (id: string): Quota | undefined => {
    const one = quotas.get(id)
    return one && { used: one.count('QuotaCurrent'), limit: one.count('QuotaLimit') }
  }
  const get = (id: string): Quota => {
    const quota = find(id)
    if (quota !== undefined) return quota
    throw new MalformedAnswer('QuotaSet', `quota ${id}`, [...quotas.keys()])
  }
  return {
    total: get('TOTAL_EIP_QUOTA'),
    daily: get('DAILY_EIP_APPLY'),
    singleLineTotal: find('SINGLEISP_EIP_QUOTA'),
    singleLineDaily: find('DAILY_SINGLEISP_APPLY'),
  }
}
