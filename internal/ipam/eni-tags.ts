// What an ENI of ours says about itself in the cloud, so that a leader without a ledger knows what it was made for.
import type { CloudEni, CloudIp, EniMode, InstanceId, NodeName } from './types.ts'

export const clusterTag = 'tke-eni-cluster'
export const nodeTag = 'tke-eni-node'
const instanceTag = 'tke-eni-instance'
const slotTag = 'tke-eni-slot'
/** Only on exclusive ENIs. */
const modeTag = 'tke-eni-mode'
/** The token of the intent that made it. */
export const intentTag = 'tke-eni-intent'

export interface EniPurpose {
  readonly clusterId: string
  readonly node: NodeName
  readonly instanceId: InstanceId
  readonly slot: number
  readonly mode: EniMode
  readonly token: string
}

export function tagsOf(purpose: EniPurpose): Readonly<Record<string, string>> {
  return {
    [clusterTag]: purpose.clusterId,
    [nodeTag]: purpose.node,
    [instanceTag]: purpose.instanceId,
    [slotTag]: String(purpose.slot),
    ...(purpose.mode === 'exclusive' && { [modeTag]: purpose.mode }),
    [intentTag]: purpose.token,
  }
}

/** Is it on the instance it was made for? Attached elsewhere it was moved by somebody, and stays theirs until they take it off. */
export function isAtHome(eni: Pick<CloudEni, 'tags' | 'instanceId'>): boolean {
  return eni.instanceId !== undefined && eni.instanceId === purposeOf(eni).instanceId
}

/** Kubernetes has no others. */
const nodeName = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/

/** As far as its tags can be read: people may edit them. */
export function purposeOf({ tags }: Pick<CloudEni, 'tags'>): {
  readonly clusterId: string | undefined
  readonly node: NodeName | undefined
  readonly instanceId: InstanceId | undefined
  readonly slot: number | undefined
  readonly mode: EniMode
  readonly token: string | undefined
} {
  const slot = Number(tags[slotTag])
  return {
    clusterId: tags[clusterTag],
    node: nodeName.test(tags[nodeTag] ?? '') ? tags[nodeTag] : undefined,
    instanceId: tags[instanceTag] || undefined,
    slot: Number.isSafeInteger(slot) && slot >= 1 ? slot : undefined,
    mode: tags[modeTag] === 'exclusive' ? 'exclusive' : 'shared',
    token: tags[intentTag],
  }
}

/** What of it pods may get: the secondary addresses of a shared ENI; of an exclusive one its own. */
export function podIps(eni: Pick<CloudEni, 'primaryIp' | 'ips'>, mode: EniMode): readonly CloudIp[] {
  return mode === 'shared' ? eni.ips : [{ address: eni.primaryIp, state: 'available' }]
}
