// EIPs: allocated, bound to addresses of ENIs, released. All asynchronous; only the allocation has a token.
import { IpamError } from '../ipam/errors.ts'
import type { CloudEip, EipId, EniId } from '../ipam/types.ts'
import type { AllocateEip, Cloud, Priority } from '../ports.ts'
import { type Answer, MalformedAnswer } from './answer.ts'
import { listIds } from './by-ids.ts'
import { type Caller, reading } from './caller.ts'
import { pageSize } from './limits.ts'
import { readPages } from './pages.ts'
import { parseEip, parseEipId, parseEipQuota } from './parse-eip.ts'
import { type Raw, sharedById } from './shared-ids.ts'
import { hasTags, listTags, tagFilters, tagParams } from './tags.ts'

type EipMethods = Pick<
  Cloud,
  'allocateEip' | 'describeEips' | 'associateEip' | 'disassociateEip' | 'releaseEip' | 'describeEipQuota'
>

const describing = { product: 'vpc', action: 'DescribeAddresses', mutates: false } as const

/** That part of the port `Cloud`. */
export function eipMethods(caller: Caller): EipMethods {
  const describe = eipFinder(caller)
  function change(action: string, doing: string, params: object, priority: Priority): Promise<void> {
    const call = { product: 'vpc', action, doing, mutates: true, priority, params: () => params } as const
    return caller.call({ ...call, read: () => undefined })
  }

  return {
    allocateEip: (request, priority) =>
      caller.call({
        product: 'vpc',
        action: 'AllocateAddresses',
        doing: `allocate an EIP for "${request.name}"`,
        mutates: true,
        priority,
        params: () => allocation(request),
        read: readAllocated,
      }),
    describeEips: describe,
    associateEip: ({ eip, eni, privateIp }, priority) =>
      change(
        'AssociateAddress',
        `bind EIP "${eip}" to ${privateIp} of ENI "${eni}"`,
        { AddressId: eip, NetworkInterfaceId: eni, PrivateIpAddress: privateIp },
        priority,
      ),
    disassociateEip: (eip, priority) =>
      change('DisassociateAddress', `unbind EIP "${eip}"`, { AddressId: eip }, priority),
    releaseEip: (eip, priority) =>
      change('ReleaseAddresses', `release EIP "${eip}"`, { AddressIds: [eip] }, priority),
    describeEipQuota: (priority) =>
      caller.call({
        product: 'vpc',
        action: 'DescribeAddressQuota',
        doing: 'read the EIP quota',
        mutates: false,
        priority,
        params: () => ({}),
        read: parseEipQuota,
      }),
  }
}

/** What is ours to say comes last, so that nothing overrides it. */
function allocation(request: AllocateEip): object {
  return {
    ...request.raw,
    AddressCount: 1,
    InternetServiceProvider: request.isp,
    InternetChargeType: request.chargeType,
    InternetMaxBandwidthOut: request.bandwidth,
    AddressName: request.name,
    ...tagParams(request.tags),
    ClientToken: request.clientToken,
  }
}

function readAllocated(answer: Answer): EipId {
  const ids = answer.texts('AddressSet')
  const [id] = ids.map(parseEipId)
  if (id !== undefined && ids.length === 1) return id
  throw new MalformedAnswer('AddressSet', 'the id of one EIP', ids)
}

function eipFinder(caller: Caller): Cloud['describeEips'] {
  const find = sharedById((ids, priority, onSend) =>
    caller.call({
      ...describing,
      priority,
      get doing() {
        return `describe EIPs ${listIds(ids)}`
      },
      params: () => {
        onSend()
        // Answers by id are cut to pages too.
        return { AddressIds: [...ids], Offset: 0, Limit: pageSize }
      },
      read: rawEips,
    }),
  )

  async function byIds(ids: ReadonlySet<EipId>, priority: Priority): Promise<readonly CloudEip[]> {
    const doing = `describe EIPs ${listIds(ids)}`
    for (const id of ids) {
      // Refused here, because the API would refuse the whole shared call.
      if (parseEipId(id) === undefined)
        throw new IpamError('bad_input', `Cannot ${doing}: "${id}" is no id of an EIP`)
    }
    const found = await find(ids, priority)
    return reading({ ...describing, doing }, () => found.map(parseEip))
  }

  async function byFilters(filters: readonly object[], doing: string, priority: Priority) {
    const found = await readPages((offset) =>
      caller.call({
        ...describing,
        doing,
        priority,
        params: () => ({ Filters: filters, Offset: offset, Limit: pageSize }),
        read: (answer) => ({ items: rawEips(answer), total: answer.count('TotalCount') }),
      }),
    )
    if (found === undefined) {
      throw new IpamError('unavailable', `Cannot ${doing}: the list did not hold still while it was read`)
    }
    return reading({ ...describing, doing }, () => found.map(({ answer }) => parseEip(answer)))
  }

  async function byEni(eni: EniId, priority: Priority): Promise<readonly CloudEip[]> {
    const filters = [{ Name: 'network-interface-id', Values: [eni] }]
    const found = await byFilters(filters, `list EIPs of ENI "${eni}"`, priority)
    return found.filter(({ eniId }) => eniId === eni)
  }

  async function byTags(
    tags: Readonly<Record<string, string>>,
    priority: Priority,
  ): Promise<readonly CloudEip[]> {
    const filters = tagFilters(tags)
    // Without a filter every EIP of the account would be in the answer.
    if (filters.length === 0) throw new IpamError('bad_input', 'Cannot list EIPs by tags: no tag is given')
    const found = await byFilters(filters, `list EIPs with tags ${listTags(tags)}`, priority)
    return found.filter((eip) => hasTags(eip, tags))
  }

  return async (query, priority) => {
    if ('tags' in query) return byTags(query.tags, priority)
    if ('eni' in query) return byEni(query.eni, priority)
    return query.ids.length === 0 ? [] : byIds(new Set(query.ids), priority)
  }
}

function rawEips(answer: Answer): readonly Raw[] {
  return answer.objects('AddressSet').map((eip) => ({ id: eip.text('AddressId'), answer: eip }))
}
