// What must be in force on each node, by what operators did: followed from outside, version by version of every NEC.

import type {
  EniMode,
  Nec,
  NodeBounds,
  NodeDefaults,
  NodeName,
  NodeOverrides,
  WarmTargets,
} from '../../../internal/ipam/types.ts'
import { usualTypes } from '../../../internal/sim/vpc/instance-table.ts'
import type { Millis } from '../../../internal/value/millis.ts'
import { judgeAnnotations, type Settings } from './annotations.ts'
import type { SimNode, World } from './world.ts'

interface Seen {
  /** Every set that a leader may have found right, whichever versions of the NEC it has seen. */
  readonly right: Map<string, Settings>
  /** As first published for each instance under the name. */
  readonly defaults: Map<string, NodeDefaults>
  /** Since when it may have exclusive ENIs; from its first NEC on that is no news to pods that ask before it. */
  exclusiveSince: Millis
}

export class ExpectedSettings {
  readonly #world: World
  readonly #seen = new Map<NodeName, Seen>()

  constructor(world: World) {
    this.#world = world
  }

  /** A NEC has changed. */
  see(nec: Nec): void {
    const { name, annotations, publication, report } = nec
    const seen = this.#seen.get(name) ?? {
      right: new Map([['{}', {}]]),
      defaults: new Map(),
      exclusiveSince: Number.NEGATIVE_INFINITY,
    }
    this.#seen.set(name, seen)
    for (const before of seen.right.values()) {
      const settings = judgeAnnotations(annotations, report, before)
      if (settings !== undefined) seen.right.set(keyOf(settings), settings)
    }
    if (publication === undefined) return
    const key = `${nec.uid} ${publication.instanceId}`
    if (!seen.defaults.has(key)) seen.defaults.set(key, publication.defaults)
    if (publication.exclusive.maxEnis === 0) seen.exclusiveSince = Number.POSITIVE_INFINITY
    else if (seen.exclusiveSince === Number.POSITIVE_INFINITY) seen.exclusiveSince = this.#world.clock.now()
  }

  /** Since when the node has been allowed exclusive ENIs. */
  exclusiveSince(node: NodeName): Millis {
    return this.#seen.get(node)?.exclusiveSince ?? Number.POSITIVE_INFINITY
  }

  /** At any time: nothing is in force that was never right. */
  faults(): string[] {
    return this.#world.nodes.flatMap(({ name }) => {
      const inForce = this.#inForce(name)
      const seen = this.#seen.get(name)
      if (inForce === undefined || seen === undefined || seen.right.has(keyOf(inForce))) return []
      return [`${name}: ${keyOf(inForce)} is in force, and was never right`]
    })
  }

  /** Once quiet: what is right is in force, what is wrong is said to be, and the bounds follow from it. */
  quietFaults(node: SimNode): string[] {
    const nec = this.#world.kube.necs.items.get(node.name)
    const inForce = this.#inForce(node.name)
    if (nec?.publication === undefined || inForce === undefined) return [`${node.name} has no NEC`]
    const now = judgeAnnotations(nec.annotations, nec.report, inForce)
    const said = nec.publication.conditions.find(({ type }) => type === 'SettingsApplied')?.status
    const defaults = this.#seen.get(node.name)?.defaults.get(`${nec.uid} ${nec.publication.instanceId}`)
    const expected = this.#bounds(node, inForce, defaults ?? nec.publication.defaults)
    const { shared, exclusive, instanceEnis } = nec.publication
    const published = { shared, exclusive, instanceEnis }
    return [
      ...(now !== undefined && keyOf(now) !== keyOf(inForce)
        ? [`${node.name}: ${keyOf(now)} is right, and ${keyOf(inForce)} in force`]
        : []),
      ...(said !== (now === undefined ? 'False' : 'True')
        ? [
            `${node.name}: SettingsApplied is ${said}, and the annotations are ${now === undefined ? 'wrong' : 'right'}`,
          ]
        : []),
      ...(this.#world.defaultsEver.some((one) => keyOf(one) === keyOf(nec.publication?.defaults ?? {}))
        ? []
        : [`${node.name}: defaults are ${keyOf(nec.publication.defaults)}, and no setting ever said so`]),
      ...(keyOf(expected) === keyOf(published)
        ? []
        : [`${node.name}: bounds are ${keyOf(published)} instead of ${keyOf(expected)}`]),
    ]
  }

  #inForce(name: NodeName): Settings | undefined {
    const node = this.#world.ledger.node(name)
    return node === undefined ? undefined : settingsOf(node.overrides)
  }

  #bounds(node: SimNode, settings: Settings, defaults: NodeDefaults): NodeBounds {
    const { maxEnisPerNode, exclusiveEnis } = this.#world.settings
    const quota = quotaOf(node.type)
    const maxPods = this.#world.kube.nodes.items.get(node.name)?.maxPods
    const podCap = maxPods === undefined ? {} : { maxPods }
    const instanceEnis = Math.min(quota.enis, maxEnisPerNode ?? quota.enis)
    const none = { minWarm: 0, maxWarm: 0 }
    const capped = (value: number | undefined, most: number) => Math.min(value ?? most, most)
    const shared = targetsOf('shared', settings, defaults)
    const exclusive = targetsOf('exclusive', settings, defaults)
    return {
      shared: {
        ...shared,
        maxEnis: capped(settings['route-eni-max-attach'], instanceEnis),
        ipsPerEni: capped(settings['max-ip-per-route-eni'], quota.ipsPerEni),
        ...podCap,
      },
      exclusive: {
        ...(exclusiveEnis ? exclusive : none),
        maxEnis: exclusiveEnis ? capped(settings['direct-eni-max-attach'], instanceEnis) : 0,
        ipsPerEni: 1,
        ...podCap,
      },
      instanceEnis,
    }
  }
}

