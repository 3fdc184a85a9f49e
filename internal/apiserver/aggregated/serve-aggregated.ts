// A part of the cluster's API behind the cluster's own API server: TLS on both sides, requests only from it, and each only when the
// cluster allows it to the one for whom it asks.
import { constants, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { SecureContextOptions, TLSSocket } from 'node:tls'
import type { Log } from '../../base/log.ts'
import { turnAway } from '../entrance.ts'
import { exchange, type Handle, refusal, reply } from '../http-exchange.ts'
import { type Limits, openListener } from '../listener.ts'
import { StatusError, unauthorized } from '../status-error.ts'
import type { KeyPair } from '../tls/certificate.ts'
import { type Attributes, attributesOf, wordsOf } from './attributes.ts'
import { type FrontProxy, type Identity, identityIn, mayProxy } from './front-proxy.ts'

/** Asks the cluster. Rejects when it cannot say. */
export type Allows = (
  identity: Identity,
  attributes: Attributes,
) => Promise<{ readonly allowed: boolean; readonly why: string }>

export interface AggregatedOptions {
  readonly handle: Handle
  readonly allows: Allows
  readonly listen: { readonly host: string; readonly port: number }
  readonly certificate: KeyPair
  /** What the API server asks without proving itself: answered to whoever knows where. */
  readonly hook?: Hook
  readonly limits?: Limits
  readonly log: Log
}

export interface Hook {
  /** "/" and a secret. */
  readonly path: string
  /** What it is called in logs instead. */
  readonly name: string
  readonly handle: Handle
}

export interface AggregatedServer {
  readonly port: number
  /** From now on requests come from it; undefined: nobody knows who may ask, and nobody may. */
  setFrontProxy(proxy: FrontProxy | undefined): void
  setCertificate(certificate: KeyPair): void
  close(): Promise<void>
}

/** Throws IpamError `unavailable` when the address is taken. */
export async function serveAggregated(options: AggregatedOptions): Promise<AggregatedServer> {
  const { handle, allows, hook, log } = options
  let { certificate } = options
  let proxy: FrontProxy | undefined
  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    if (hook !== undefined && isMeant(request, hook)) {
      request.url = hook.name
      return void exchange(request, response, hook.handle, log)
    }
    admit(request, proxy, allows, log).then(
      (refused) => {
        if (refused === undefined) return void exchange(request, response, handle, log)
        // Who a connection is from is settled when it is made; the next one may be made by what is known by then.
        if (refused.code === 401) turnAway(response, refused)
        else reply(response, refusal(refused))
      },
      () => response.destroy(),
    )
  }
  const secure = {
    ...material(certificate, proxy),
    requestCert: true,
    rejectUnauthorized: false, // health is for everybody; all else is refused by request
  }
  const listener = await openListener(options.listen, serve, { secure, limits: options.limits })
  const { bound } = listener
  return {
    port: 'port' in bound ? bound.port : 0,
    setFrontProxy(next) {
      proxy = next
      listener.secure(material(certificate, proxy))
    },
    setCertificate(next) {
      certificate = next
      listener.secure(material(certificate, proxy))
    },
    close: () => listener.stop(),
  }
}

/** An empty list of authorities: without one Node would trust all that the machine trusts. */
function material({ cert, key }: KeyPair, proxy: FrontProxy | undefined): SecureContextOptions {
  return {
    cert,
    key,
    ca: proxy === undefined ? [] : proxy.clientCa,
    minVersion: 'TLSv1.2',
    secureOptions: constants.SSL_OP_NO_TICKET, // who connects again proves itself again
  }
}

function isMeant({ url = '' }: IncomingMessage, { path }: Hook): boolean {
  const [given, wanted] = [url.split('?')[0] ?? '', path].map((text) => Buffer.from(text))
  return (
    given !== undefined &&
    wanted !== undefined &&
    given.length === wanted.length &&
    timingSafeEqual(given, wanted)
  )
}

/** Why the request is refused; undefined when it is not. */
async function admit(
  request: IncomingMessage,
  proxy: FrontProxy | undefined,
  allows: Allows,
  log: Log,
): Promise<StatusError | undefined> {
  const { method = 'GET', url = '/' } = request
  const identity = proxy === undefined ? undefined : whoAsks(request, proxy)
  if (identity === undefined) return unauthorized()
  const attributes = attributesOf(method, url)
  if (attributes === undefined) return new StatusError(400, 'BadRequest', `"${url}" is not a path`)
  if (identity.groups.includes('system:masters')) return undefined
  try {
    const { allowed, why } = await allows(identity, attributes)
    return allowed ? undefined : forbid(identity, attributes, why)
  } catch (error) {
    log.warn('request not answered: nobody says whether it is allowed', { error: String(error) })
    const message = `Cannot ask whether user "${identity.user}" may ${wordsOf(attributes)}: ${String(error)}`
    return new StatusError(503, 'ServiceUnavailable', message)
  }
}

function whoAsks(request: IncomingMessage, proxy: FrontProxy): Identity | undefined {
  const socket = request.socket as TLSSocket
  if (!socket.authorized) return undefined
  const { subject } = socket.getPeerCertificate()
  const name = subject?.CN
  return mayProxy(proxy, typeof name === 'string' ? name : '')
    ? identityIn(request.headersDistinct, proxy)
    : undefined
}

function forbid(identity: Identity, attributes: Attributes, why: string): StatusError {
  const reason = `User "${identity.user}" cannot ${wordsOf(attributes)}${why === '' ? '' : `: ${why}`}`
  if ('path' in attributes) return new StatusError(403, 'Forbidden', `forbidden: ${reason}`, {})
  const { group, resource, name } = attributes
  const message = `${resource}.${group} ${name === '' ? '' : `"${name}" `}is forbidden: ${reason}`
  return new StatusError(403, 'Forbidden', message, { name, group, kind: resource })
}
