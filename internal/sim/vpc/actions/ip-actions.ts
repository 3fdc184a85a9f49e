// AssignPrivateIpAddresses, UnassignPrivateIpAddresses, MigratePrivateIpAddress, ModifyPrivateIpAddressesAttribute.
import { action } from '../action.ts'
import { ApiError } from '../api-error.ts'
import { refuseBusyEips, startLeaving } from '../eip-table.ts'
import { type EniRow, getEni } from '../eni-table.ts'
import { ipQuota } from '../instance-table.ts'
import { countIps, type IpRow, ipsOf, renderIp } from '../ip-table.ts'
import { id, integer, list, missing, optional, record, text } from '../shape.ts'
import { getSubnet } from '../subnet-table.ts'
import { refuseWhileBusy, startTask } from '../tasks.ts'
import type { Call } from '../world.ts'
import { refuseOddAddresses, takeIp, wantedIps } from './ip-choice.ts'

const mutex = 'UnsupportedOperation.MutexOperationTaskRunning'

export const assignPrivateIpAddresses = action({
  product: 'vpc',
  rate: 100,
  writes: true,
  params: record({
    NetworkInterfaceId: id('eni'),
    PrivateIpAddresses: optional(wantedIps),
    SecondaryPrivateIpAddressCount: optional(integer(1)),
    QosLevel: optional(text()),
    ClientToken: optional(text({ max: 64 })),
  }),
  run(call, params) {
    const wanted = params.PrivateIpAddresses ?? []
    const count = params.SecondaryPrivateIpAddressCount ?? 0
    if (wanted.length === 0 && count === 0) throw missing('PrivateIpAddresses')
    if (wanted.some(({ Primary }) => Primary === true))
      throw new ApiError('InvalidParameterValue', 'An address to assign cannot be primary.')
    refuseOddAddresses(wanted.map(({ PrivateIpAddress }) => PrivateIpAddress))
    const eni = readyEni(call, params.NetworkInterfaceId)
    refuseFullEni(call, eni, wanted.length + count)
    const subnet = getSubnet(call.db, eni.subnet_id)
    const spot = { subnet, eniId: eni.id, primary: false }
    const addresses = wanted.map((one) => takeIp(call, spot, one))
    for (let i = 0; i < count; i++) addresses.push(takeIp(call, spot))
    startTask(call, { kind: 'assign', eniId: eni.id, addresses })
    const taken = new Set<string>(addresses)
    return {
      PrivateIpAddressSet: ipsOf(call.db, eni.id)
        .filter(({ address }) => taken.has(address))
        .map((ip) => renderIp(ip)),
    }
  },
})

export const unassignPrivateIpAddresses = action({
  product: 'vpc',
  rate: 100,
  writes: true,
  params: record({
    NetworkInterfaceId: id('eni'),
    PrivateIpAddresses: wantedIps,
    InstanceId: optional(id('ins')),
  }),
  run(call, params) {
    const addresses = params.PrivateIpAddresses.map(({ PrivateIpAddress }) => PrivateIpAddress)
    if (addresses.length === 0) throw missing('PrivateIpAddresses')
    refuseOddAddresses(addresses)
    const eni = readyEni(call, params.NetworkInterfaceId)
    if (params.InstanceId !== undefined && params.InstanceId !== eni.instance_id)
      throw new ApiError(
        'UnsupportedOperation.AttachmentNotFound',
        `The network interface \`${eni.id}\` is not bound to \`${params.InstanceId}\`.`,
      )
    const leaving = { eniId: eni.id, addresses: addresses.map((one) => secondaryIp(call, eni, one).address) }
    refuseBusyEips(call.db, leaving, mutex)
    startLeaving(call.db, leaving)
    setState(call, eni, addresses, 'DELETING')
    startTask(call, { kind: 'unassign', eniId: eni.id, addresses })
    return {}
  },
})

