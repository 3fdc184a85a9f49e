// The port `Cloud` on Tencent Cloud's API: requests in its words, answers in ours. It decides nothing: what became of a
// call with an unknown outcome is found out by its caller, by describing.
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import type { Cloud, CreateEni, Priority } from '../ports.ts'
import type { Millis } from '../value/millis.ts'
import { addressMethods } from './addresses.ts'
import { describeByIds, listIds } from './by-ids.ts'
import { type Caller, createCaller } from './caller.ts'
import { eniFinder } from './describe-enis.ts'
import { eipMethods } from './eips.ts'
import { createLimiter, type Limiter } from './limiter.ts'
import { type ActionLimits, pageSize } from './limits.ts'
import { parseEni, parseEniQuota, parseInstance } from './parse.ts'
import { reservationMethods } from './reservations.ts'
import { type SubnetReader, subnetReader } from './subnets.ts'
import { tagParams } from './tags.ts'
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
    ...eniMethods(caller, subnets),
    ...addressMethods(caller),
    ...reservationMethods(caller, subnets),
    ...eipMethods(caller),
  }
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

function eniMethods(
  caller: Caller,
  subnets: SubnetReader,
): Pick<Cloud, 'createEni' | 'attachEni' | 'detachEni' | 'deleteEni'> {
  function change(action: string, doing: string, params: object, priority: Priority): Promise<void> {
    const call = { product: 'vpc', action, doing, mutates: true, priority, params: () => params } as const
    return caller.call({ ...call, read: () => undefined })
  }

  return {
    async createEni(request, priority) {
      const doing = `create ENI "${request.name}" in subnet "${request.subnetId}"`
      const params = creation(request, await subnets.vpcOf(request.subnetId, doing, priority))
      return caller.call({
        product: 'vpc',
        action: 'CreateNetworkInterface',
        doing,
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
  return {
    VpcId: vpcId,
    SubnetId: request.subnetId,
    NetworkInterfaceName: request.name,
    NetworkInterfaceDescription: request.description,
    ...(request.securityGroups.length > 0 && { SecurityGroupIds: request.securityGroups }),
    ...(request.secondaryIps > 0 && { SecondaryPrivateIpAddressCount: request.secondaryIps }),
    ...tagParams(request.tags),
    ClientToken: request.clientToken,
  }
}
