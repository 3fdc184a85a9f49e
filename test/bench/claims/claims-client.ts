// Asks a server of claims as the cluster's API server does: TLS on both sides, in the name of a person.
import { Agent, type RequestOptions, request } from 'node:https'
import type { KeyPair } from '../../../internal/apiserver/tls/certificate.ts'

export interface Received {
  readonly status: number
  readonly body: Buffer
  /** From the request to the last byte. */
  readonly ms: number
}

export interface ClaimsClient {
  /** Throws what the connection throws. */
  call(method: 'GET' | 'DELETE', path: string, accept?: string): Promise<Received>
  /** Each line that comes, with when it came; on a connection of its own. Resolves when it is answered. */
  watch(path: string, hear: (line: string, at: number) => void): Promise<() => void>
  close(): void
}

export const group = '/apis/ipam.tke.cloud.tencent.com/v1beta1'
export const plain = 'application/json'
export const asTable = 'application/json;as=Table;v=v1;g=meta.k8s.io'

export function claimsClient(port: number, { cert, key }: KeyPair): ClaimsClient {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const options = (method: string, path: string, accept: string): RequestOptions => ({
    ...{ host: '127.0.0.1', port, cert, key, agent, method, path },
    rejectUnauthorized: false, // it is the server that this process has started
    headers: { accept, 'x-remote-user': 'bench', 'x-remote-group': 'bench' },
  })
  return {
    call: (method, path, accept = plain) =>
      new Promise((resolve, reject) => {
        const begin = performance.now()
        const sent = request(options(method, path, accept), (answer) => {
          const chunks: Buffer[] = []
          answer.on('data', (chunk: Buffer) => void chunks.push(chunk))
          answer.once('error', reject)
          answer.once('end', () => {
            const ms = performance.now() - begin
            resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks), ms })
          })
        })
        sent.once('error', reject)
        sent.end()
      }),
    watch: (path, hear) =>
      new Promise((resolve, reject) => {
        const sent = request({ ...options('GET', path, plain), agent: false }, (answer) => {
          let rest = ''
          answer.setEncoding('utf8')
          answer.on('data', (chunk: string) => {
            const at = performance.now()
            const lines = (rest + chunk).split('\n')
            rest = lines.pop() ?? ''
            for (const line of lines) hear(line, at)
          })
          answer.on('error', () => {}) // it was cut off, by us
          resolve(() => sent.destroy())
        })
        sent.on('error', reject)
        sent.end()
      }),
    close: () => agent.destroy(),
  }
}
