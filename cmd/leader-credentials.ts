// Which keys the leader signs its cloud calls with, as its settings say.
import { readFileSync } from 'node:fs'
import type { Clock } from '../internal/base/clock.ts'
import type { Log } from '../internal/base/log.ts'
import type { Random } from '../internal/base/random.ts'
import { IpamError } from '../internal/ipam/errors.ts'
import { chooseCredentials } from '../internal/vpc/choose-credentials.ts'
import { type Credentials, environmentCredentials, staticCredentials } from '../internal/vpc/credentials.ts'
import { roleCredentials } from '../internal/vpc/role-credentials.ts'
import { parseYaml } from '../internal/wire/yaml.ts'
import type { LeaderSettings } from './settings/leader-settings.ts'

interface Parts {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/** Throws `bad_input` when what the settings name is not there. */
export function leaderCredentials(settings: LeaderSettings, parts: Parts): Credentials {
  const role = { ...parts, metadataUrl: settings.metadataUrl }
  switch (settings.credentials) {
    case 'environment': {
      const found = environmentCredentials(process.env)
      if (found !== undefined) return found
      throw new IpamError(
        'bad_input',
        'Cannot sign cloud calls: credentials is "environment", but TENCENTCLOUD_SECRET_ID is not set',
      )
    }
    case 'file':
      return fileCredentials(settings.credentialsFile ?? '')
    case 'cvm-role':
      return roleCredentials(role)
    case 'auto':
      if (settings.credentialsFile !== undefined && environmentCredentials(process.env) === undefined) {
        return fileCredentials(settings.credentialsFile)
      }
      return chooseCredentials({ ...role, env: process.env })
  }
}

function fileCredentials(path: string): Credentials {
  const fault = (why: string) => new IpamError('bad_input', `Cannot read credentials file "${path}": ${why}`)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw fault((error as Error).message)
  }
  const values = Object(parseYaml(text, 'credentials file', path)) as Record<string, unknown>
  const { 'secret-id': secretId, 'secret-key': secretKey, token } = values
  if (typeof secretId !== 'string' || typeof secretKey !== 'string')
    throw fault('it has no secret-id and secret-key')
  return staticCredentials(
    { secretId, secretKey, token: typeof token === 'string' ? token : undefined },
    path,
  )
}
