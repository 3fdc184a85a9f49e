// Which EIP of its list a claim gets now, among all that want one of the same (E4).
import type { Random } from '../../base/random.ts'
import type { EipClaim } from '../../ipam/eip-claim.ts'
import { errorCode, IpamError } from '../../ipam/errors.ts'
import { type EipContender, type EipPick, pickEips } from '../../ipam/pick-eip.ts'
import type { EipView } from '../../ipam/plan-eip.ts'
import { podText } from '../../ipam/pod-need.ts'
import type { CloudEip, EipId } from '../../ipam/types.ts'
import type { Cloud, LeaderLedger } from '../../ports.ts'
import type { ClusterFacts } from '../facts.ts'

export interface PickerOptions {
  readonly cloud: Pick<Cloud, 'describeEips'>
  readonly ledger: Pick<LeaderLedger, 'eips' | 'nodeOf' | 'pool'>
  readonly random: Random
  readonly facts: Pick<ClusterFacts, 'podsOn'>
  readonly placeOf: (claim: EipClaim) => EipView['place']
}

/** Returns what finds the EIP for a claim that has none; as the cloud shows it. Throws `conflict`, and what the cloud throws. */
export function createPicker({ cloud, facts, ledger, placeOf, random }: PickerOptions) {
  function contender(claim: EipClaim): EipContender | undefined {
    const { key, name, namespace, wish } = claim
    if (wish.source !== 'specified') return undefined
    const place = placeOf(claim)
    if (place === 'elsewhere') return undefined
    const at = typeof place === 'string' ? undefined : place
    return { key, name, namespace, wish, at, draw: random.next() }
  }

  /** What the API takes for no id at all is not there, and keeps no others from being seen. */
  async function describe(ids: readonly EipId[]): Promise<readonly CloudEip[]> {
    try {
      return await cloud.describeEips({ ids }, 'waiting-pod')
    } catch (error) {
      if (errorCode(error) !== 'bad_input') throw error
      if (ids.length === 1) return []
      return (await Promise.all(ids.map((id) => describe([id])))).flat()
    }
  }

  /** Bound by hand to an address that a pod has it is its user's; on one that is there for the next pod nobody else has a use for it. */
  function isLeft({ eniId, privateIp, state }: CloudEip): boolean {
    if (state !== 'bound' || privateIp === undefined) return false
    const node = ledger.nodeOf(privateIp)
    if (node === undefined || ledger.eips.onAddress(privateIp) !== undefined) return false
    const eni = ledger.pool(node)?.enis.find(({ ips }) => ips.some(({ address }) => address === privateIp))
    return eni?.id === eniId && !facts.podsOn(node).some(({ ip, terminal }) => ip === privateIp && !terminal)
  }

  /** One that began later, and may have it all the same, is among them, too. */
  function rivals(ids: ReadonlySet<string>): readonly EipContender[] {
    const all = ledger.eips.where('Pending').flatMap((claim) => contender(claim) ?? [])
    return all.filter(({ wish }) => wish.ids.some((id) => ids.has(id)))
  }

  return async (claim: EipClaim): Promise<EipPick | { readonly eip: string; readonly seen: CloudEip }> => {
    const own = new Set(claim.wish.source === 'specified' ? claim.wish.ids : [])
    const ids = new Set(rivals(own).flatMap(({ wish }) => wish.ids))
    const found = await describe([...new Set([...own, ...ids])])
    const eips = new Map(found.map((eip) => [eip.id, eip]))
    const picks = pickEips(rivals(own), { eips, holders: ledger.eips.byEip(), isLeft })
    const pick = picks.get(claim.key)
    if (pick === undefined)
      throw new IpamError(
        'conflict',
        `Cannot choose an EIP for ${podText(claim)}: its claim has changed meanwhile`,
      )
    const seen = 'eip' in pick ? eips.get(pick.eip) : undefined
    return seen === undefined ? pick : { eip: seen.id, seen }
  }
}
