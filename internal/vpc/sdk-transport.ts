// Sends calls with Tencent Cloud's own SDK, which signs them. The SDK hides how a call failed; an agent of our own
// watches each connection, because a request that never left may be repeated and another may not.
import { CommonClient } from 'tencentcloud-sdk-nodejs/tencentcloud/common/common_client.js'
import { callAgent } from './call-agent.ts'
import type { Credentials, Secret } from './credentials.ts'
import { readEndpoint } from './endpoint.ts'
import { type Product, readFault, TencentError, type Transport, type TransportOptions } from './transport.ts'

export interface SdkOptions {
  /** As in "ap-guangzhou". */
  readonly region: string
  readonly credentials: Credentials
  /** Connect here instead: "http://host:port" or "unix:/path". Requests still carry and sign the real host names. */
  readonly endpoint?: string | undefined
  /** "internal.tencentcloudapi.com" stays inside the VPC. */
  readonly domain?: string | undefined
}

const version = '2017-03-12' // of both products
const defaultDomain = 'tencentcloudapi.com'

/** A transport over HTTPS. Throws `bad_input` when `endpoint` cannot be read. */
export function sdkTransport(options: SdkOptions): Transport {
  const { region, credentials, domain = defaultDomain } = options
  const { agent, protocol, watch } = callAgent(readEndpoint(options.endpoint))

  function clientFor(product: Product, secret: Secret, timeoutMs: number): CommonClient {
    const { secretId, secretKey, token } = secret
    const credential = token === undefined ? { secretId, secretKey } : { secretId, secretKey, token }
    // With an agent given, the SDK does not follow http_proxy.
    const httpProfile = { protocol, agent, reqTimeout: timeoutMs / 1000 }
    return new CommonClient(`${product}.${domain}`, version, { credential, region, profile: { httpProfile } })
  }

  async function request(product: Product, action: string, params: object, call: TransportOptions) {
    const secret = await credentials.get() // here, for the SDK would turn its error into text
    const client = clientFor(product, secret, call.timeoutMs)
    call.beforeSend?.() // it may have taken its time to get the keys
    const sending = watch(call.beforeSend)
    try {
      const signal = call.signal === undefined ? {} : { signal: call.signal }
      const answer: unknown = await sending.run(() => client.request(action, params, signal))
      if (typeof answer === 'object' && answer !== null) return answer as Readonly<Record<string, unknown>>
      throw new TencentError({ message: 'its answer has no field Response' })
    } catch (error) {
      const fault = readFault(error)
      if (fault.code?.startsWith('AuthFailure')) credentials.renew()
      throw new TencentError({ ...fault, message: blank(fault.message, secret), sent: sending.mayHaveLeft() })
    }
  }

  return { request }
}

/** Anything shorter is a stand-in, and may well be part of a common word. */
const shortestSecret = 6

/** No message of the SDK or the API may carry what signs our calls. */
function blank(message: string, { secretId, secretKey, token }: Secret): string {
  return [secretKey, token, secretId].reduce<string>(
    (text, secret) =>
      secret === undefined || secret.length < shortestSecret ? text : text.replaceAll(secret, '[hidden]'),
    message,
  )
}
