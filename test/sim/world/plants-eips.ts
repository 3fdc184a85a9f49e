// Known mistakes with public addresses, as in plants.ts.
import { createdTag } from '../../../internal/ipam/eip-tags.ts'
import type { CloudEip, EipId } from '../../../internal/ipam/types.ts'
import type { LeaderLedger, LedgerEips } from '../../../internal/ports.ts'
import type { KnownMistake } from './plants.ts'

export const eipPlants: Readonly<Record<string, KnownMistake>> = {
  /** What a pod had is released when it goes, whoever paid for it. */
  'users-eip-released': {
    peers: 'eip',
    cloud(cloud) {
      const had = new Set<EipId>()
      return {
        ...cloud,
        async disassociateEip(eip, priority) {
          await cloud.disassociateEip(eip, priority)
          had.add(eip)
        },
        async describeEips(query, priority) {
          const eips = await cloud.describeEips(query, priority)
          for (const { id, state, tags } of eips)
            if (state === 'unbound' && had.delete(id) && !(createdTag in tags))
              cloud.releaseEip(id, 'release').catch(() => {})
          return eips
        },
      }
    },
  },
  /** An allocation without an answer is asked for once more, under another token. */
  'eip-asked-anew': {
    peers: 'eip',
    cloud(cloud) {
      const answered = new Set<EipId>()
      const looks = new Map<EipId, number>()
      let asked = 0
      const isSeen = ({ id }: CloudEip) => {
        const count = (looks.get(id) ?? 0) + 1
        looks.set(id, count)
        return answered.has(id) || count > 20
      }
      return {
        ...cloud,
        async allocateEip(request, priority) {
          const clientToken = `${request.clientToken.slice(0, 50)}-${++asked}`
          const id = await cloud.allocateEip({ ...request, clientToken }, priority)
          answered.add(id)
          return id
        },
        async describeEips(query, priority) {
          const eips = await cloud.describeEips(query, priority)
          return 'tags' in query ? eips.filter(isSeen) : eips
        },
      }
    },
  },
  /** An address leaves its ENI whatever EIP is on it. */
  'unassigned-before-disassociated': {
    peers: 'eip',
    leaderLedger: (ledger) => withEips(ledger, { onAddress: () => undefined }),
  },
  /** What is tagged as ours is nobody's, whatever the ledger says of it. */
  'eip-sweep-ignores-claims': {
    peers: 'eip',
    leaderLedger: (ledger) =>
      withEips(ledger, { byEip: () => new Map(), tokens: () => new Map(), ofEip: () => undefined }),
  },
  /** ip-masq-agent is told what leaders know, and nothing else any more. */
  'masq-edit-drops-others': {
    peers: 'eip',
    leaderKube: (kube, _, world) => ({
      ...kube,
      async keepSources(addresses, how) {
        const outcome = await kube.keepSources(addresses, how)
        const { masqConfig, masqWitness } = world.kube
        if (masqConfig === undefined || addresses.length === 0) return outcome
        const ranges = JSON.stringify(addresses.map((address) => `${address}/32`))
        world.kube.masqConfig = { ...masqConfig, text: `{"NonMasqueradeSrcCIDRs":${ranges}}` }
        masqWitness()
        return outcome
      },
    }),
  },
  /** A kept EIP goes with its pod. */
  'kept-eip-goes-with-pod': {
    peers: 'eip',
    leaderLedger: (ledger) => ({
      ...ledger,
      write: (change) =>
        ledger.write((tx) =>
          change({
            ...tx,
            changeEipClaim: (claim, wanted) =>
              tx.changeEipClaim(
                claim,
                wanted.phase === 'Retained'
                  ? { ...wanted, phase: 'Releasing', retainedAt: undefined, expiresAt: undefined }
                  : wanted,
              ),
          }),
        ),
    }),
  },
}

function withEips(ledger: LeaderLedger, change: Partial<LedgerEips>): LeaderLedger {
  return { ...ledger, eips: { ...ledger.eips, ...change } }
}
