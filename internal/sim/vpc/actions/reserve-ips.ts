// CreateReserveIpAddresses, DescribeReserveIpAddresses, DeleteReserveIpAddresses, ModifyReserveIpAddress. All synchronous.
import { cidrContains } from '../../../value/cidr.ts'
import { type Ipv4, parseIpv4 } from '../../../value/ipv4.ts'
import { action } from '../action.ts'
import { ApiError } from '../api-error.ts'
import { type Conditions, filterList, isOneOf, refuseBoth } from '../filters.ts'
import { pageOf } from '../page.ts'
import {
  getReservation,
  type ReservationRow,
  release,
  renderReservation,
  reserve,
} from '../reservation-table.ts'
import { id, integer, list, missing, optional, record, text } from '../shape.ts'
import { freeCount, getSubnet, type SubnetRow } from '../subnet-table.ts'
import { tagList } from '../tag-table.ts'
import type { Call } from '../world.ts'
import { refuseOddAddresses } from './ip-choice.ts'

/** The pages name no limit; so many addresses other actions take. */
const most = 10

export const createReserveIpAddresses = action({
  product: 'vpc',
  rate: 20,
  writes: true,
  params: record({
    VpcId: id('vpc'),
    IpAddresses: optional(list(text(), most)),
    IpAddressCount: optional(integer(1, most)),
    SubnetId: optional(id('subnet')),
    Name: optional(text({ max: 60 })),
    Description: optional(text({ max: 60 })),
    Tags: optional(tagList),
    ClientToken: optional(text({ max: 64 })),
  }),
  run(call, params) {
    const { VpcId: vpcId, IpAddresses: wanted = [], IpAddressCount: count = 0 } = params
    if (wanted.length === 0 && count === 0) throw missing('IpAddresses')
    if (wanted.length > 0 && count > 0)
      throw new ApiError('InvalidParameterValue', '`IpAddresses` and `IpAddressCount` exclude each other.')
    refuseOddAddresses(wanted)
    const subnets = subnetsOf(call, vpcId, params.SubnetId)
    const common = {
      name: params.Name ?? '',
      description: params.Description ?? '',
      tags: params.Tags ?? [],
      at: call.at,
    }
    const rows = wanted.map((one) => {
      const address = parseIpv4(one)
      return reserve(call, { ...common, subnet: subnetFor(subnets, one, address), address })
    })
    for (let i = 0; i < count; i++) rows.push(reserve(call, { ...common, subnet: roomiest(call, subnets) }))
    return { ReserveIpAddressSet: rows.map((row) => renderReservation(call, row)) }
  },
})

const holder = `SELECT ip.eni_id FROM ip WHERE ip.vpc_id = reservation.vpc_id AND ip.number = reservation.number`

const conditions: Conditions = {
  'reserve-ip-id': isOneOf('reservation.id'),
  'vpc-id': isOneOf('reservation.vpc_id'),
  'subnet-id': isOneOf('reservation.subnet_id'),
  'reserve-address-ip': isOneOf('reservation.address'),
  'ip-type': isOneOf(`'0'`),
  name: isOneOf('reservation.name'),
  state: isOneOf(`CASE WHEN EXISTS (${holder}) THEN 'Bind' ELSE 'UnBind' END`),
  'resource-id': isOneOf(`(${holder})`),
}

export const describeReserveIpAddresses = action({
  product: 'vpc',
  rate: 20,
  writes: false,
  params: record({
    ReserveIpIds: optional(list(id('rsvip'), 100)),
    Filters: optional(filterList),
    Offset: optional(integer()),
    Limit: optional(integer(1, 100)),
  }),
  run(call, { ReserveIpIds: ids, Filters: filters = [], Offset: offset = 0, Limit: limit = 20 }) {
    refuseBoth(ids, filters)
    const listing = { table: 'reservation', order: 'seq', idFilter: 'reserve-ip-id', conditions }
    const page = pageOf<ReservationRow>(call.db, listing, { ids, filters, offset, limit })
    if (page.lacksIds && call.settings.limits().refuseUnknownEnis)
      throw new ApiError('ResourceNotFound', 'A reserved address does not exist.')
    return {
      ReserveIpAddressSet: page.rows.map((row) => renderReservation(call, row)),
      TotalCount: page.total,
    }
  },
})

export const deleteReserveIpAddresses = action({
  product: 'vpc',
  rate: 20,
  writes: true,
  params: record({ VpcId: id('vpc'), ReserveIpIds: list(id('rsvip'), 100) }),
  run({ db }, { VpcId, ReserveIpIds }) {
    if (ReserveIpIds.length === 0) throw missing('ReserveIpIds')
    for (const one of new Set(ReserveIpIds)) release(db, getReservation(db, VpcId, one))
    return {}
  },
})

export const modifyReserveIpAddress = action({
  product: 'vpc',
  rate: 20,
  writes: true,
  params: record({
    VpcId: id('vpc'),
    ReserveIpId: id('rsvip'),
    Name: optional(text({ max: 60 })),
    Description: optional(text({ max: 60 })),
  }),
  run({ db }, params) {
    const row = getReservation(db, params.VpcId, params.ReserveIpId)
    db.run(
      'UPDATE reservation SET name = ?, description = ? WHERE id = ?',
      params.Name ?? row.name,
      params.Description ?? row.description,
      row.id,
    )
    return {}
  },
})

/** The one that is named, else all of the VPC. Throws ResourceNotFound. */
function subnetsOf({ db }: Call, vpcId: string, subnetId: string | undefined): readonly SubnetRow[] {
  if (db.get('SELECT 1 FROM vpc WHERE id = ?', vpcId) === undefined)
    throw new ApiError('ResourceNotFound', `The VPC \`${vpcId}\` does not exist.`)
  if (subnetId === undefined)
    return db.all<SubnetRow>('SELECT * FROM subnet WHERE vpc_id = ? ORDER BY rowid', vpcId)
  const subnet = getSubnet(db, subnetId)
  if (subnet.vpc_id === vpcId) return [subnet]
  throw new ApiError('ResourceNotFound', `The subnet \`${subnetId}\` is not in \`${vpcId}\`.`)
}

function subnetFor(subnets: readonly SubnetRow[], text: string, address: Ipv4 | undefined): SubnetRow {
  const subnet = subnets.find(({ cidr }) => address !== undefined && cidrContains(cidr, address))
  if (subnet !== undefined) return subnet
  throw new ApiError('InvalidParameterValue.Range', `The address \`${text}\` is in none of the subnets.`)
}

function roomiest({ db }: Call, subnets: readonly SubnetRow[]): SubnetRow {
  const [most] = subnets.toSorted((a, b) => freeCount(db, b) - freeCount(db, a))
  if (most !== undefined) return most
  throw new ApiError('ResourceInsufficient.Subnet', 'The VPC has no subnet.')
}
