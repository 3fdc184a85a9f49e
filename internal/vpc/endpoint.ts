// Where to connect when it is not Tencent Cloud itself: a simulator.
import { IpamError } from '../ipam/errors.ts'

export type Endpoint = { readonly path: string } | { readonly host: string; readonly port: number }

/** The endpoint in `text`; undefined when there is none. Throws `bad_input`. */
export function readEndpoint(text: string | undefined): Endpoint | undefined {
  if (text === undefined || text === '') return undefined
  if (text.startsWith('unix:/')) return { path: text.slice('unix:'.length).replace(/^\/\/+/, '/') }
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol === 'http:' && url.pathname === '/' && url.username === '') {
    return { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port === '' ? 80 : url.port) }
  }
  const message = `Cannot use "${text}" as the endpoint of Tencent Cloud: it is neither http://host:port nor unix:/path`
  throw new IpamError('bad_input', message)
}
