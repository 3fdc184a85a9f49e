// What pods and NECs show against the ledger.
import { cidrContains } from '../value/cidr.ts'
import type { Ipv4 } from '../value/ipv4.ts'
import { countsForRouteEni } from './count-pod.ts'
import type { Judgement, Judgements, SurveySnapshot } from './survey.ts'
import type { PodFact, PodName } from './types.ts'

export function judgePods(snapshot: SurveySnapshot): Judgements {
  const active = new Set(snapshot.nodes.filter(({ phase }) => phase === 'active').map(({ name }) => name))
  const live = snapshot.pods.filter(
    (pod) => pod.ip !== undefined && countsForRouteEni(pod) && !pod.deleting && active.has(pod.node ?? ''),
  )
  const places = new Map(
    snapshot.enis.flatMap(({ node, ips }) => ips.map(({ address }) => [address, node] as const)),
  )
  const blocks = [...snapshot.cidrs.values()]
  const isOurs = ({ ip }: PodFact) => ip !== undefined && blocks.some((block) => cidrContains(block, ip))
  // On one node its own database excludes it: a pod without a sandbox (after a reboot) shows an old address for a while.
  const doubled = [...Map.groupBy(live, ({ ip }) => ip)].filter(
    ([, pods]) => new Set(pods.map(({ node }) => node)).size > 1,
  )
  const isElsewhere = (pod: PodFact) => pod.ip !== undefined && places.get(pod.ip) !== pod.node
  const twice = new Set(doubled.map(([address]) => address))
  const strays = live.filter((pod) => isElsewhere(pod) && isOurs(pod) && !twice.has(pod.ip))
  return {
    found: [
      ...doubled.map(
        ([address, pods]): Judgement => ({
          kind: 'ip-doubled',
          subject: address ?? '',
          node: (address && places.get(address)) ?? pods[0]?.node,
          reason: `pods ${pods.map(nameOf).toSorted().join(' and ')} show it, on different nodes`,
          remedy: 'delete all of these pods but one',
          holds: true,
          settle: undefined,
        }),
      ),
      ...strays.map(
        (pod): Judgement => ({
          kind: 'pod-stray',
          subject: `${pod.namespace}/${pod.name}`,
          node: pod.node,
          reason: `it shows ${pod.ip}, which the ledger has ${placeOf(places.get(pod.ip ?? ('' as Ipv4)))}`,
          remedy: 'delete the pod: the next one gets an address of the pool',
          holds: false,
          settle: undefined,
        }),
      ),
      ...[...snapshot.kube.necs].map(
        ([node, difference]): Judgement => ({
          kind: 'nec-differs',
          subject: node,
          node,
          reason: difference,
          remedy: 'see why the leader cannot write it: its log, its permissions',
          holds: false,
          settle: undefined,
        }),
      ),
    ],
    unjudged: new Set(),
  }
}

function placeOf(node: string | undefined): string {
  return node === undefined ? 'nowhere' : `on node "${node}"`
}

function nameOf({ namespace, name }: PodName): string {
  return `"${namespace}/${name}"`
}
