// The NEC's address in the API, and the merge patches both sides write to it.
import { errorCode } from '../ipam/errors.ts'
import type { NodeName } from '../ipam/types.ts'
import type { KubeClient } from './client.ts'

export const necGroup = 'networking.tke.cloud.tencent.com'
export const necCollection = `/apis/${necGroup}/v1/nodeeniconfigs`

/** The path of one NEC, which has its node's name. */
export function necPath(name: NodeName): string {
  return `${necCollection}/${encodeURIComponent(name)}`
}

/** How often a write is repeated when it conflicts with another one. */
const maxConflicts = 4

/** Merges `body` into the NEC (or its status) and returns it as it is then. Throws as KubeClient.call; not_found when there is none. */
export async function mergeNec(
  client: KubeClient,
  name: NodeName,
  part: 'spec' | 'status',
  body: unknown,
): Promise<unknown> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await client.call({
        doing: `write ${part} of NEC "${name}"`,
        method: 'PATCH',
        path: part === 'status' ? `${necPath(name)}/status` : necPath(name),
        body,
      })
    } catch (error) {
      // Our fields are ours alone, so the same patch is right whatever the other writer did.
      if (errorCode(error) !== 'conflict' || attempt >= maxConflicts) throw error
    }
  }
}
