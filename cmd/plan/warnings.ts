// What a change leads to that the figures of a plan do not show.
import { necAnnotations, shortName } from '../../internal/ipam/nec-settings.ts'
import { resourceNames } from '../../internal/ipam/resource-counts.ts'
import { type EniMode, eniModes, type NodeBounds } from '../../internal/ipam/types.ts'

const minima: Readonly<Record<EniMode, string>> = {
  shared: necAnnotations.sharedMinWarm,
  exclusive: necAnnotations.exclusiveMinWarm,
}
/** What pods get of each kind, in the singular. */
export const things: Readonly<Record<EniMode, string>> = { shared: 'address', exclusive: 'exclusive ENI' }

/** A sentence for each, without a node's name. */
export function warningsOf(before: NodeBounds, after: NodeBounds): readonly string[] {
  return eniModes
    .filter((mode) => before[mode].minWarm > 0 && after[mode].minWarm === 0 && after[mode].maxEnis > 0)
    .map((mode) => {
      const name = shortName(minima[mode])
      return `with ${name} 0 no idle ${things[mode]} is kept, and pods that ask for one by the resource ${resourceNames[mode]} are not scheduled here while none is idle: allocatable is what is bound`
    })
}
