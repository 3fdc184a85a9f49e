// What the side entrance reads from its callers.
import type { Millis } from '../../value/millis.ts'
import type { Admin } from './admin.ts'
import { ApiError } from './api-error.ts'
import { isps } from './eip-table.ts'
import type { Faults, Limits } from './settings.ts'
import { flag, id, integer, list, missing, number, oneOf, optional, perName, record, text } from './shape.ts'

/** Throws ApiError: unknown names and wrong types. */
export function readFaults(value: unknown): Partial<Faults> {
  return faultsShape.read(value, '')
}

/** Throws ApiError: unknown names and wrong types. */
export function readLimits(value: unknown): Partial<Limits> {
  return limitsShape.read(value, '')
}

/** Makes what is missing; answers what there is. Throws ApiError. */
export function seed(admin: Admin, value: unknown, at: Millis): unknown {
  const { types = [], vpcs = [], subnets = [], instances = [] } = seedShape.read(value, '')
  for (const type of types) admin.setInstanceType(type)
  return {
    vpcs: vpcs.map((vpc) => admin.createVpc(vpc, at)),
    subnets: subnets.map((subnet) => admin.createSubnet(subnet, at)),
    instances: instances.map((instance) => admin.createInstance(instance, at)),
  }
}

/** Throws ApiError. */
export function changeInstance(admin: Admin, value: unknown, at: Millis): unknown {
  const change = instanceShape.read(value, '')
  if (change.terminate === true) admin.terminateInstance(change.id, at)
  else if (change.state !== undefined) admin.setInstanceState(change.id, change.state, at)
  else throw new ApiError('MissingParameter', 'Give `state`, or `terminate`: true.')
  return change
}

/** Throws ApiError. */
export function changeReservation(admin: Admin, value: unknown, at: Millis): unknown {
  const { release, ...wanted } = reservationShape.read(value, '')
  const { id: which, subnetId } = wanted
  if (release === true && which !== undefined) {
    admin.releaseReservation(which, at)
    return { id: which, release }
  }
  if (release === true || subnetId === undefined)
    throw new ApiError('MissingParameter', 'Give `subnetId`, or `id` and `release`: true.')
  return admin.reserveIp({ ...wanted, subnetId }, at)
}

/** Throws ApiError. */
export function changeEip(admin: Admin, value: unknown, at: Millis): unknown {
  const { release, arrears, blocked, ...wanted } = eipShape.read(value, '')
  const { id: which } = wanted
  const changes = release === true || arrears !== undefined || blocked !== undefined
  if (!changes) return admin.createEip(wanted, at)
  if (which === undefined) throw missing('id')
  if (release === true) {
    admin.releaseEip(which, at)
    return { id: which, release }
  }
  const trouble = {
    ...(arrears === undefined ? {} : { arrears }),
    ...(blocked === undefined ? {} : { blocked }),
  }
  admin.troubleEip(which, trouble, at)
  return { id: which, ...trouble }
}

const seedShape = record({
  types: optional(
    list(
      record({
        name: text(),
        cpu: integer(1),
        memoryGb: integer(1),
        enis: integer(1),
        ipsPerEni: integer(1),
        eips: optional(integer()),
      }),
      1000,
    ),
  ),
  vpcs: optional(list(record({ id: optional(id('vpc')), name: optional(text()), cidr: text() }), 1000)),
  subnets: optional(
    list(
      record({
        id: optional(id('subnet')),
        name: optional(text()),
        vpcId: id('vpc'),
        cidr: text(),
        zone: text(),
      }),
      1000,
    ),
  ),
  instances: optional(
    list(
      record({
        id: optional(id('ins')),
        name: optional(text()),
        instanceType: text(),
        subnetId: id('subnet'),
        address: optional(text()),
      }),
      100_000,
    ),
  ),
})

const instanceShape = record({
  id: id('ins'),
  state: optional(text({ oneOf: ['RUNNING', 'STOPPED', 'STARTING', 'STOPPING', 'REBOOTING', 'SHUTDOWN'] })),
  terminate: optional(flag()),
})

const reservationShape = record({
  id: optional(id('rsvip')),
  subnetId: optional(id('subnet')),
  address: optional(text()),
  name: optional(text({ max: 60 })),
  tags: optional(perName(text({ max: 255 }))),
  release: optional(flag()),
})

const eipShape = record({
  id: optional(id('eip')),
  address: optional(text()),
  name: optional(text({ max: 128 })),
  isp: optional(oneOf(...isps)),
  bandwidth: optional(integer(1)),
  tags: optional(perName(text({ max: 255 }))),
  arrears: optional(flag()),
  blocked: optional(flag()),
  release: optional(flag()),
})

const probability = number(0, 1)

const faultsShape = record({
  outage: optional(oneOf('off', 'reset', 'hang', 'unavailable', 'bad-gateway')),
  answerDelayMs: optional(integer()),
  taskDelayMs: optional(integer()),
  deny: optional(perName(probability)),
  throttle: optional(perName(probability)),
  throttleUntil: optional(integer()),
  lostRequests: optional(perName(probability)),
  lostAnswers: optional(perName(probability)),
  loseNextAnswers: optional(perName(integer())),
  failTasks: optional(perName(probability)),
  noBalance: optional(flag()),
  staleDescribeMs: optional(integer()),
})

const limitsShape = record({
  enisPerVpc: optional(integer()),
  ipsPerFreeEni: optional(integer(1)),
  eips: optional(integer()),
  eipsPerDay: optional(integer()),
  singleLineEips: optional(integer()),
  singleLineEipsPerDay: optional(integer()),
  bandwidthPackages: optional(list(id('bwp'), 100)),
  rateLimits: optional(flag()),
  rates: optional(perName(integer(1))),
  refuseTokenWhileRunning: optional(flag()),
  refuseUnknownEnis: optional(flag()),
  hideReservedSubnets: optional(flag()),
  tokenLifeMs: optional(integer()),
  taskLifeMs: optional(integer()),
})
