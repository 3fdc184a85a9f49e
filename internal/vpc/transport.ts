// One call to a Tencent Cloud API, signed, sent and answered: no retries, no meaning. The SDK implements it
// (sdk-transport.ts), and the simulator in process.

export type Product = 'vpc' | 'cvm'

export interface TransportOptions {
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
  /** Called as late as can be before the request leaves; what it throws is thrown, and nothing leaves. */
  readonly beforeSend?: (() => void) | undefined
}

export interface Transport {
  /** The fields of `Response`. Throws a TencentError, or an IpamError when the call cannot be signed. */
  request(
    product: Product,
    action: string,
    params: object,
    options: TransportOptions,
  ): Promise<Readonly<Record<string, unknown>>>
}

/** How a call failed, untranslated. It is read by shape: a transport may throw an error of its own that has these fields. */
export interface TencentFault {
  readonly message: string
  /** Tencent's code, when the API answered with one. */
  readonly code?: string | undefined
  readonly requestId?: string | undefined
  /** When the answer was not HTTP 200. */
  readonly httpCode?: number | undefined
  /** False only when the request surely never left. */
  readonly sent?: boolean | undefined
}

export class TencentError extends Error implements TencentFault {
  readonly code: string | undefined
  readonly requestId: string | undefined
  readonly httpCode: number | undefined
  readonly sent: boolean | undefined

  constructor(fault: TencentFault) {
    super(fault.message)
    this.name = 'TencentError'
    this.code = fault.code
    this.requestId = fault.requestId
    this.httpCode = fault.httpCode
    this.sent = fault.sent
  }
}

/** The fault in anything that a transport threw; what is not understood counts as sent. */
export function readFault(error: unknown): TencentFault {
  const { code, message, requestId, httpCode, sent } = Object(error) as Record<string, unknown>
  return {
    message:
      typeof message === 'string' ? message : typeof error === 'string' ? error : 'it does not say why',
    code: typeof code === 'string' && code !== '' ? code : undefined,
    requestId: typeof requestId === 'string' && requestId !== '' ? requestId : undefined,
    httpCode: typeof httpCode === 'number' ? httpCode : undefined,
    sent: sent !== false,
  }
}
