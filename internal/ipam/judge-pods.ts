// What pods and NECs show against the ledger.
import { cidrContains } from '../value/cidr.ts'
import { countedAs } from './count-pod.ts'
import { isAtHome, podIps, purposeOf } from './eni-tags.ts'
import { podText } from './pod-need.ts'
import type { Judgement, Judgements, SurveySnapshot } from './survey.ts'
import type { PodFact, PodName } from './types.ts'

export function judgePods(snapshot: SurveySnapshot): Judgements {
  const active = new Set(snapshot.nodes.filter(({ phase }) => phase === 'active').map(({ name }) => name))
  const live = snapshot.pods.filter(
    (pod) =>
      pod.ip !== undefined && countedAs(pod) !== undefined && !pod.deleting && active.has(pod.node ?? ''),
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
  const twice = new Set(doubled.map(([address]) => address))
  const placeOf = ({ ip }: PodFact) => (ip === undefined ? undefined : places.get(ip))
  const single = live.filter((pod) => !twice.has(pod.ip) && placeOf(pod) !== pod.node)
  const elsewhere = [...Map.groupBy(single, ({ ip }) => ip)].filter(([, [pod]]) => pod && placeOf(pod))
  // What the cloud shows on an ENI of ours, where that should be, comes into the ledger with it.
  const claimed = snapshot.cloud.filter((eni) => eni.instanceId === undefined || isAtHome(eni))
  const found = new Set(
    claimed.flatMap((eni) => podIps(eni, purposeOf(eni).mode).map(({ address }) => address)),
  )
  const isLost = ({ ip }: PodFact) => ip === undefined || !found.has(ip)
  const strays = single.filter((pod) => placeOf(pod) === undefined && isOurs(pod) && isLost(pod))
  // Taken off by hand while it passed from pod to pod, an address may have come again, for another.
  const owners = new Map(snapshot.claims.map((claim) => [claim.address, podText(claim)]))
  const ownerOf = ({ ip }: PodFact) => (ip === undefined ? undefined : owners.get(ip))
  const others = live.filter((pod) => {
    const owner = ownerOf(pod)
    return owner !== undefined && owner !== podText(pod) && !twice.has(pod.ip) && placeOf(pod) === pod.node
  })
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
      ...elsewhere.map(
        ([address, pods]): Judgement => ({
          kind: 'ip-elsewhere',
          subject: address ?? '',
          node: address && places.get(address),
          reason: `pod ${pods.map(nameOf).toSorted().join(' and ')} shows it, on node "${pods[0]?.node}"`,
          remedy: 'delete the pod: the next one gets an address of its node',
          holds: true,
          settle: undefined,
        }),
      ),
      ...[...strays, ...others].map(
        (pod): Judgement => ({
          kind: 'pod-stray',
          subject: `${pod.namespace}/${pod.name}`,
          node: pod.node,
          reason: `it shows ${pod.ip}, which ${placeOf(pod) === undefined ? 'the ledger has nowhere' : `is kept for pod "${ownerOf(pod)}"`}`,
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

function nameOf(pod: PodName): string {
  return `"${podText(pod)}"`
}