/** Fixed when the node came (P9), but for what annotations say. */
function targetsOf(mode: EniMode, settings: Settings, defaults: NodeDefaults): WarmTargets {
  const prefix = mode === 'shared' ? 'route-eni-ip' : 'direct-eni'
  const [minWarm, maxWarm] = [settings[`${prefix}-min-warm-target`], settings[`${prefix}-max-warm-target`]]
  return minWarm !== undefined && maxWarm !== undefined ? { minWarm, maxWarm } : defaults[mode]
}

/** For pods. */
export function quotaOf(type: string): { readonly enis: number; readonly ipsPerEni: number } {
  const { enis = 1, ipsPerEni = 1 } = usualTypes.find(({ name }) => name === type) ?? {}
  return { enis: enis - 1, ipsPerEni: ipsPerEni - 1 }
}

function settingsOf(overrides: NodeOverrides): Settings {
  const { sharedWarm, exclusiveWarm, maxExclusiveEnis, maxIpsPerEni, maxSharedEnis } = overrides
  const all = {
    'route-eni-ip-min-warm-target': sharedWarm?.minWarm,
    'route-eni-ip-max-warm-target': sharedWarm?.maxWarm,
    'direct-eni-min-warm-target': exclusiveWarm?.minWarm,
    'direct-eni-max-warm-target': exclusiveWarm?.maxWarm,
    'route-eni-max-attach': maxSharedEnis,
    'max-ip-per-route-eni': maxIpsPerEni,
    'direct-eni-max-attach': maxExclusiveEnis,
  }
  return Object.fromEntries(
    Object.entries(all).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  )
}

/** The same for the same content. */
function keyOf(value: object): string {
  const sorted = (item: unknown): unknown =>
    typeof item === 'object' && item !== null
      ? Object.fromEntries(
          Object.entries(item)
            .toSorted(([a], [b]) => (a < b ? -1 : 1))
            .map(([key, each]) => [key, sorted(each)]),
        )
      : item
  return JSON.stringify(sorted(value))
}
