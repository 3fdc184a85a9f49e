// CreateNetworkInterface and CreateAndAttachNetworkInterface.
import { action } from '../action.ts'
import { ApiError } from '../api-error.ts'
import { getEni, insertEni, place, renderEni } from '../eni-table.ts'
import { newId, newMac } from '../ids.ts'
import { flag, id, integer, list, optional, record, text } from '../shape.ts'
import { getSubnet } from '../subnet-table.ts'
import { insertTags, type Tag, tagList } from '../tag-table.ts'
import { startTask } from '../tasks.ts'
import type { Call, Fields } from '../world.ts'
import { attachable } from './attach-eni.ts'
import { refuseOddAddresses, takeIp, type WantedIp, wantedIps } from './ip-choice.ts'

const commonFields = {
  VpcId: id('vpc'),
  NetworkInterfaceName: text({ max: 60 }),
  SubnetId: id('subnet'),
  NetworkInterfaceDescription: optional(text({ max: 60 })),
  SecondaryPrivateIpAddressCount: optional(integer(0, 500)),
  QosLevel: optional(text({ oneOf: ['PT', 'AU', 'AG', 'DEFAULT'] })),
  SecurityGroupIds: optional(list(id('sg'), 5)),
  PrivateIpAddresses: optional(wantedIps),
  Tags: optional(tagList),
  ClientToken: optional(text({ max: 64 })),
  IsRdma: optional(flag()),
}

export const createNetworkInterface = action({
  product: 'vpc',
  rate: 100,
  writes: true,
  params: record({ ...commonFields, TrunkingFlag: optional(text({ oneOf: ['Enable', 'Disable'] })) }),
  run(call, params) {
    const eniId = createEni(call, params, call.settings.limits().ipsPerFreeEni)
    startTask(call, { kind: 'create', eniId })
    return answer(call, eniId)
  },
})

export const createAndAttachNetworkInterface = action({
  product: 'vpc',
  rate: 20,
  writes: true,
  params: record({
    ...commonFields,
    InstanceId: id('ins'),
    AttachType: optional(integer(0, 1)),
  }),
  run(call, params) {
    const quota = attachable(call, params.InstanceId, getSubnet(call.db, params.SubnetId))
    const eniId = createEni(call, params, quota.ipsPerEni)
    place(call.db, eniId, params.InstanceId, params.AttachType ?? 0)
    startTask(call, { kind: 'create-attach', eniId })
    return answer(call, eniId)
  },
})

function answer(call: Call, eniId: string): Fields {
  return { NetworkInterface: renderEni(call.db, getEni(call.db, eniId)) }
}

interface NewEni {
  readonly VpcId: string
  readonly NetworkInterfaceName: string
  readonly SubnetId: string
  readonly NetworkInterfaceDescription?: string
  readonly SecondaryPrivateIpAddressCount?: number
  readonly QosLevel?: string
  readonly SecurityGroupIds?: readonly string[]
  readonly PrivateIpAddresses?: readonly WantedIp[]
  readonly Tags?: readonly Tag[]
}

/** An ENI with its addresses and tags, all PENDING. */
function createEni(call: Call, params: NewEni, ipLimit: number): string {
  const { db } = call
  const vpc = db.get<{ default_group: string }>('SELECT default_group FROM vpc WHERE id = ?', params.VpcId)
  if (vpc === undefined) throw new ApiError('ResourceNotFound', `The VPC \`${params.VpcId}\` does not exist.`)
  const subnet = getSubnet(db, params.SubnetId)
  if (subnet.vpc_id !== params.VpcId)
    throw new ApiError('ResourceNotFound', `The subnet \`${subnet.id}\` is not in \`${params.VpcId}\`.`)
  refuseFullVpc(call, params.VpcId)

  const named = params.PrivateIpAddresses ?? []
  refuseOddAddresses(named.map((one) => one.PrivateIpAddress))
  const primaries = named.filter((one) => one.Primary === true)
  if (primaries.length > 1)
    throw new ApiError('InvalidParameterValue', 'More than one address is marked as primary.')
  const secondaries = named.filter((one) => one.Primary !== true)
  const count = params.SecondaryPrivateIpAddressCount ?? 0
  if (1 + secondaries.length + count > ipLimit)
    throw new ApiError('LimitExceeded', `A network interface may have ${ipLimit} addresses here.`)

  const eniId = newId(call.random, 'eni')
  insertEni(db, {
    id: eniId,
    vpc_id: params.VpcId,
    subnet_id: subnet.id,
    name: params.NetworkInterfaceName,
    description: params.NetworkInterfaceDescription ?? '',
    mac: freshMac(call),
    is_primary: 0,
    state: 'PENDING',
    qos: params.QosLevel ?? 'DEFAULT',
    groups: JSON.stringify(params.SecurityGroupIds ?? [vpc.default_group]),
    instance_id: null,
    device_index: null,
    created_at: call.at,
  })
  insertTags(db, eniId, params.Tags ?? [])
  // Named ones first: a chosen one must not take their place.
  for (const one of secondaries) takeIp(call, { subnet, eniId, primary: false }, one)
  takeIp(call, { subnet, eniId, primary: true }, primaries[0])
  for (let i = 0; i < count; i++) takeIp(call, { subnet, eniId, primary: false })
  return eniId
}

function refuseFullVpc({ db, settings }: Call, vpcId: string): void {
  const { enisPerVpc } = settings.limits()
  const used = db.get<{ n: number }>(
    'SELECT count(*) AS n FROM eni WHERE vpc_id = ? AND is_primary = 0',
    vpcId,
  )
  if ((used?.n ?? 0) >= enisPerVpc)
    throw new ApiError(
      'LimitExceeded.NetworkInterfaceLimitExceeded',
      `The VPC \`${vpcId}\` may have ${enisPerVpc} network interfaces.`,
    )
}

/** A MAC nobody has: three random bytes meet one another in a large cloud. */
function freshMac({ db, random }: Call): string {
  for (;;) {
    const mac = newMac(random, false)
    if (db.get('SELECT 1 FROM eni WHERE mac = ?', mac) === undefined) return mac
  }
}
