// Looks at EIPs in the cloud: those by id the client asks for together; what calls have brought is read off one list of the cluster's, which
// all that ask within a while share.
import type { Clock } from '../../base/clock.ts'
import type { EipClaim } from '../../ipam/eip-claim.ts'
import { clusterEips, purposeOfEip } from '../../ipam/eip-tags.ts'
import type { SeenEip } from '../../ipam/plan-eip.ts'
import type { CloudEip } from '../../ipam/types.ts'
import type { Cloud } from '../../ports.ts'
import type { Millis } from '../../value/millis.ts'

export interface EipLooks {
  /** Of a row with an EIP that one, of another the one that bears its token. Throws what the cloud throws. */
  find(row: EipClaim): Promise<SeenEip>
  /** All that were made for pods of the cluster. Throws what the cloud throws. */
  made(): Promise<readonly CloudEip[]>
}

/** Who asks within it asks together. */
const gatherFor: Millis = 50

export function createEipLooks(cloud: Cloud, clock: Clock, clusterId: string): EipLooks {
  let gathering: Promise<{ readonly at: Millis; readonly eips: readonly CloudEip[] }> | undefined

  function list() {
    gathering ??= new Promise((resolve) => {
      clock.after(gatherFor, () => {
        gathering = undefined
        const at = clock.now()
        const answer = cloud.describeEips({ tags: clusterEips(clusterId) }, 'warm-refill')
        resolve(answer.then((eips) => ({ at, eips })))
      })
    })
    return gathering
  }

  return {
    made: async () => (await list()).eips,
    async find({ allocateToken, eipId }) {
      if (eipId === undefined) {
        const { at, eips } = await list()
        const eip = eips.find(({ tags }) => purposeOfEip(tags)?.token === allocateToken)
        return { at, answeredAt: clock.now(), eip }
      }
      const at = clock.now()
      const [eip] = await cloud.describeEips({ ids: [eipId] }, 'warm-refill')
      return { at, answeredAt: clock.now(), eip }
    },
  }
}
