// What every server does before it asks who is there: paths that are none are refused, and health is told. No body is read here.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { refusal, reply } from './http-exchange.ts'
import { healthy } from './request.ts'
import { isHealth, parseTarget } from './request-target.ts'
import { badRequest, methodNotAllowed, type StatusError } from './status-error.ts'

export type Serve = (request: IncomingMessage, response: ServerResponse) => void

/** `serve`, for requests that have a path and do not ask for health. */
export function entrance(serve: Serve): Serve {
  return (request, response) => {
    const { method, url = '' } = request
    const target = parseTarget(url)
    if (target === undefined) return turnAway(response, badRequest(`"${url}" is not a path`))
    if (!isHealth(target.path)) return serve(request, response)
    if (method !== 'GET' && method !== 'HEAD') return turnAway(response, methodNotAllowed())
    response.setHeader('connection', 'close')
    reply(response, healthy)
  }
}

/** Refuses who is not let in; what more there is of the request is not read. */
export function turnAway(response: ServerResponse, error: StatusError): void {
  response.setHeader('connection', 'close')
  reply(response, refusal(error))
}
