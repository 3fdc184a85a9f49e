// Events of a survey (K3): on the node, and on the pods that lose something.
import { podText } from '../ipam/pod-need.ts'
import type { Suspect } from '../ipam/quarantine.ts'
import type { SurveyIp, SurveySettlement } from '../ipam/survey.ts'
import type { NodeName, Notice } from '../ipam/types.ts'
import { lostReservation } from './apply-survey.ts'
import type { ClusterFacts } from './facts.ts'
import { podNotice } from './pod-notice.ts'

export function surveyNotices(
  confirmed: readonly Suspect[],
  settlements: readonly SurveySettlement[],
  facts: ClusterFacts,
): readonly Notice[] {
  return [
    ...confirmed.flatMap((suspect) => ofSuspect(suspect, facts)),
    ...settlements.flatMap((settlement) => settlementNotices(settlement, facts)),
  ]
}

function ofSuspect({ kind, subject, node, reason, remedy }: Suspect, facts: ClusterFacts): readonly Notice[] {
  const message = `${subject} is in quarantine: ${reason}; ${remedy}`
  const onNode = nodeNotice(node, facts, 'Warning', 'Quarantined', message)
  // Told once more here: who was to tell it when the address was lost may have died first.
  const podReasons = {
    'ip-doubled': 'AddressDoubled',
    'ip-elsewhere': 'AddressLost',
    'pod-stray': 'AddressLost',
  }
  const podReason = podReasons[kind as keyof typeof podReasons] as string | undefined
  if (podReason === undefined) return onNode
  const pods = [...facts.pods()].filter(
    (pod) => !pod.terminal && (pod.ip === subject || podText(pod) === subject),
  )
  return [...onNode, ...pods.map((pod) => podNotice(pod, podReason, message))]
}

export function settlementNotices(settlement: SurveySettlement, facts: ClusterFacts): readonly Notice[] {
  const { node } = settlement
  switch (settlement.kind) {
    case 'drop-ip': {
      const { address, eniId, pod } = settlement
      const message = `address ${address} was taken off ENI "${eniId}", and not by us`
      return [...nodeNotice(node, facts, 'Warning', 'AddressLost', message), ...lost(pod, message)]
    }
    case 'forget-eni': {
      const message = `ENI "${settlement.eniId}" was deleted, and not by us`
      const pods = settlement.ips.flatMap(({ address, pod }) =>
        lost(pod, `address ${address} is lost: its ${message}`),
      )
      return [...nodeNotice(node, facts, 'Warning', 'ENILost', message), ...pods]
    }
    case 'correct-eni': {
      if (settlement.state === 'attached') return []
      const message = `ENI "${settlement.eniId}" was detached, and not by us: it is attached again`
      return nodeNotice(node, facts, 'Warning', 'ENIDetached', message)
    }
    case 'adopt-ip':
      return nodeNotice(
        node,
        facts,
        'Normal',
        'Adopted',
        `address ${settlement.address} was found on an ENI of the node and is in its pool now`,
      )
    case 'adopt-eni': {
      const fate = settlement.goal === 'serve' ? 'is in the pool now' : 'is given back'
      const message = `ENI "${settlement.eni.id}" of this cluster was in no ledger and ${fate}`
      return nodeNotice(node, facts, 'Normal', 'Adopted', message)
    }
    case 'lose-reservation': {
      const { name, namespace, podUid: uid } = settlement.claim
      if (uid === undefined) return []
      const message = `${lostReservation(settlement.claim)}: it is made again as soon as it can be`
      return [podNotice({ namespace, name, uid }, 'ReservationLost', message)]
    }
    case 'unassign-ip': {
      const message = `address ${settlement.address} on ENI "${settlement.eniId}" is reserved for a pod that has no claim: it is unassigned`
      return nodeNotice(node, facts, 'Normal', 'Unassigned', message)
    }
    case 'release-reservation':
    case 'find-reservation':
      return []
  }
}

function nodeNotice(
  name: NodeName | undefined,
  facts: ClusterFacts,
  type: Notice['type'],
  reason: string,
  message: string,
): readonly Notice[] {
  const node = name === undefined ? undefined : facts.node(name)
  if (node === undefined) return []
  return [{ about: { kind: 'Node', name: node.name, uid: node.uid }, type, reason, message }]
}

function lost(pod: SurveyIp['pod'], message: string): readonly Notice[] {
  if (pod === undefined) return []
  return [
    podNotice(pod, 'AddressLost', `${message}; delete this pod, so that a new one gets another address`),
  ]
}
