// Every action the simulated cloud knows, by name. Others are InvalidAction.
import type { Action } from '../action.ts'
import { allocateAddresses, releaseAddresses } from './allocate-eips.ts'
import { attachNetworkInterface, deleteNetworkInterface, detachNetworkInterface } from './attach-eni.ts'
import { associateAddress, disassociateAddress } from './bind-eips.ts'
import { createAndAttachNetworkInterface, createNetworkInterface } from './create-eni.ts'
import { describeAddresses, describeAddressQuota, describeTaskResult } from './describe-eips.ts'
import { describeNetworkInterfaceLimit, describeNetworkInterfaces } from './describe-enis.ts'
import { describeInstances, describeZones, getCallerIdentity } from './describe-instances.ts'
import { describeVpcPrivateIpAddresses, describeVpcTaskResult } from './describe-ips.ts'
import { describeSubnets, describeVpcLimits, describeVpcs } from './describe-vpcs.ts'
import {
  assignPrivateIpAddresses,
  migratePrivateIpAddress,
  modifyPrivateIpAddressesAttribute,
  unassignPrivateIpAddresses,
} from './ip-actions.ts'
import { modifyNetworkInterfaceAttribute } from './modify-eni.ts'
import {
  createReserveIpAddresses,
  deleteReserveIpAddresses,
  describeReserveIpAddresses,
  modifyReserveIpAddress,
} from './reserve-ips.ts'

export const actions: ReadonlyMap<string, Action> = new Map([
  ['CreateNetworkInterface', createNetworkInterface],
  ['CreateAndAttachNetworkInterface', createAndAttachNetworkInterface],
  ['AttachNetworkInterface', attachNetworkInterface],
  ['DetachNetworkInterface', detachNetworkInterface],
  ['DeleteNetworkInterface', deleteNetworkInterface],
  ['ModifyNetworkInterfaceAttribute', modifyNetworkInterfaceAttribute],
  ['DescribeNetworkInterfaces', describeNetworkInterfaces],
  ['DescribeNetworkInterfaceLimit', describeNetworkInterfaceLimit],
  ['AssignPrivateIpAddresses', assignPrivateIpAddresses],
  ['UnassignPrivateIpAddresses', unassignPrivateIpAddresses],
  ['MigratePrivateIpAddress', migratePrivateIpAddress],
  ['ModifyPrivateIpAddressesAttribute', modifyPrivateIpAddressesAttribute],
  ['CreateReserveIpAddresses', createReserveIpAddresses],
  ['DescribeReserveIpAddresses', describeReserveIpAddresses],
  ['DeleteReserveIpAddresses', deleteReserveIpAddresses],
  ['ModifyReserveIpAddress', modifyReserveIpAddress],
  ['AllocateAddresses', allocateAddresses],
  ['DescribeAddresses', describeAddresses],
  ['AssociateAddress', associateAddress],
  ['DisassociateAddress', disassociateAddress],
  ['ReleaseAddresses', releaseAddresses],
  ['DescribeAddressQuota', describeAddressQuota],
  ['DescribeTaskResult', describeTaskResult],
  ['DescribeVpcPrivateIpAddresses', describeVpcPrivateIpAddresses],
  ['DescribeVpcTaskResult', describeVpcTaskResult],
  ['DescribeSubnets', describeSubnets],
  ['DescribeVpcs', describeVpcs],
  ['DescribeVpcLimits', describeVpcLimits],
  ['DescribeInstances', describeInstances],
  ['DescribeZones', describeZones],
  ['GetCallerIdentity', getCallerIdentity],
])
