// A claim as the objects that people see of it: the VpcIPClaim or EIPClaim, named as its pod, and the VpcIP, named as its address.
import { type Claim, shownOwner } from '../../ipam/claim.ts'
import type { EipClaim } from '../../ipam/eip-claim.ts'
import { eipCost } from '../../ipam/eip-cost.ts'
import { formatTime } from '../../value/millis.ts'
import type { JsonObject, KubeObject, ObjectMeta } from '../object.ts'
import { isLabelValue } from '../validate-meta.ts'

export const claimGroup = 'ipam.tke.cloud.tencent.com'
export const claimVersion = 'v1beta1'
const apiVersion = `${claimGroup}/${claimVersion}`

export const nodeLabel = 'tke.cloud.tencent.com/node-name'
/** From the clock by which claims expire to the one on the wall. */
export type WallClock = (ledgerTime: number) => number

/** What keeps a claim until its address is given back. */
export const releaseFinalizer = 'tke.cloud.tencent.com/release-address'

export function claimObject(claim: Claim, wall: WallClock): KubeObject {
  return {
    apiVersion,
    kind: 'VpcIPClaim',
    metadata: podMetadata(claim),
    spec: present({
      ...terms(claim),
      mode: claim.mode,
      nominatedVpcIP: claim.nominatedAddress,
      nominatedENISubnets: claim.nominatedSubnets.length === 0 ? undefined : [...claim.nominatedSubnets],
    }),
    status: present({
      phase: claim.phase,
      vpcIP: claim.address,
      ...place(claim),
      ...keeping(claim),
      ...ending(claim, wall),
      ...why(claim),
    }),
  }
}

export function eipClaimObject(claim: EipClaim, wall: WallClock): KubeObject {
  const { wish } = claim
  return {
    apiVersion,
    kind: 'EIPClaim',
    metadata: podMetadata(claim),
    spec: present({
      ...terms(claim),
      source: wish.source,
      ...(wish.source === 'created'
        ? { bandwidth: wish.bandwidth, isp: wish.isp, chargeType: wish.chargeType }
        : { eipIDs: [...wish.ids], ordinal: wish.ordinal }),
    }),
    status: present({
      phase: claim.phase,
      publicIP: claim.address,
      eipID: claim.eipId,
      privateIP: claim.privateIp,
      node: claim.node,
      podUID: claim.podUid,
      eniID: claim.eniId,
      cost: eipCost(claim),
      retainedAt: timeOf(claim.retainedAt),
      ...ending(claim, wall),
      ...why(claim),
    }),
  }
}

/** undefined: it has no address. */
export function addressObject(claim: Claim): KubeObject | undefined {
  const { address, namespace, name, uid } = claim
  if (address === undefined) return undefined
  return {
    apiVersion,
    kind: 'VpcIP',
    metadata: metadata(claim, address, claim.ipUid),
    spec: present({
      type: 'Pod',
      claimRef: { apiVersion, kind: 'VpcIPClaim', namespace, name, uid },
      subnetID: claim.subnetId,
      zone: claim.zone,
    }),
    status: present({ phase: addressPhase(claim), ...place(claim), ...keeping(claim), ...why(claim) }),
  }
}

function podMetadata(claim: Claim | EipClaim): ObjectMeta {
  const { generation, name, namespace, uid } = claim
  return { ...metadata(claim, name, uid), namespace, generation }
}

function terms({ expireAfter, policy }: Claim | EipClaim): JsonObject {
  const claimExpiredDuration = expireAfter === undefined ? undefined : goDuration(expireAfter)
  return { type: 'Pod', deletePolicy: policy, claimExpiredDuration }
}

function ending({ expiresAt, owner }: Claim | EipClaim, wall: WallClock): JsonObject {
  return {
    expiresAt: timeOf(expiresAt === undefined ? undefined : wall(expiresAt)),
    owner: owner === undefined ? undefined : { ...shownOwner(owner) },
  }
}

function metadata(claim: Claim | EipClaim, name: string, uid: string): ObjectMeta {
  const { node = '' } = claim
  return {
    name,
    uid,
    resourceVersion: String(claim.version),
    creationTimestamp: formatTime(claim.createdAt),
    ...(node !== '' && isLabelValue(node) ? { labels: { [nodeLabel]: node } } : {}),
    ...(claim.phase === 'Releasing'
      ? { deletionTimestamp: formatTime(claim.changedAt), finalizers: [releaseFinalizer] }
      : {}),
  }
}

function addressPhase({ phase }: Claim): string {
  if (phase === 'Bound') return 'Assigned'
  return phase === 'Pending' ? 'Attaching' : phase
}

function place({ node, podUid, eniId, subnetId, zone }: Claim): JsonObject {
  return { node, podUID: podUid, eniID: eniId, subnetID: subnetId, zone }
}

function keeping({ reservation, retainedAt }: Claim): JsonObject {
  return { reservationID: reservation, retainedAt: timeOf(retainedAt) }
}

function why({ reason, message }: Claim | EipClaim): JsonObject {
  return { reason: reason || undefined, message: message || undefined }
}

function timeOf(at: number | undefined): string | undefined {
  return at === undefined ? undefined : formatTime(at)
}

/** "1h30m0s", as Go prints durations. */
function goDuration(durationMs: number): string {
  const seconds = Math.floor(durationMs / 1000)
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
  return `${h > 0 ? `${h}h` : ''}${h > 0 || m > 0 ? `${m}m` : ''}${s}s`
}

/** Without the fields that are not there, so that objects compare and print as they came over the wire. */
function present(fields: JsonObject): JsonObject {
  const there: JsonObject = {}
  for (const name in fields) if (fields[name] !== undefined) there[name] = fields[name]
  return there
}
