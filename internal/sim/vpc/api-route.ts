// One call of the cloud API over HTTP: signature, headers, parameters, envelope. Refusals are HTTP 200 as well.
import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Log } from '../../base/log.ts'
import type { Millis } from '../../value/millis.ts'
import type { Product } from './action.ts'
import { ApiError, NoAnswer } from './api-error.ts'
import { parseQuery } from './query.ts'
import { json, maxBodyBytes, plain, type Reply } from './reply.ts'
import type { VpcSim } from './sim.ts'
import { type SignedRequest, verifySignature } from './tc3.ts'

export interface ApiCall {
  readonly sim: VpcSim
  readonly request: IncomingMessage
  readonly body: Buffer
  readonly now: Millis
  readonly log: Log
}

const versions: ReadonlyMap<string, readonly Product[]> = new Map([
  ['2017-03-12', ['vpc', 'cvm']],
  ['2018-08-13', ['sts']],
])

/** The answer, or how the connection ends without one. */
export function answerApi({ sim, request, body, now, log }: ApiCall): Reply | 'reset' | 'hang' {
  const { outage } = sim.faults()
  if (outage === 'reset' || outage === 'hang') return outage
  if (outage === 'bad-gateway') return plain(502, '<html><body>502 Bad Gateway</body></html>')
  const action = header(request, 'x-tc-action') ?? ''
  try {
    const signed = signedRequest(request, body)
    const { service } = verifySignature(signed, sim.credentials.find, now)
    const product = productOf(service, header(request, 'x-tc-version'))
    refuseOtherRegion(sim, product, header(request, 'x-tc-region'))
    const params = paramsOf(sim, action, signed)
    const fields = sim.handle(action, params, now, product)
    log.debug('api call', { action, requestId: fields['RequestId'] })
    return json(200, { Response: fields })
  } catch (error) {
    if (error instanceof NoAnswer) {
      log.info('api call unanswered', { action, happened: error.happened })
      return 'reset'
    }
    if (!(error instanceof ApiError)) {
      log.error('api call failed', { action, error: String(error) })
      return refusal(new ApiError('InternalError', 'An internal error has occurred.'))
    }
    log.debug('api call refused', { action, code: error.code, message: error.message })
    return refusal(error)
  }
}

function refusal({ code, message, requestId }: ApiError): Reply {
  return json(200, {
    Response: { Error: { Code: code, Message: message }, RequestId: requestId || randomUUID() },
  })
}

function signedRequest(request: IncomingMessage, body: Buffer): SignedRequest {
  if (request.method !== 'POST' && request.method !== 'GET')
    throw new ApiError('UnsupportedProtocol', 'The HTTP method must be GET or POST.')
  if (body.length > maxBodyBytes)
    throw new ApiError('RequestSizeLimitExceeded', 'The request is larger than 10 MB.')
  const url = request.url ?? '/'
  const question = url.indexOf('?')
  const headers = Object.fromEntries(
    Object.keys(request.headers).map((name) => [name, header(request, name)]),
  )
  return { method: request.method, query: question < 0 ? '' : url.slice(question + 1), headers, body }
}

/** Undefined when only the scope could tell and it is made from a bare address: any product's action will do. */
function productOf(service: string, version: string | undefined): Product | undefined {
  if (version === undefined) throw new ApiError('MissingParameter', 'The header `X-TC-Version` is missing.')
  const products = versions.get(version)
  if (products === undefined)
    throw new ApiError('NoSuchVersion', `The version \`${version}\` does not exist.`)
  const named = (['vpc', 'cvm', 'sts'] as const).find((product) => product === service)
  if (named === undefined) return undefined
  if (!products.includes(named))
    throw new ApiError('NoSuchVersion', `The version \`${version}\` of \`${named}\` does not exist.`)
  return named
}

function refuseOtherRegion(sim: VpcSim, product: Product | undefined, region: string | undefined): void {
  if (product === 'sts') return
  if (region === undefined || region === '')
    throw new ApiError('MissingParameter', 'The header `X-TC-Region` is missing.')
  if (region !== sim.region)
    throw new ApiError('UnsupportedRegion', `The region \`${region}\` is not supported.`)
}

function paramsOf(sim: VpcSim, action: string, { method, query, body }: SignedRequest): unknown {
  if (method === 'GET') return sim.fromText(action, parseQuery(query))
  try {
    return JSON.parse(Buffer.from(body).toString('utf8') || '{}')
  } catch {
    throw new ApiError('InvalidRequest', 'The body is not JSON.')
  }
}

function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name]
  return Array.isArray(value) ? value.join(',') : value
}
