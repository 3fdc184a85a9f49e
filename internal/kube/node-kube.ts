// The node agent's side of Kubernetes: port NodeKube over HTTP. It reads its own NEC and its own node's pods only.
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import type { DefaultNetwork } from '../ipam/names.ts'
import type { Nec, NodeName, PodFact } from '../ipam/types.ts'
import type { NodeKube } from '../ports.ts'
import { decodeNec, encodeReport } from '../wire/nec.ts'
import type { KubeClient } from './client.ts'
import { createEvents } from './events.ts'
import { toPodFact } from './facts.ts'
import { mergeNec, necCollection } from './nec-api.ts'
import { reflect } from './reflector.ts'
import type { ReflectorLimits, Source } from './source.ts'

export interface NodeKubeParts {
  readonly client: KubeClient
  readonly node: NodeName
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly defaultNetwork: DefaultNetwork
  readonly limits?: Partial<ReflectorLimits>
}

export function createNodeKube(parts: NodeKubeParts): NodeKube & { close(): void } {
  const { client, node, defaultNetwork } = parts
  const events = createEvents({ ...parts, instance: node })
  const nec: Source<Nec> = {
    what: 'NEC',
    path: necCollection,
    fieldSelector: `metadata.name=${node}`,
    read: decodeNec,
    freshness: 'consistent', // a selector by name reads one key
  }
  const pods: Source<PodFact> = {
    what: 'pods',
    path: '/api/v1/pods',
    fieldSelector: `spec.nodeName=${node}`,
    read: (object) => toPodFact(object, defaultNetwork),
    freshness: 'cached', // a consistent one would read every pod of the cluster
  }
  return {
    watchNec: (feed) => reflect(nec, feed, parts),
    watchPods: (feed) => reflect(pods, feed, parts),
    async report(report) {
      await mergeNec(client, node, 'status', encodeReport(report))
    },
    notify: events.notify,
    close: events.close,
  }
}
