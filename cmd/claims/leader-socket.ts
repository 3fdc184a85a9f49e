// Requests to the leader of this machine, on its socket.
import { request } from 'node:http'
import { IpamError } from '../../internal/ipam/errors.ts'

export interface SocketAnswer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

/** Throws `unavailable` when no leader answers there, `denied` when this user may not ask. */
export function askLeader(
  socketPath: string,
  method: 'GET' | 'DELETE',
  path: string,
  body?: object,
): Promise<SocketAnswer> {
  const text = body === undefined ? undefined : JSON.stringify(body)
  const headers =
    text === undefined
      ? {}
      : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, method, path, headers }, (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.once('error', (error) => reject(noAnswer(socketPath, error)))
      answer.once('end', () =>
        resolve({ status: answer.statusCode ?? 0, body: parse(Buffer.concat(chunks).toString('utf8')) }),
      )
    })
    sent.once('error', (error) => reject(noAnswer(socketPath, error)))
    sent.end(text)
  })
}

function parse(text: string): SocketAnswer['body'] {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as SocketAnswer['body']) : {}
  } catch {
    return { message: text }
  }
}

function noAnswer(socketPath: string, cause: NodeJS.ErrnoException): IpamError {
  if (cause.code === 'EACCES' || cause.code === 'EPERM') {
    return new IpamError('denied', `Cannot ask the leader on "${socketPath}": this user may not`, {
      hint: 'try as the user that runs the leader, or as root',
      cause,
    })
  }
  return new IpamError(
    'unavailable',
    `Cannot ask the leader on "${socketPath}": none leads there (${cause.code ?? cause.message})`,
    {
      hint: 'run it on the machine of the leader, with its --state-dir; the Lease tke-eni-leader in kube-system names it',
      cause,
    },
  )
}
