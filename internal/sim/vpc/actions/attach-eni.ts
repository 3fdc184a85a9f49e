// AttachNetworkInterface, DetachNetworkInterface and DeleteNetworkInterface.
import { action } from '../action.ts'
import { ApiError } from '../api-error.ts'
import { countEips, eipsOf, refuseBusyEips, startLeaving } from '../eip-table.ts'
import { type EniRow, getEni, place, setEniState } from '../eni-table.ts'
import { countEnis, getInstance, type InstanceQuota, quotaOf } from '../instance-table.ts'
import { countIps } from '../ip-table.ts'
import { id, integer, optional, record, text } from '../shape.ts'
import { getSubnet, type SubnetRow } from '../subnet-table.ts'
import { runningTask, startTask } from '../tasks.ts'
import type { Call } from '../world.ts'

export const attachNetworkInterface = action({
  product: 'vpc',
  rate: 100,
  writes: true,
  params: record({
    NetworkInterfaceId: id('eni'),
    InstanceId: id('ins'),
    AttachType: optional(integer(0, 1)),
    ClientToken: optional(text({ max: 64 })),
  }),
  run(call, params) {
    const eni = getEni(call.db, params.NetworkInterfaceId)
    if (eni.instance_id !== null)
      throw new ApiError(
        'UnsupportedOperation.AttachmentAlreadyExists',
        `The network interface \`${eni.id}\` is bound to \`${eni.instance_id}\`.`,
      )
    refuseUnlessQuiet(call, eni)
    const quota = attachable(call, params.InstanceId, getSubnet(call.db, eni.subnet_id))
    if (countIps(call.db, eni.id) > quota.ipsPerEni)
      throw new ApiError(
        'LimitExceeded',
        `An instance of \`${quota.name}\` may have ${quota.ipsPerEni} addresses.`,
      )
    refuseTooManyEips(call, eni, params.InstanceId, quota)
    place(call.db, eni.id, params.InstanceId, params.AttachType ?? 0)
    setEniState(call.db, eni.id, 'ATTACHING')
    startTask(call, { kind: 'attach', eniId: eni.id })
    return {}
  },
})

export const detachNetworkInterface = action({
  product: 'vpc',
  rate: 100,
  writes: true,
  params: record({
    NetworkInterfaceId: id('eni'),
    InstanceId: id('ins'),
    ClientToken: optional(text({ max: 64 })),
  }),
  run(call, params) {
    const eni = getEni(call.db, params.NetworkInterfaceId)
    if (eni.is_primary === 1)
      throw new ApiError(
        'UnsupportedOperation',
        `The primary network interface \`${eni.id}\` cannot be unbound.`,
      )
    if (eni.instance_id !== params.InstanceId)
      throw invalidState(`The network interface \`${eni.id}\` is not bound to \`${params.InstanceId}\`.`)
    refuseUnlessQuiet(call, eni)
    setEniState(call.db, eni.id, 'DETACHING')
    startTask(call, { kind: 'detach', eniId: eni.id })
    return {}
  },
})

export const deleteNetworkInterface = action({
  product: 'vpc',
  rate: 100,
  writes: true,
  params: record({ NetworkInterfaceId: id('eni') }),
  run(call, params) {
    const eni = getEni(call.db, params.NetworkInterfaceId)
    if (eni.instance_id !== null)
      throw new ApiError(
        'ResourceInUse',
        `The network interface \`${eni.id}\` is bound to \`${eni.instance_id}\`.`,
      )
    refuseUnlessQuiet(call, eni)
    startLeaving(call.db, { eniId: eni.id })
    setEniState(call.db, eni.id, 'DELETING')
    startTask(call, { kind: 'delete', eniId: eni.id })
    return {}
  },
})

/** Can the instance take one more ENI of this subnet? Returns its quota. */
export function attachable(call: Call, instanceId: string, subnet: SubnetRow): InstanceQuota {
  const instance = getInstance(call.db, instanceId)
  if (instance.state !== 'RUNNING' && instance.state !== 'STOPPED')
    throw new ApiError(
      'UnsupportedOperation.ResourceIsInvalidState',
      `The instance \`${instance.id}\` is in state ${instance.state}.`,
    )
  if (instance.vpc_id !== subnet.vpc_id)
    throw new ApiError('UnsupportedOperation.VpcMismatch', `\`${instance.id}\` is in \`${instance.vpc_id}\`.`)
  if (instance.zone !== subnet.zone)
    throw new ApiError(
      'UnsupportedOperation.ZoneMismatch',
      `\`${instance.id}\` is in zone \`${instance.zone}\`.`,
    )
  const quota = quotaOf(call.db, instance)
  if (countEnis(call.db, instance.id) >= quota.enis)
    throw new ApiError('LimitExceeded', `\`${instance.id}\` may have ${quota.enis} network interfaces.`)
  return quota
}

/** No page says what becomes of EIPs that are on an ENI already. */
function refuseTooManyEips({ db }: Call, eni: EniRow, instanceId: string, quota: InstanceQuota): void {
  const brought = eipsOf(db, eni.id).size
  if (brought > 0 && countEips(db, instanceId) + brought > quota.eips)
    throw new ApiError('LimitExceeded', `An instance of \`${quota.name}\` may have ${quota.eips} EIPs.`)
}

/** Throws InvalidState unless the ENI is AVAILABLE and no task runs on it or its EIPs. */
function refuseUnlessQuiet(call: Call, eni: EniRow): void {
  if (eni.state !== 'AVAILABLE')
    throw invalidState(`The network interface \`${eni.id}\` is in state ${eni.state}.`)
  const task = runningTask(call.db, eni.id)
  if (task !== undefined)
    throw invalidState(`The network interface \`${eni.id}\` has a running task \`${task.id}\`.`)
  refuseBusyEips(call.db, { eniId: eni.id }, stateCode)
}

const stateCode = 'UnsupportedOperation.InvalidState'

function invalidState(message: string): ApiError {
  return new ApiError(stateCode, message)
}
