// Known mistakes, built in on purpose: the simulation is worth something only if it finds them.
import { IpamError } from '../../../internal/ipam/errors.ts'
import type { Nec } from '../../../internal/ipam/types.ts'
import type { Feed } from '../../../internal/ports.ts'
import type { Plant } from './world.ts'

export const plants: Readonly<Record<string, Plant>> = {
  /** A call without an answer is taken for one that did not happen. */
  'outcome-not-recorded': {
    cloud: (cloud) => ({
      ...cloud,
      createEni: async (...request) => {
        try {
          return await cloud.createEni(...request)
        } catch (error) {
          if (error instanceof IpamError && error.code === 'unknown_outcome')
            throw new IpamError('unavailable', error.message)
          throw error
        }
      },
    }),
  },
  /** A freed address is handed out again at once. */
  'cooldown-ignored': { nodeSettings: { cooldown: 0 } },
  /** The leader takes back addresses that the node has not given up. */
  'release-without-proof': {
    leaderKube: (kube, random) => ({
      ...kube,
      watchNecs: (feed) =>
        kube.watchNecs(mapFeed(feed, (nec) => (random.next() < 0.2 ? withStolenReturn(nec) : nec))),
    }),
  },
  /** What the kernel has and the database has not is taken for a leftover: a lost database costs every pod its network. */
  'lost-database-believed': { nodeLedger: (ledger) => ({ ...ledger, letGo: () => true }) },
  /** A DEL frees whatever the pod has now, not what its sandbox had. */
  'released-by-pod-name': {
    agent: (agent, ledger) => {
      const podOf = new Map<string, string>()
      return {
        ...agent,
        add: (sandbox, signal) => {
          podOf.set(sandbox.containerId, sandbox.pod.uid)
          return agent.add(sandbox, signal)
        },
        async remove(key) {
          const [current] = ledger.attachmentsOfPod(podOf.get(key.containerId) ?? '', key.ifname)
          await agent.remove(current ?? key)
        },
      }
    },
  },
}

function mapFeed<T>(feed: Feed<T>, change: (item: T) => T): Feed<T> {
  return {
    replaced: (items) => feed.replaced(items.map(change)),
    changed: (item) => feed.changed(change(item)),
    removed: (item) => feed.removed(item),
  }
}

function withStolenReturn(nec: Nec): Nec {
  const stolen = nec.publication?.enis[0]?.ips[0]
  if (stolen === undefined || nec.report === undefined) return nec
  return { ...nec, report: { ...nec.report, returned: [...nec.report.returned, stolen] } }
}
