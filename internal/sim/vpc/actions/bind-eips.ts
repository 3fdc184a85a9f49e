// AssociateAddress and DisassociateAddress.
import { parseIpv4 } from '../../../value/ipv4.ts'
import { action } from '../action.ts'
import { ApiError } from '../api-error.ts'
import { countEips, type EipRow, eipId, eipOf, getEip, placeEip, refuseUnless } from '../eip-table.ts'
import { startEipTask } from '../eip-tasks.ts'
import type { EniRow } from '../eni-table.ts'
import { findInstance, quotaOf } from '../instance-table.ts'
import type { IpRow } from '../ip-table.ts'
import { flag, id, optional, record, text } from '../shape.ts'
import type { Call } from '../world.ts'

export const associateAddress = action({
  product: 'vpc',
  rate: 10,
  writes: true,
  eips: true,
  params: record({
    AddressId: eipId,
    InstanceId: optional(id('ins', 'InvalidParameterValue.InstanceIdMalformed')),
    NetworkInterfaceId: optional(id('eni', 'InvalidParameterValue.NetworkInterfaceIdMalformed')),
    PrivateIpAddress: optional(text()),
    EipDirectConnection: optional(flag()),
    InstanceRegion: optional(text()),
  }),
  run(call, params) {
    const { db } = call
    const eip = getEip(db, params.AddressId)
    const { eni, ip, taken } = targetOf(call, params)
    refuseUnless(eip, 'UNBIND')
    refuseUnusable(eip)
    if (eipOf(db, ip) !== undefined)
      throw new ApiError(taken, `The address \`${ip.address}\` of \`${eni.id}\` has an EIP already.`)
    refuseMoving(eni, ip)
    refuseByInstance(call, eni)
    const taskId = startEipTask(call, 'associate')
    placeEip(db, eip, ip, taskId)
    call.touched.add(eni.id)
    return { TaskId: String(taskId) }
  },
})

interface Target {
  readonly eni: EniRow
  readonly ip: IpRow
  /** Code when another EIP is there. */
  readonly taken: string
}

interface Named {
  readonly InstanceId?: string
  readonly NetworkInterfaceId?: string
  readonly PrivateIpAddress?: string
}

/** What is named: an instance is its own ENI's own address. */
function targetOf({ db }: Call, { InstanceId, NetworkInterfaceId, PrivateIpAddress }: Named): Target {
  if (InstanceId !== undefined && NetworkInterfaceId !== undefined)
    throw new ApiError(
      'InvalidParameterConflict',
      '`InstanceId` and `NetworkInterfaceId` cannot be given together.',
    )
  if (InstanceId !== undefined) {
    const own = db.get<{ id: string }>(
      'SELECT id FROM eni WHERE instance_id = ? AND is_primary = 1',
      InstanceId,
    )
    const target = own === undefined ? undefined : addressOn(own.id, 'is_primary = 1')
    if (target !== undefined) return { ...target, taken: 'InvalidInstanceId.AlreadyBindEip' }
    throw new ApiError('InvalidInstanceId.NotFound', `The instance \`${InstanceId}\` does not exist.`)
  }
  if (NetworkInterfaceId === undefined || PrivateIpAddress === undefined)
    throw new ApiError(
      'InvalidParameterValue.MissingAssociateEntity',
      'Neither `InstanceId` nor `NetworkInterfaceId` with `PrivateIpAddress` is given.',
    )
  const address = parseIpv4(PrivateIpAddress)
  const target = address === undefined ? undefined : addressOn(NetworkInterfaceId, 'address = ?', address)
  if (target !== undefined) return { ...target, taken: 'InvalidPrivateIpAddress.AlreadyBindEip' }
  throw new ApiError(
    'InvalidNetworkInterfaceId.NotFound',
    `There is no network interface \`${NetworkInterfaceId}\` with the address \`${PrivateIpAddress}\`.`,
  )

  function addressOn(eniId: string, which: string, ...values: string[]) {
    const eni = db.get<EniRow>('SELECT * FROM eni WHERE id = ?', eniId)
    const ip = db.get<IpRow>(`SELECT * FROM ip WHERE eni_id = ? AND ${which}`, eniId, ...values)
    return eni === undefined || ip === undefined ? undefined : { eni, ip }
  }
}

function refuseUnusable(eip: EipRow): void {
  if (eip.is_arrears === 1)
    throw new ApiError('OperationDenied.AddressInArrears', `The EIP \`${eip.id}\` is in arrears.`)
  if (eip.is_blocked === 1)
    throw new ApiError('InvalidAddressId.Blocked', `The EIP \`${eip.id}\` is blocked.`)
}

/** No page says how an address or ENI that is on its way is told from one that is not there. */
function refuseMoving(eni: EniRow, ip: IpRow): void {
  if (eni.state === 'AVAILABLE' && ip.state === 'AVAILABLE') return
  throw new ApiError(
    'FailedOperation.AddressEniInfoNotFound',
    `\`${eni.id}\` is in state ${eni.state}, its address \`${ip.address}\` in state ${ip.state}.`,
  )
}

function refuseByInstance({ db }: Call, eni: EniRow): void {
  const instance = eni.instance_id === null ? undefined : findInstance(db, eni.instance_id)
  if (instance === undefined) return
  if (instance.state !== 'RUNNING' && instance.state !== 'STOPPED')
    throw new ApiError(
      'UnsupportedOperation.InstanceStateNotSupported',
      `The instance \`${instance.id}\` is in state ${instance.state}.`,
    )
  const { eips } = quotaOf(db, instance)
  if (countEips(db, instance.id) >= eips)
    throw new ApiError('LimitExceeded.InstanceAddressQuota', `\`${instance.id}\` may have ${eips} EIPs.`)
}

export const disassociateAddress = action({
  product: 'vpc',
  rate: 10,
  writes: true,
  eips: true,
  params: record({ AddressId: eipId, ReallocateNormalPublicIp: optional(flag()) }),
  run(call, { AddressId, ReallocateNormalPublicIp: reallocate = false }) {
    const eip = getEip(call.db, AddressId)
    refuseUnless(eip, 'BIND', 'BIND_ENI')
    if (reallocate)
      throw new ApiError(
        'InvalidParameterValue.OnlySupportedForMasterNetworkCard',
        'No ordinary public address can be given here.',
      )
    const taskId = startEipTask(call, 'disassociate')
    call.db.run(`UPDATE eip SET state = 'UNBINDING', task_id = ? WHERE id = ?`, taskId, eip.id)
    if (eip.eni_id !== null) call.touched.add(eip.eni_id)
    return { TaskId: String(taskId) }
  },
})
