// Writes into the ledger what a survey decided, in its transaction.

import { podIps } from '../ipam/eni-tags.ts'
import type { SurveyClaim, SurveyPlan, SurveySettlement, SurveySnapshot } from '../ipam/survey.ts'
import type { NodeDefaults, PodFact } from '../ipam/types.ts'
import type { LeaderLedger, LeaderTx } from '../ports.ts'
import type { Ipv4 } from '../value/ipv4.ts'
import { withoutHeld } from './eips/held-addresses.ts'

export interface SurveyTarget {
  readonly tx: LeaderTx
  readonly ledger: LeaderLedger
  /** For nodes that come into it. */
  readonly defaults: NodeDefaults
  readonly newToken: () => string
}

export function applySurvey(target: SurveyTarget, plan: SurveyPlan, snapshot: SurveySnapshot): void {
  const { tx, ledger } = target
  tx.setSuspects(plan.suspects)
  if (plan.settlements.length === 0) return
  const taken = new Set(snapshot.enis.flatMap(({ ips }) => ips.map(({ address }) => address)))
  const holders = holdersOf(snapshot.pods)
  for (const settlement of plan.settlements) {
    for (const address of settle(target, settlement, taken)) {
      const pod = holders.get(address)
      if (pod !== undefined && pod.node === ledger.nodeOf(address)) tx.setPod(address, pod)
    }
  }
}

/** Returns the addresses that came into the ledger. */
function settle(target: SurveyTarget, settlement: SurveySettlement, taken: Set<Ipv4>): readonly Ipv4[] {
  const { tx, newToken } = target
  switch (settlement.kind) {
    case 'drop-ip':
      tx.dropIp(settlement.address, 'it is not on its ENI any more, by no doing of ours')
      taken.delete(settlement.address)
      return []
    case 'forget-eni':
      tx.forgetEni(settlement.eni, 'its ENI does not exist any more, by no doing of ours')
      for (const { address } of settlement.ips) taken.delete(address)
      return []
    case 'correct-eni':
      tx.correctEni(settlement.eni, settlement.state)
      return []
    case 'adopt-ip':
      if (taken.has(settlement.address)) return []
      tx.adoptIp(settlement.eni, settlement.address, 'it was found on its ENI')
      taken.add(settlement.address)
      return [settlement.address]
    case 'adopt-eni':
      return adopt(target, settlement, taken)
    case 'unassign-ip':
      unassign(target, settlement, taken)
      return []
    case 'release-reservation':
      return [] // nothing of it is in the ledger
    case 'find-reservation':
      tx.changeClaim(settlement.claim, { reservation: settlement.id, reserveToken: settlement.token })
      return []
    case 'lose-reservation':
      // The token of before would bring the one that is gone.
      tx.changeClaim(settlement.claim, {
        reservation: undefined,
        reserveToken: newToken(),
        reason: 'ReservationLost',
        message: lostReservation(settlement.claim),
      })
      return []
  }
}

/** It comes into the ledger as one that leaves: no pool has it meanwhile, and its ENI has nothing else to do. What waits the next survey finds again. */
function unassign(
  { tx, ledger, newToken }: SurveyTarget,
  { eni, address, node: name }: Extract<SurveySettlement, { kind: 'unassign-ip' }>,
  taken: Set<Ipv4>,
): void {
  const node = ledger.node(name)
  const reason = 'reserved for a pod that has no claim'
  const { action } = withoutHeld({ kind: 'unassign', eni, addresses: [address], reason }, ledger)
  const isBusy = ledger.openIntents().some((intent) => intent.eni === eni)
  if (node === undefined || action === undefined || isBusy || taken.has(address)) return
  tx.adoptIp(eni, address, 'it was found on its ENI')
  tx.record(node, action, undefined, newToken())
  taken.add(address)
}

const noBounds = { minWarm: 0, maxWarm: 0, maxEnis: 0, ipsPerEni: 0 }

function adopt(
  { tx, ledger, defaults }: SurveyTarget,
  {
    eni,
    cidr,
    slot,
    mode,
    state,
    goal,
    node,
    formerInstance,
  }: Extract<SurveySettlement, { kind: 'adopt-eni' }>,
  taken: Set<Ipv4>,
): readonly Ipv4[] {
  if (formerInstance !== undefined && ledger.node(node) === undefined) {
    tx.addNode({
      name: node,
      uid: '',
      instanceId: formerInstance,
      zone: '',
      phase: 'leaving',
      shared: noBounds,
      exclusive: noBounds,
      instanceEnis: 0,
      quota: { instanceType: '', enis: 0, ipsPerEni: 0, eips: 0 },
      defaults,
      overrides: {},
    })
  }
  const addresses = podIps(eni, mode)
    .filter(({ address, state: of }) => of === 'available' && !taken.has(address))
    .map(({ address }) => address)
  for (const address of addresses) taken.add(address)
  const { id, mac, primaryIp, subnetId } = eni
  const ips = addresses.map((address) => ({ address, grant: undefined }))
  tx.adoptEni(
    { id, node, slot, mode, subnetId, subnetCidr: cidr, mac, primaryIp, state, goal, ips },
    'its ENI was found',
  )
  return addresses
}

function holdersOf(pods: readonly PodFact[]): ReadonlyMap<Ipv4, PodFact> {
  const live = pods.filter(({ terminal, hostNetwork }) => !terminal && !hostNetwork)
  return new Map(live.flatMap((pod) => (pod.ip === undefined ? [] : [[pod.ip, pod] as const])))
}

export function lostReservation({
  address,
  reservation,
}: Pick<SurveyClaim, 'address' | 'reservation'>): string {
  return `reservation ${reservation} of ${address} was released, and not by us`
}
