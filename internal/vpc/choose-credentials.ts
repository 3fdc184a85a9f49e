// Which credentials a leader uses when nothing is said: those of the environment, or the CAM role of its machine.
import { IpamError } from '../ipam/errors.ts'
import { type Credentials, type Environment, environmentCredentials } from './credentials.ts'
import { type RoleOptions, roleCredentials } from './role-credentials.ts'

export interface CredentialOptions extends RoleOptions {
  readonly env: Environment
}

/** The first of: environment, CAM role of this machine. Throws `bad_input` for half a secret. */
export function chooseCredentials(options: CredentialOptions): Credentials {
  const fromEnvironment = environmentCredentials(options.env)
  if (fromEnvironment !== undefined) return fromEnvironment
  const role = roleCredentials(options)
  return {
    source: role.source,
    renew: role.renew,
    async get() {
      try {
        return await role.get()
      } catch (error) {
        if (!(error instanceof IpamError)) throw error
        const message = `${error.message}; TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY are not set`
        throw new IpamError(error.code, message, { cause: error, hint: error.hint ?? chooseHint })
      }
    },
  }
}

const chooseHint =
  'Bind role IPAMDofTKE_QCSRole to this machine, or set TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY'
