// What a pod's annotations say of its address: whether and how long it is kept, and which one it should be (S4, S12).
import { expiryKey, notExpiry, notPolicy, parseClaimExpiry } from '../ipam/claim-expiry.ts'
import { keyPrefix } from '../ipam/names.ts'
import { shownText } from '../ipam/shown-text.ts'
import type { OwnerRef, PodClaim, SubnetId } from '../ipam/types.ts'
import { parseIpv4 } from '../value/ipv4.ts'
import { at, listAt, textAt } from './json.ts'

const policyKey = 'vpc-ip-claim-delete-policy'
const addressKey = 'nominated-vpc-ip'
const subnetsKey = 'nominated-eni-subnets'

const mostSubnets = 50

export function keepsIp(metadata: unknown): boolean {
  return saidBy(metadata, policyKey) === 'Never'
}

/** What else the annotations say; undefined for the many pods that say nothing. */
export function claimOf(metadata: unknown): PodClaim | undefined {
  const faults: string[] = []
  function read<T>(key: string, parse: (text: string) => T | undefined, wants: string): T | undefined {
    const text = saidBy(metadata, key)
    if (text === undefined) return undefined
    const value = parse(text)
    if (value === undefined) faults.push(`annotation ${keyPrefix}${key} "${shownText(text)}": ${wants}`)
    return value
  }
  const policy = read(policyKey, parsePolicy, notPolicy)
  const expireAfter = read(expiryKey, parseClaimExpiry, notExpiry)
  const nominatedIp = read(addressKey, parseIpv4, 'it is not an IPv4 address')
  const nominatedSubnets = read(subnetsKey, parseSubnets, 'it is not a list of subnets with commas between')
  const unclear = [
    ...(policy === undefined && saidBy(metadata, policyKey) !== undefined ? ['policy' as const] : []),
    ...(expireAfter === undefined && saidBy(metadata, expiryKey) !== undefined
      ? ['expireAfter' as const]
      : []),
  ]
  const mayKeep = policy === 'Never' || unclear.includes('policy')
  const owner = mayKeep ? controllerOf(metadata) : undefined
  const claim: PodClaim = {
    ...(faults.length === 0 ? {} : { fault: faults.join('; ') }),
    ...(unclear.length === 0 ? {} : { unclear }),
    ...(expireAfter === undefined ? {} : { expireAfter }),
    ...(nominatedIp === undefined ? {} : { nominatedIp }),
    ...(nominatedSubnets === undefined ? {} : { nominatedSubnets }),
    ...(owner === undefined ? {} : { owner }),
  }
  return Object.keys(claim).length === 0 ? undefined : claim
}

/** What the annotation of ours says. */
export function saidBy(metadata: unknown, key: string): string | undefined {
  const text = at(metadata, 'annotations', keyPrefix + key)
  return typeof text === 'string' ? text.trim() : undefined
}

function parsePolicy(text: string): 'Never' | 'Immediate' | undefined {
  return text === 'Never' || text === 'Immediate' ? text : undefined
}

function parseSubnets(text: string): readonly SubnetId[] | undefined {
  const ids = text.split(',').map((id) => id.trim())
  const fine = ids.length <= mostSubnets && ids.every((id) => /^subnet-[-0-9a-zA-Z]{1,56}$/.test(id))
  return fine ? [...new Set(ids)] : undefined
}

/** The workload that made the object with this metadata, and answers for it. */
export function controllerOf(metadata: unknown): OwnerRef | undefined {
  const controller = listAt(metadata, 'ownerReferences').find((ref) => at(ref, 'controller') === true)
  const apiVersion = textAt(controller, 'apiVersion')
  const kind = textAt(controller, 'kind')
  const name = textAt(controller, 'name')
  const uid = textAt(controller, 'uid')
  if (apiVersion === undefined || kind === undefined || name === undefined || uid === undefined)
    return undefined
  return { apiVersion, kind, name, uid }
}
