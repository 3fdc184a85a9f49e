// The port `Cloud` on Tencent Cloud's API: requests in its words, answers in ours. It decides nothing: what became of a
// call with an unknown outcome is found out by its caller, with describeEnis.
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import { IpamError } from '../ipam/errors.ts'
import { maxUnassignBatch } from '../ipam/plan-node.ts'
import type { CloudSubnet, SubnetId } from '../ipam/types.ts'
import type { Cloud, CreateEni, Priority } from '../ports.ts'
import type { Millis } from '../value/millis.ts'
import { MalformedAnswer } from './answer.ts'
import { describeByIds, listIds } from './by-ids.ts'
import { type Caller, createCaller } from './caller.ts'
import { eniFinder } from './describe-enis.ts'
import { createLimiter, type Limiter } from './limiter.ts'
import { type ActionLimits, pageSize } from './limits.ts'
import { parseAddress, parseEni, parseEniQuota, parseInstance, parseSubnet } from './parse.ts'
import type { Transport } from './transport.ts'

export interface CloudOptions {
  readonly transport: Transport
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Requests per second by action; merged over the defaults. */
  readonly limits?: ActionLimits
  /** One that others watch or share; else one is made. */
  readonly limiter?: Limiter
  readonly describeTimeoutMs?: Millis
  readonly mutateTimeoutMs?: Millis
  /** Once aborted nothing more is sent, and what is under way is given up. */
  readonly signal?: AbortSignal
  /** Called as late as can be before each request leaves; what it throws the call throws, and nothing leaves. */
  readonly beforeSend?: () => void
}

/** The cloud behind `transport`. Each method throws the codes of errors.ts. */
export function createCloud(options: CloudOptions): Cloud {
  const { limiter = createLimiter(options), describeTimeoutMs = 15_000, mutateTimeoutMs = 30_000 } = options
  const caller = createCaller({ ...options, limiter, describeTimeoutMs, mutateTimeoutMs })
  const subnets = subnetReader(caller)
  return {
    describeEnis: eniFinder(caller),
    describeSubnets: subnets.describe,
    ...instanceMethods(caller),
    ...eniMethods(caller, subnets.vpcOf),
    ...addressMethods(caller),
  }
}

function subnetReader(caller: Caller) {
  /** A subnet never changes its VPC. */
  const vpcs = new Map<SubnetId, string>()

  async function describe(ids: readonly SubnetId[], priority: Priority): Promise<readonly CloudSubnet[]> {
    const found = await describeByIds(ids, (part) =>
      caller.call({
        product: 'vpc',
        action: 'DescribeSubnets',
        doing: `describe subnets ${listIds(part)}`,
        mutates: false,
        priority,
        // Text, unlike in any other action; and answers by id are cut to pages too.
        params: () => ({ SubnetIds: part, Offset: '0', Limit: String(pageSize) }),
        read: (answer) => answer.objects('SubnetSet').map(parseSubnet),
      }),
    )
    for (const { id, vpcId } of found) vpcs.set(id, vpcId)
    return found
  }

  async function vpcOf(id: SubnetId, priority: Priority): Promise<string> {
    const known = vpcs.get(id)
    if (known !== undefined) return known
    const found = (await describe([id], priority)).find((subnet) => subnet.id === id)
    if (found !== undefined) return found.vpcId
    throw new IpamError('not_found', `Cannot create an ENI in subnet "${id}": there is no such subnet`)
  }

  return { describe, vpcOf }
}

function instanceMethods(caller: Caller): Pick<Cloud, 'describeInstances' | 'describeEniQuota'> {
  return {
    describeInstances: (ids, priority) =>
      describeByIds(ids, (part) =>
        caller.call({
          product: 'cvm',
          action: 'DescribeInstances',
          doing: `describe instances ${listIds(part)}`,
          mutates: false,
          priority,
          params: () => ({ InstanceIds: part, Limit: pageSize }),
          read: (answer) => answer.objects('InstanceSet').map(parseInstance),
        }),
      ),
    describeEniQuota: (instance, priority) =>
      caller.call({
        product: 'vpc',
        action: 'DescribeNetworkInterfaceLimit',
        doing: `read the ENI quota of instance "${instance}"`,
        mutates: false,
        priority,
        params: () => ({ InstanceId: instance }),
        read: parseEniQuota,
      }),
  }
}

