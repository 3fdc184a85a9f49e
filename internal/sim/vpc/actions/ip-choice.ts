// Which addresses a request gets: those it names, or free ones.
import { parseIpv4 } from '../../../value/ipv4.ts'
import { ApiError } from '../api-error.ts'
import { insertIp } from '../ip-table.ts'
import { flag, list, optional, record, type Shape, text } from '../shape.ts'
import { claimableNumber, freeNumber, type SubnetRow } from '../subnet-table.ts'
import type { Call } from '../world.ts'

export interface WantedIp {
  readonly PrivateIpAddress: string
  readonly Primary?: boolean
  readonly Description?: string
}

/** The PrivateIpAddresses parameter; fields that a caller copies from an answer are accepted and not used. */
export const wantedIps: Shape<readonly WantedIp[]> = list(
  record({
    PrivateIpAddress: text(),
    Primary: optional(flag()),
    Description: optional(text({ max: 180 })),
    PublicIpAddress: optional(text()),
    AddressId: optional(text()),
    IsWanIpBlocked: optional(flag()),
    State: optional(text()),
    QosLevel: optional(text()),
  }),
  10,
)

/** Throws Malformed or DuplicatePara. */
export function refuseOddAddresses(addresses: readonly string[]): void {
  for (const address of addresses)
    if (parseIpv4(address) === undefined)
      throw new ApiError('InvalidParameterValue.Malformed', `The address \`${address}\` is malformed.`)
  if (new Set(addresses).size !== addresses.length)
    throw new ApiError('InvalidParameterValue.DuplicatePara', 'An address is given twice.')
}

export interface Placement {
  readonly subnet: SubnetRow
  readonly eniId: string
  readonly primary: boolean
}

/** Takes one address: `wanted`, or any free one. Throws Range, Reserved, ResourceInUse, ResourceInsufficient.Subnet. */
export function takeIp(call: Call, { subnet, eniId, primary }: Placement, wanted?: WantedIp): string {
  const address = wanted === undefined ? undefined : parseIpv4(wanted.PrivateIpAddress)
  const number =
    address === undefined
      ? freeNumber(call.db, call.random, subnet)
      : claimableNumber(call.db, subnet, address)
  return insertIp(call.db, {
    vpc_id: subnet.vpc_id,
    number,
    subnet_id: subnet.id,
    eni_id: eniId,
    is_primary: primary ? 1 : 0,
    state: 'PENDING',
    description: wanted?.Description ?? '',
    created_at: call.at,
  })
}