export const migratePrivateIpAddress = action({
  product: 'vpc',
  rate: 100,
  writes: true,
  params: record({
    SourceNetworkInterfaceId: id('eni'),
    DestinationNetworkInterfaceId: id('eni'),
    PrivateIpAddress: text(),
  }),
  run(call, params) {
    refuseOddAddresses([params.PrivateIpAddress])
    // The page of this action names no code for a state.
    const source = readyEni(call, params.SourceNetworkInterfaceId, 'UnsupportedOperation')
    const destination = readyEni(call, params.DestinationNetworkInterfaceId, 'UnsupportedOperation')
    if (source.id === destination.id || source.subnet_id !== destination.subnet_id)
      throw new ApiError(
        'UnsupportedOperation',
        `\`${source.id}\` and \`${destination.id}\` are not two network interfaces of one subnet.`,
      )
    const ip = secondaryIp(call, source, params.PrivateIpAddress, 'UnauthorizedOperation.PrimaryIp')
    refuseFullEni(call, destination, 1)
    // No page says whether an EIP goes with its address. Here it does not: a client that relies on either has to look.
    const leaving = { eniId: source.id, addresses: [ip.address] }
    refuseBusyEips(call.db, leaving, mutex)
    startLeaving(call.db, leaving)
    setState(call, source, [ip.address], 'MIGRATING')
    startTask(call, {
      kind: 'migrate',
      eniId: source.id,
      targetId: destination.id,
      addresses: [ip.address],
    })
    return {}
  },
})

export const modifyPrivateIpAddressesAttribute = action({
  product: 'vpc',
  rate: 100,
  writes: true,
  params: record({
    NetworkInterfaceId: id('eni'),
    PrivateIpAddresses: list(
      record({ PrivateIpAddress: text(), Description: optional(text({ max: 180 })) }),
      10,
    ),
  }),
  run(call, params) {
    const eni = getEni(call.db, params.NetworkInterfaceId)
    for (const { PrivateIpAddress, Description = '' } of params.PrivateIpAddresses) {
      const changed = call.db.run(
        'UPDATE ip SET description = ? WHERE eni_id = ? AND address = ?',
        Description,
        eni.id,
        PrivateIpAddress,
      )
      if (changed === 0) throw notOnEni(eni, PrivateIpAddress)
    }
    return {}
  },
})

/** Throws ResourceNotFound, `stateCode`, MutexOperationTaskRunning. */
function readyEni(call: Call, eniId: string, stateCode = 'UnsupportedOperation.InvalidState'): EniRow {
  const eni = getEni(call.db, eniId)
  if (eni.state !== 'AVAILABLE')
    throw new ApiError(stateCode, `The network interface \`${eni.id}\` is in state ${eni.state}.`)
  refuseWhileBusy(call.db, eni.id)
  return eni
}

function refuseFullEni({ db, settings }: Call, eni: EniRow, more: number): void {
  const quota = ipQuota(db, eni.instance_id, settings.limits().ipsPerFreeEni)
  if (countIps(db, eni.id) + more > quota)
    throw new ApiError('LimitExceeded', `The network interface \`${eni.id}\` may have ${quota} addresses.`)
}

/** Throws ResourceNotFound, or `primaryCode` for the primary address. */
function secondaryIp(
  { db }: Call,
  eni: EniRow,
  address: string,
  primaryCode = 'UnsupportedOperation',
): IpRow {
  const ip = db.get<IpRow>('SELECT * FROM ip WHERE eni_id = ? AND address = ?', eni.id, address)
  if (ip === undefined) throw notOnEni(eni, address)
  if (ip.is_primary === 1)
    throw new ApiError(primaryCode, `\`${address}\` is the primary address of \`${eni.id}\`.`)
  return ip
}

function setState({ db }: Call, eni: EniRow, addresses: readonly string[], state: string): void {
  db.run(
    'UPDATE ip SET state = ? WHERE eni_id = ? AND address IN (SELECT value FROM json_each(?))',
    state,
    eni.id,
    JSON.stringify(addresses),
  )
}

function notOnEni(eni: EniRow, address: string): ApiError {
  return new ApiError('ResourceNotFound', `The address \`${address}\` is not on \`${eni.id}\`.`)
}
