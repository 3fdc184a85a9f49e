// What a pod's annotations say of a public address; what that means is decided in ipam/eip-wish.ts.
import { eipKeys, eipWishOf } from '../ipam/eip-wish.ts'
import type { PodEip } from '../ipam/types.ts'
import { controllerOf, saidBy } from './claim-annotations.ts'
import { textAt } from './json.ts'

/** undefined for the many pods that ask for none. */
export function eipOf(metadata: unknown): PodEip | undefined {
  const said = {
    attributes: saidBy(metadata, eipKeys.attributes),
    ids: saidBy(metadata, eipKeys.ids),
    policy: saidBy(metadata, eipKeys.policy),
    expiry: saidBy(metadata, eipKeys.expiry),
  }
  if (said.attributes === undefined && said.ids === undefined && said.policy === undefined) return undefined
  const owner = controllerOf(metadata)
  const wish = eipWishOf(said, { name: textAt(metadata, 'name') ?? '', controllerKind: owner?.kind })
  if (wish === undefined || 'fault' in wish) return wish
  return wish.policy === 'Never' && owner !== undefined ? { wish, owner } : { wish }
}
