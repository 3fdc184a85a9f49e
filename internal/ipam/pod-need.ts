// What the ADD of a pod must be given: an address of the pool, an ENI, or the one address that is claimed for it (S4).
import type { EniMode, PodName } from './types.ts'

export interface PodNeed {
  readonly mode: EniMode
  /** It keeps its address, as Kubernetes shows it; undefined: Kubernetes does not show it, or not clearly. */
  readonly keepsIp: boolean | undefined
  /** What it says of that cannot be read: an address that is kept for it is waited for, a moment. */
  readonly unclear?: boolean
}

/** `claimed`: the address of its name, and no other. `pool`: any that is nobody's. `either`: the one of its name, when there is one. */
export type AddressSource = 'claimed' | 'pool' | 'either'

/** `staticIps`: the leader serves pods that keep their addresses; undefined while nobody has said. */
export function sourceOf({ mode, keepsIp }: PodNeed, staticIps: boolean | undefined): AddressSource {
  if (mode === 'exclusive' || staticIps === false || keepsIp === false) return 'pool'
  return keepsIp === undefined ? 'either' : 'claimed'
}

/** "shop/web-0" */
export function podText({ namespace, name }: PodName): string {
  return `${namespace}/${name}`
}
