// The side entrance over HTTP, for local callers only and without a signature.
//   GET  /sim              what there is
//   GET  /sim/faults       PUT merges, DELETE clears
//   GET  /sim/limits       PUT merges
//   GET  /sim/audit        what exists, who owns it, broken invariants
//   GET  /sim/fabric       what is plugged in where
//   GET  /sim/stats        calls and their outcomes since the start
//   POST /sim/seed         {types?, vpcs?, subnets?, instances?}; what exists already is kept
//   POST /sim/instance     {id, state} or {id, terminate: true}
//   POST /sim/reservation  {subnetId, address?, name?, tags?, id?} or {id, release: true}
//   POST /sim/eip          {id?, address?, name?, isp?, bandwidth?, tags?}, {id, arrears?, blocked?} or {id, release: true}
import type { IncomingMessage } from 'node:http'
import { IpamError } from '../../ipam/errors.ts'
import type { Millis } from '../../value/millis.ts'
import {
  changeEip,
  changeInstance,
  changeReservation,
  readFaults,
  readLimits,
  seed,
} from './admin-requests.ts'
import { ApiError } from './api-error.ts'
import { json, type Reply } from './reply.ts'
import { noFaults } from './settings.ts'
import type { VpcSim } from './sim.ts'

export interface AdminCall {
  readonly sim: VpcSim
  readonly request: IncomingMessage
  readonly path: string
  readonly body: Buffer
  readonly now: Millis
}

type Route = (call: AdminCall) => unknown

const routes: Readonly<Record<string, Route>> = {
  'GET /sim': () => Object.keys(routes),
  'GET /sim/faults': ({ sim }) => sim.faults(),
  'PUT /sim/faults': ({ sim, body }) => sim.setFaults(readFaults(parse(body))),
  'DELETE /sim/faults': ({ sim }) => sim.setFaults(noFaults),
  'GET /sim/limits': ({ sim }) => sim.limits(),
  'PUT /sim/limits': ({ sim, body }) => sim.setLimits(readLimits(parse(body))),
  'GET /sim/audit': ({ sim, now }) => {
    sim.advance(now)
    return sim.admin.audit(now)
  },
  'GET /sim/fabric': ({ sim, now }) => {
    sim.advance(now)
    return sim.admin.fabric()
  },
  'GET /sim/stats': ({ sim }) => sim.stats(),
  'POST /sim/seed': ({ sim, body, now }) => seed(sim.admin, parse(body), now),
  'POST /sim/reservation': ({ sim, body, now }) => changeReservation(sim.admin, parse(body), now),
  'POST /sim/eip': ({ sim, body, now }) => changeEip(sim.admin, parse(body), now),
  'POST /sim/instance': ({ sim, body, now }) => changeInstance(sim.admin, parse(body), now),
}

/** Always JSON; {error: {code, message}} with 400, 403 or 404 when refused. */
export function answerAdmin(call: AdminCall): Reply {
  if (!isLocal(call.request)) return fault(403, 'denied', 'only local callers may enter here')
  const name = `${call.request.method} ${call.path}`
  const route = Object.hasOwn(routes, name) ? routes[name] : undefined
  if (route === undefined) return fault(404, 'not_found', `there is no "${name}"; see GET /sim`)
  try {
    return json(200, route(call))
  } catch (error) {
    if (error instanceof ApiError || error instanceof IpamError) return fault(400, error.code, error.message)
    throw error
  }
}

function fault(status: number, code: string, message: string): Reply {
  return json(status, { error: { code, message } })
}

/** Over the unix socket or loopback, and named so: a web page that was led here names itself. */
function isLocal({ socket, headers }: IncomingMessage): boolean {
  const peer = socket.remoteAddress
  const byPeer = peer === undefined || peer === '::1' || /^(::ffff:)?127\./.test(peer)
  const host = (headers.host ?? 'localhost').replace(/:\d+$/, '')
  return byPeer && (host === 'localhost' || host === '[::1]' || /^127\.[\d.]+$/.test(host))
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    throw new ApiError('InvalidRequest', 'The body is not JSON.')
  }
}
