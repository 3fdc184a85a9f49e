// What pods, nodes and operators call things of ours.
import type { EniMode } from './types.ts'

/** Of annotations, resources and taints. */
export const keyPrefix = 'tke.cloud.tencent.com/'

/** Of the pod networks, and of the CNI plugins that serve them. */
export const networkNames = {
  shared: 'tke-route-eni',
  exclusive: 'tke-direct-eni',
} as const satisfies Readonly<Record<EniMode, string>>

/** The cluster's network for pods that name none. */
export type DefaultNetwork = (typeof networkNames)[EniMode] | 'other'

/** With it a pod names its networks itself. */
export const networksAnnotation = `${keyPrefix}networks`
