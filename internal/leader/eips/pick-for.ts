// Which EIP of its list a claim gets now, among all that want one of the same (E4).
import type { Random } from '../../base/random.ts'
import type { EipClaim } from '../../ipam/eip-claim.ts'
import type { SpecifiedWish } from '../../ipam/eip-wish.ts'
import { errorCode, IpamError } from '../../ipam/errors.ts'
import { type EipContender, type EipPick, pickEips } from '../../ipam/pick-eip.ts'
import { podText } from '../../ipam/pod-need.ts'
import type { NodePool } from '../../ipam/pool.ts'
import type { CloudEip, EipId, NodeName, PodFact, PodName } from '../../ipam/types.ts'
import type { Cloud } from '../../ports.ts'
import { type PlaceOptions, placeOf } from './eip-place.ts'

export interface PickerOptions extends PlaceOptions {
  readonly cloud: Pick<Cloud, 'describeEips'>
  readonly random: Random
  readonly livePod: (pod: PodName) => PodFact | undefined
}

type Ledger = PlaceOptions['ledger']
type Rival = EipClaim & { readonly wish: SpecifiedWish }

/** Returns what finds the EIP for a claim that has none; as the cloud shows it. Throws `conflict`, and what the cloud throws. */
export function createPicker({ cloud, facts, ledger, livePod, random }: PickerOptions) {
  const underWay = new Map<string, ReturnType<typeof pickAmong>>()

  function contender(claim: Rival, ledger: Ledger): EipContender | undefined {
    const { key, name, namespace, wish } = claim
    const place = placeOf(claim, livePod(claim), { facts, ledger })
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
  function isLeft({ eniId, privateIp, state }: CloudEip, ledger: Ledger): boolean {
    if (state !== 'bound' || privateIp === undefined) return false
    const node = ledger.nodeOf(privateIp)
    if (node === undefined || ledger.eips.onAddress(privateIp) !== undefined) return false
    const eni = ledger.pool(node)?.enis.find(({ ips }) => ips.some(({ address }) => address === privateIp))
    return eni?.id === eniId && !facts.podsOn(node).some(({ ip, terminal }) => ip === privateIp && !terminal)
  }

  /** One that began later, and may have it all the same, is among them, too. */
  function rivals(ids: ReadonlySet<string>): readonly Rival[] {
    const all = ledger.eips.where('Pending').filter(isRival)
    return all.filter(({ wish }) => wish.ids.some((id) => ids.has(id)))
  }

  async function pickAmong(list: readonly EipId[]) {
    const own = new Set(list)
    const ids = new Set([...own, ...rivals(own).flatMap(({ wish }) => wish.ids)])
    const eips = new Map((await describe([...ids])).map((eip) => [eip.id, eip]))
    const once = readOnce(ledger)
    const contenders = rivals(own).flatMap((rival) => contender(rival, once) ?? [])
    const holders = ledger.eips.byEip()
    return { eips, picks: pickEips(contenders, { eips, holders, isLeft: (eip) => isLeft(eip, once) }) }
  }

  /** Whoever asks for the same list meanwhile shares the answer, in which no two have the same. */
  function pickTogether(list: readonly EipId[]) {
    const key = list.join()
    const asking = underWay.get(key) ?? pickAmong(list).finally(() => underWay.delete(key))
    underWay.set(key, asking)
    return asking
  }

  return async (claim: EipClaim): Promise<EipPick | { readonly eip: string; readonly seen: CloudEip }> => {
    const { eips, picks } = await pickTogether(isRival(claim) ? claim.wish.ids : [])
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

function isRival(claim: EipClaim): claim is Rival {
  return claim.wish.source === 'specified'
}

/** Each pool once: many that wait for one list share a few nodes. */
function readOnce(ledger: Ledger): Ledger {
  const pools = new Map<NodeName, NodePool | undefined>()
  return {
    ...ledger,
    pool(node) {
      if (!pools.has(node)) pools.set(node, ledger.pool(node))
      return pools.get(node)
    },
  }
}
