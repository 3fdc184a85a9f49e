// Secondary addresses of ENIs: assigned, unassigned, moved. All asynchronous: an answer says that it was accepted.

import { maxNamedAddresses } from '../ipam/call-bounds.ts'
import { IpamError } from '../ipam/errors.ts'
import type { Cloud } from '../ports.ts'
import type { Ipv4 } from '../value/ipv4.ts'
import { type Answer, MalformedAnswer } from './answer.ts'
import { listIds } from './by-ids.ts'
import type { Caller } from './caller.ts'
import { parseAddress } from './parse.ts'

type AddressMethods = Pick<Cloud, 'assignIps' | 'unassignIps' | 'migrateIp'>

/** Addresses that a call takes by name. */
const maxNamed = 10

/** That part of the port `Cloud`. */
export function addressMethods(caller: Caller): AddressMethods {
  return {
    async assignIps({ eni, count, addresses, clientToken }, priority) {
      const doing = `assign ${addresses === undefined ? `${count} addresses` : listIds(addresses)} to ENI "${eni}"`
      if (addresses !== undefined) refuseOddList(doing, addresses, count)
      const what =
        addresses === undefined
          ? { SecondaryPrivateIpAddressCount: count }
          : { PrivateIpAddresses: named(addresses) }
      return caller.call({
        product: 'vpc',
        action: 'AssignPrivateIpAddresses',
        doing,
        mutates: true,
        priority,
        params: () => ({ NetworkInterfaceId: eni, ...what, ClientToken: clientToken }),
        read: (answer) => readAssigned(answer, count, addresses),
      })
    },
    async unassignIps({ eni, addresses }, priority) {
      const doing = `unassign ${listIds(addresses)} from ENI "${eni}"`
      if (addresses.length === 0) return
      if (addresses.length > maxNamedAddresses) {
        throw new IpamError('bad_input', `Cannot ${doing}: a call takes at most ${maxNamedAddresses}`)
      }
      await caller.call({
        product: 'vpc',
        action: 'UnassignPrivateIpAddresses',
        doing,
        mutates: true,
        priority,
        params: () => ({ NetworkInterfaceId: eni, PrivateIpAddresses: named(addresses) }),
        read: () => undefined,
      })
    },
    migrateIp({ from, to, address }, priority) {
      return caller.call({
        product: 'vpc',
        action: 'MigratePrivateIpAddress',
        doing: `move ${address} from ENI "${from}" to ENI "${to}"`,
        mutates: true,
        priority,
        params: () => ({
          SourceNetworkInterfaceId: from,
          DestinationNetworkInterfaceId: to,
          PrivateIpAddress: address,
        }),
        read: () => undefined,
      })
    },
  }
}

function named(addresses: readonly Ipv4[]): readonly object[] {
  return addresses.map((address) => ({ PrivateIpAddress: address }))
}

function refuseOddList(doing: string, addresses: readonly Ipv4[], count: number): void {
  const why =
    addresses.length === 0
      ? 'no address is given'
      : addresses.length > maxNamed
        ? `a call takes at most ${maxNamed}`
        : addresses.length !== count || new Set(addresses).size !== count
          ? `these are not ${count} addresses`
          : undefined
  if (why !== undefined) throw new IpamError('bad_input', `Cannot ${doing}: ${why}`)
}

/** As many as were asked for, and those that were named. */
function readAssigned(answer: Answer, count: number, wanted: readonly Ipv4[] | undefined): readonly Ipv4[] {
  const addresses = answer.objects('PrivateIpAddressSet').map(parseAddress)
  const distinct = new Set(addresses)
  const complete = addresses.length === count && distinct.size === count
  if (complete && (wanted ?? addresses).every((address) => distinct.has(address))) return addresses
  const expected = wanted === undefined ? `${count} addresses` : listIds(wanted)
  throw new MalformedAnswer('PrivateIpAddressSet', expected, addresses)
}
