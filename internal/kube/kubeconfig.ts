// A kubeconfig file as an endpoint. Plain credentials are read here; what needs programs, token exchange or
// proxies is left to the Kubernetes client library, which is loaded only then (90 MB of memory).
import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Clock } from '../base/clock.ts'
import { IpamError } from '../ipam/errors.ts'
import { parseKubeconfig } from '../wire/kubeconfig.ts'
import { createEndpoint, type Endpoint } from './endpoint.ts'

/** The endpoint of the file's current context. Throws bad_input. */
export async function endpointOfKubeconfig(file: string, clock: Clock): Promise<Endpoint> {
  const parsed = parseKubeconfig(readKubeconfig(file), dirname(file))
  if ('fault' in parsed) throw new IpamError('bad_input', `Cannot use kubeconfig "${file}": ${parsed.fault}`)
  if (parsed.plain) return createEndpoint(parsed.settings, clock)
  const { endpointOfLibrary } = await import('./library-endpoint.ts')
  return endpointOfLibrary(file, clock)
}

function readKubeconfig(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new IpamError('bad_input', `Cannot use kubeconfig "${file}": it cannot be read`, { cause })
  }
}
