// Whether a claim's pod is there, before what it has is let go: what a list lacks may be there all the same
// (R7), and would lose its network, or its public address.
import { countedAs } from '../../ipam/count-pod.ts'
import { errorCode } from '../../ipam/errors.ts'
import type { PodFact, PodName } from '../../ipam/types.ts'
import type { LeaderKube } from '../../ports.ts'

/** The pod of that name, if one is there. Throws `unavailable` when that cannot be seen now. */
export type PodThere = (pod: PodName) => Promise<PodFact | undefined>

/** `livePod`: as watched; `mayHave`: does a pod count? A role from before this was asked may not ask: then what is watched has to do. */
export function createPodThere(
  kube: Pick<LeaderKube, 'getPod'>,
  livePod: (pod: PodName) => PodFact | undefined,
  mayHave: (pod: PodFact) => boolean = (pod) => countedAs(pod) !== undefined,
): PodThere {
  async function ask(pod: PodName): Promise<PodFact | undefined> {
    try {
      return await kube.getPod(pod)
    } catch (error) {
      if (errorCode(error) === 'denied') return undefined
      throw error
    }
  }
  return async (name) => {
    const watched = livePod(name)
    if (watched !== undefined) return watched
    const pod = await ask(name)
    return pod && mayHave(pod) ? pod : undefined
  }
}
