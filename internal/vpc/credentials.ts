// Who signs our calls. What is secret goes into the signature only: no message and no log line is made of it.
import { IpamError } from '../ipam/errors.ts'

export interface Secret {
  readonly secretId: string
  readonly secretKey: string
  readonly token?: string | undefined
}

export interface Credentials {
  /** Where they come from, for logs and messages. */
  readonly source: string
  /** Throws `unauthenticated` when there are none, `unavailable` when they cannot be had now. */
  get(): Promise<Secret>
  /** The API refused them: ask for new ones before the next call, where that is possible. */
  renew(): void
}

export type Environment = Readonly<Record<string, string | undefined>>

/** The same secret for ever. */
export function staticCredentials(secret: Secret, source = 'the settings'): Credentials {
  return { source, get: async () => secret, renew() {} }
}

/** TENCENTCLOUD_SECRET_ID, _SECRET_KEY and perhaps _SESSION_TOKEN; undefined when none is set. Throws `bad_input` when one of the two is missing. */
export function environmentCredentials(env: Environment): Credentials | undefined {
  const secretId = env['TENCENTCLOUD_SECRET_ID'] ?? ''
  const secretKey = env['TENCENTCLOUD_SECRET_KEY'] ?? ''
  const token = env['TENCENTCLOUD_SESSION_TOKEN']
  if (secretId === '' && secretKey === '') return undefined
  if (secretId === '' || secretKey === '') {
    const [set, unset] = secretId === '' ? ['KEY', 'ID'] : ['ID', 'KEY']
    const message = `TENCENTCLOUD_SECRET_${set} is set and TENCENTCLOUD_SECRET_${unset} is not`
    throw new IpamError('bad_input', `Cannot sign calls to Tencent Cloud: ${message}`)
  }
  return staticCredentials(
    { secretId, secretKey, token: token === '' ? undefined : token },
    'the environment',
  )
}
