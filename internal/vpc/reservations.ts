// Reserved addresses: the VPC gives them to nobody who does not name them. Synchronous, unlike all else.
import { IpamError } from '../ipam/errors.ts'
import type { Cloud, Priority, Reservation, ReservationQuery, ReserveIp } from '../ports.ts'
import type { Ipv4 } from '../value/ipv4.ts'
import { type Answer, MalformedAnswer } from './answer.ts'
import { describeByIds, listIds } from './by-ids.ts'
import { type Caller, reading } from './caller.ts'
import { pageSize } from './limits.ts'
import { readPages } from './pages.ts'
import { parseReservation, parseReservationId, type SeenReservation } from './parse.ts'
import type { SubnetReader } from './subnets.ts'
import { hasTags, listTags, tagFilters, tagParams } from './tags.ts'

type ReservationMethods = Pick<Cloud, 'reserveIp' | 'describeReservations' | 'releaseReservation'>

/** Values of a filter: no page says how many this action takes, CVM's take so many. */
const maxFilterValues = 5

const describing = { product: 'vpc', action: 'DescribeReserveIpAddresses', mutates: false } as const

/** That part of the port `Cloud`. */
export function reservationMethods(caller: Caller, subnets: SubnetReader): ReservationMethods {
  return {
    async reserveIp(request, priority) {
      const what = request.address ?? 'an address'
      const doing = `reserve ${what} of subnet "${request.subnetId}" for "${request.name}"`
      const vpcId = await subnets.vpcOf(request.subnetId, doing, priority)
      const params = creation(request, vpcId)
      return caller.call({
        product: 'vpc',
        action: 'CreateReserveIpAddresses',
        doing,
        mutates: true,
        priority,
        params: () => params,
        read: (answer) => readReserved(answer, request, vpcId),
      })
    },
    async describeReservations(query, priority) {
      const found = await describe(caller, query, priority)
      const located: Reservation[] = []
      // One after the other: what the first one has to ask for, the others know.
      for (const one of found) located.push(isLocated(one) ? one : await locate(one, subnets, priority))
      return 'subnetId' in query ? located.filter(({ subnetId }) => subnetId === query.subnetId) : located
    },
    releaseReservation: ({ id, vpcId }, priority) =>
      caller.call({
        product: 'vpc',
        action: 'DeleteReserveIpAddresses',
        doing: `release reservation "${id}"`,
        mutates: true,
        priority,
        params: () => ({ VpcId: vpcId, ReserveIpIds: [id] }),
        read: () => undefined,
      }),
  }
}

function isLocated(one: SeenReservation): one is Reservation {
  return one.subnetId !== undefined
}

async function locate(one: SeenReservation, subnets: SubnetReader, priority: Priority): Promise<Reservation> {
  const doing = `find the subnet of reservation "${one.id}"`
  return { ...one, subnetId: await subnets.covering(one, doing, priority) }
}

function creation(request: ReserveIp, vpcId: string): object {
  return {
    VpcId: vpcId,
    SubnetId: request.subnetId,
    ...(request.address === undefined ? { IpAddressCount: 1 } : { IpAddresses: [request.address] }),
    Name: request.name,
    Description: request.description,
    ...tagParams(request.tags),
    ClientToken: request.clientToken,
  }
}

/** One, and where it was asked for: with another one in its place, two pods could come to have it. */
function readReserved(answer: Answer, { subnetId, address }: ReserveIp, vpcId: string): Reservation {
  const found = answer.objects('ReserveIpAddressSet').map(parseReservation)
  const [made] = found
  const isWanted =
    made !== undefined &&
    found.length === 1 &&
    made.vpcId === vpcId &&
    (made.subnetId ?? subnetId) === subnetId &&
    made.address === (address ?? made.address)
  if (isWanted) return { ...made, subnetId }
  const expected = `one reservation of ${address ?? 'an address'} in subnet "${subnetId}"`
  throw new MalformedAnswer('ReserveIpAddressSet', expected, found)
}

async function describe(
  caller: Caller,
  query: ReservationQuery,
  priority: Priority,
): Promise<readonly SeenReservation[]> {
  if ('ids' in query) return byIds(caller, query.ids, priority)
  if ('tags' in query) return byTags(caller, query.tags, priority)
  return byAddresses(caller, query, priority)
}

async function byIds(caller: Caller, ids: readonly string[], priority: Priority) {
  for (const id of ids) {
    // Refused here, because the API would refuse the others with it.
    if (parseReservationId(id) !== undefined) continue
    throw new IpamError('bad_input', `Cannot describe reservations: "${id}" is no id of a reservation`)
  }
  return describeByIds(ids, (part) =>
    caller.call({
      ...describing,
      doing: `describe reservations ${listIds(part)}`,
      priority,
      params: () => ({ ReserveIpIds: part, Offset: 0, Limit: pageSize }),
      read: (answer) => answer.objects('ReserveIpAddressSet').map(parseReservation),
    }),
  )
}

async function byTags(caller: Caller, tags: Readonly<Record<string, string>>, priority: Priority) {
  const filters = tagFilters(tags)
  // Without a filter every reservation of the account would be in the answer.
  if (filters.length === 0) {
    throw new IpamError('bad_input', 'Cannot list reservations by tags: no tag is given')
  }
  const found = await byFilters(caller, filters, `list reservations with tags ${listTags(tags)}`, priority)
  return found.filter((one) => hasTags(one, tags))
}

async function byAddresses(
  caller: Caller,
  { addresses, subnetId }: { readonly addresses: readonly Ipv4[]; readonly subnetId: string },
  priority: Priority,
) {
  const wanted = [...new Set(addresses)]
  const parts: Ipv4[][] = []
  for (let at = 0; at < wanted.length; at += maxFilterValues) {
    parts.push(wanted.slice(at, at + maxFilterValues))
  }
  const found = await Promise.all(
    parts.map((part) => {
      const filters = [
        { Name: 'subnet-id', Values: [subnetId] },
        { Name: 'reserve-address-ip', Values: part },
      ]
      const doing = `find the reservations of ${listIds(part)} in subnet "${subnetId}"`
      return byFilters(caller, filters, doing, priority)
    }),
  )
  // For ENIs such a filter also finds addresses that end alike.
  const fitting = found.flat().filter(({ address }) => wanted.includes(address))
  return [...new Map(fitting.map((one) => [one.id, one])).values()]
}

async function byFilters(
  caller: Caller,
  filters: readonly object[],
  doing: string,
  priority: Priority,
): Promise<readonly SeenReservation[]> {
  const found = await readPages((offset) =>
    caller.call({
      ...describing,
      doing,
      priority,
      params: () => ({ Filters: filters, Offset: offset, Limit: pageSize }),
      read: (answer) => ({
        items: answer
          .objects('ReserveIpAddressSet')
          .map((one) => ({ id: one.text('ReserveIpId'), answer: one })),
        total: answer.count('TotalCount'),
      }),
    }),
  )
  if (found === undefined) {
    throw new IpamError('unavailable', `Cannot ${doing}: the list did not hold still while it was read`)
  }
  return reading({ ...describing, doing }, () => found.map(({ answer }) => parseReservation(answer)))
}