type VpcOf = (id: SubnetId, priority: Priority) => Promise<string>

function eniMethods(
  caller: Caller,
  vpcOf: VpcOf,
): Pick<Cloud, 'createEni' | 'attachEni' | 'detachEni' | 'deleteEni'> {
  function change(action: string, doing: string, params: object, priority: Priority): Promise<void> {
    const call = { product: 'vpc', action, doing, mutates: true, priority, params: () => params } as const
    return caller.call({ ...call, read: () => undefined })
  }

  return {
    async createEni(request, priority) {
      const params = creation(request, await vpcOf(request.subnetId, priority))
      return caller.call({
        product: 'vpc',
        action: 'CreateNetworkInterface',
        doing: `create ENI "${request.name}" in subnet "${request.subnetId}"`,
        mutates: true,
        priority,
        params: () => params,
        read: (answer) => parseEni(answer.object('NetworkInterface')),
      })
    },
    attachEni({ eni, instance, clientToken }, priority) {
      const params = { NetworkInterfaceId: eni, InstanceId: instance, ClientToken: clientToken }
      return change(
        'AttachNetworkInterface',
        `attach ENI "${eni}" to instance "${instance}"`,
        params,
        priority,
      )
    },
    detachEni({ eni, instance, clientToken }, priority) {
      const params = { NetworkInterfaceId: eni, InstanceId: instance, ClientToken: clientToken }
      return change(
        'DetachNetworkInterface',
        `detach ENI "${eni}" from instance "${instance}"`,
        params,
        priority,
      )
    },
    deleteEni: (eni, priority) =>
      change('DeleteNetworkInterface', `delete ENI "${eni}"`, { NetworkInterfaceId: eni }, priority),
  }
}

/** What is empty is left out: the API would take an empty list for a value. */
function creation(request: CreateEni, vpcId: string): object {
  const tags = Object.entries(request.tags).map(([Key, Value]) => ({ Key, Value }))
  return {
    VpcId: vpcId,
    SubnetId: request.subnetId,
    NetworkInterfaceName: request.name,
    NetworkInterfaceDescription: request.description,
    ...(request.securityGroups.length > 0 && { SecurityGroupIds: request.securityGroups }),
    ...(request.secondaryIps > 0 && { SecondaryPrivateIpAddressCount: request.secondaryIps }),
    ...(tags.length > 0 && { Tags: tags }),
    ClientToken: request.clientToken,
  }
}

function addressMethods(caller: Caller): Pick<Cloud, 'assignIps' | 'unassignIps'> {
  return {
    assignIps({ eni, count, clientToken }, priority) {
      return caller.call({
        product: 'vpc',
        action: 'AssignPrivateIpAddresses',
        doing: `assign ${count} addresses to ENI "${eni}"`,
        mutates: true,
        priority,
        params: () => ({
          NetworkInterfaceId: eni,
          SecondaryPrivateIpAddressCount: count,
          ClientToken: clientToken,
        }),
        read(answer) {
          const addresses = answer.objects('PrivateIpAddressSet').map(parseAddress)
          if (addresses.length === count && new Set(addresses).size === count) return addresses
          throw new MalformedAnswer('PrivateIpAddressSet', `${count} addresses`, addresses)
        },
      })
    },
    async unassignIps({ eni, addresses }, priority) {
      const doing = `unassign ${listIds(addresses)} from ENI "${eni}"`
      if (addresses.length === 0) return
      if (addresses.length > maxUnassignBatch) {
        throw new IpamError('bad_input', `Cannot ${doing}: a call takes at most ${maxUnassignBatch}`)
      }
      const PrivateIpAddresses = addresses.map((address) => ({ PrivateIpAddress: address }))
      await caller.call({
        product: 'vpc',
        action: 'UnassignPrivateIpAddresses',
        doing,
        mutates: true,
        priority,
        params: () => ({ NetworkInterfaceId: eni, PrivateIpAddresses }),
        read: () => undefined,
      })
    },
  }
}
