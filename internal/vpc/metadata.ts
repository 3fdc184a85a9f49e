// Reads the metadata service of a CVM over plain HTTP, past every proxy.
import { Agent, request } from 'node:http'

export interface MetadataAnswer {
  readonly status: number
  readonly body: string
}

/** Rejects when the service does not answer in full within its time. */
export type ReadMetadata = (path: string) => Promise<MetadataAnswer>

export const metadataUrl = 'http://metadata.tencentyun.com'

const timeoutMs = 5000
const longestBody = 64 * 1024

/** Reads paths such as "/latest/meta-data/instance-id" below `baseUrl`. */
export function metadataReader(baseUrl: string = metadataUrl): ReadMetadata {
  // An agent of its own: the global one may follow proxy settings of the environment.
  const agent = new Agent({ keepAlive: false })
  return (path) =>
    new Promise((resolve, reject) => {
      const signal = AbortSignal.timeout(timeoutMs)
      const call = request(new URL(path, baseUrl), { agent, signal }, (response) => {
        let body = ''
        response.setEncoding('utf8')
        response.on('data', (part: string) => {
          body += part
          if (body.length > longestBody) call.destroy(new Error('the answer is too long'))
        })
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
        response.on('error', reject)
      })
      call.on('error', reject)
      call.end()
    })
}
