// What the EIP of a claim costs just now, in a word: who pays for public addresses looks for those that cost and serve nobody.
import type { EipClaim } from './eip-claim.ts'

/**
 * `none`: there is no EIP. `user`: it is its user's, on terms of his. `idle`: made for a pod, on nothing, and so paid for by the hour.
 * Else it serves, and is paid for by what it carries, by its bandwidth or within a package.
 */
export type EipCost = 'none' | 'user' | 'idle' | 'traffic' | 'bandwidth' | 'package'

const ofCharge = {
  TRAFFIC_POSTPAID_BY_HOUR: 'traffic',
  BANDWIDTH_POSTPAID_BY_HOUR: 'bandwidth',
  BANDWIDTH_PACKAGE: 'package',
} as const

export function eipCost({ eipId, phase, wish }: Pick<EipClaim, 'eipId' | 'phase' | 'wish'>): EipCost {
  if (eipId === undefined) return 'none'
  if (wish.source === 'specified') return 'user'
  return phase === 'Bound' ? ofCharge[wish.chargeType] : 'idle'
}
