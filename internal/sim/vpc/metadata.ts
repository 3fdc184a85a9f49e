// The instance metadata service, as far as a role's temporary keys go.
import { formatTime, type Millis } from '../../value/millis.ts'
import { json, plain, type Reply } from './reply.ts'
import type { VpcSim } from './sim.ts'

/** The instance role whose temporary keys the metadata service hands out. */
export interface RoleOptions {
  readonly name: string
  readonly lifeMs: Millis
}

const credentialsPath = '/latest/meta-data/cam/security-credentials/'

/** Keys are renewed in the last fifth of their life, so that a caller always gets some that last. */
export function answerMetadata(sim: VpcSim, role: RoleOptions | undefined, path: string, now: Millis): Reply {
  if (path === '/latest/meta-data/placement/region') return plain(200, sim.region)
  if (role === undefined) return plain(404, 'not found')
  if (path === credentialsPath) return plain(200, role.name)
  if (path !== credentialsPath + role.name) return plain(404, 'not found')
  const keys =
    sim.credentials.newest(role.name, now + role.lifeMs / 5) ??
    sim.credentials.issue(role.name, now, role.lifeMs)
  const end = keys.expiresAt ?? now
  return json(200, {
    TmpSecretId: keys.secretId,
    TmpSecretKey: keys.secretKey,
    ExpiredTime: Math.floor(end / 1000),
    Expiration: formatTime(end),
    Token: keys.token,
    Code: 'Success',
  })
}
