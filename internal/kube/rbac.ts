// The roles of leader and agents as manifests to apply.
import { readAsset } from '../base/asset.ts'
import { IpamError } from '../ipam/errors.ts'
import type { NodeName } from '../ipam/types.ts'

/** The leader's role, for service account kube-system/tke-eni-leader. */
export function leaderRbac(): string {
  return readAsset('./manifests/rbac-leader.yaml', import.meta.url)
}

/** What the leader's service account needs besides for --manage-taint. */
export function taintRbac(): string {
  return readAsset('./manifests/rbac-leader-taint.yaml', import.meta.url)
}

/** What the leader's service account needs besides for --enable-ownerref. */
export function ownersRbac(): string {
  return readAsset('./manifests/rbac-leader-owners.yaml', import.meta.url)
}

/** What the leader's service account needs besides for --create-masq-config. */
export function masqRbac(): string {
  return readAsset('./manifests/rbac-leader-masq.yaml', import.meta.url)
}

/** The role of one node's agent, for user tke-eni:node:<node> in group tke-eni:nodes. Throws bad_input when that is no node name. */
export function nodeRbac(node: NodeName): string {
  if (!/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/.test(node))
    throw new IpamError('bad_input', `Cannot write the role of node "${node}": that is not a node name`)
  return readAsset('./manifests/rbac-node.yaml', import.meta.url).replaceAll('$' + '{NODE}', node)
}
