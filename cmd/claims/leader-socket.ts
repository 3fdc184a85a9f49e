// Requests to the leader of this machine, on its socket.
import { request } from 'node:http'
import { systemClock } from '../../internal/base/clock.ts'
import { IpamError } from '../../internal/ipam/errors.ts'
import type { Millis } from '../../internal/value/millis.ts'

export interface Question {
  readonly socketPath: string
  readonly method: 'GET' | 'DELETE'
  readonly path: string
  readonly body?: object
  /** For the whole answer. */
  readonly patience?: Millis
}

export interface SocketAnswer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

/** A leader stores what it is asked, and then answers: only one that hangs takes so long. */
const usualPatience: Millis = 10_000

/** Throws `unavailable` when no leader answers there, or `signal` aborts, and `denied` when this user may not ask. */
export function askLeader(question: Question, signal: AbortSignal): Promise<SocketAnswer> {
  const { socketPath, method, path, body, patience = usualPatience } = question
  const text = body === undefined ? undefined : JSON.stringify(body)
  const headers =
    text === undefined
      ? {}
      : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, method, path, headers, signal }, (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.once('error', (error) => reject(noAnswer(socketPath, error)))
      answer.once('end', () =>
        resolve({ status: answer.statusCode ?? 0, body: parse(Buffer.concat(chunks).toString('utf8')) }),
      )
    })
    const cancel = systemClock.after(patience, () => {
      reject(hanging(socketPath, patience))
      sent.destroy()
    })
    sent.once('close', cancel)
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

function hanging(socketPath: string, patience: Millis): IpamError {
  return new IpamError(
    'unavailable',
    `Cannot ask the leader on "${socketPath}": the leader does not answer, for ${patience / 1000} s`,
    {
      hint: 'systemctl status tke-eni-leader and its log say how it is; systemctl restart tke-eni-leader starts it again',
    },
  )
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
