// A static address that no reservation keeps, because it was parked on an ENI or its reservation is gone: reserved as soon as it is on no
// ENI, so that nobody else gets it.
import type { Log } from '../../base/log.ts'
import type { Random } from '../../base/random.ts'
import { randomToken } from '../../base/random-token.ts'
import type { Claim } from '../../ipam/claim.ts'
import { errorCode } from '../../ipam/errors.ts'
import { parked } from '../../ipam/judge-placement.ts'
import { podText } from '../../ipam/pod-need.ts'
import { purposeOfReservation } from '../../ipam/reservation-tags.ts'
import type { Cloud, LeaderKube, LeaderLedger, Reservation } from '../../ports.ts'
import type { Ipv4 } from '../../value/ipv4.ts'
import type { Millis } from '../../value/millis.ts'
import { claimNotice, isSameTrouble } from '../pod-notice.ts'
import type { LeaderSettings } from '../settings.ts'
import type { ReservePermission } from './reserve-permission.ts'
import { reserveRequest } from './reserve-request.ts'

export interface Holder {
  /** Returns after how long to look again; undefined when something has to happen first. Throws `storage`, `conflict`, and what the cloud throws when nothing is known of the outcome. */
  hold(claim: Claim): Promise<Millis | undefined>
}

export interface HolderOptions {
  readonly kube: Pick<LeaderKube, 'notify'>
  readonly cloud: Cloud
  readonly ledger: LeaderLedger
  readonly random: Random
  readonly log: Log
  readonly settings: LeaderSettings
  readonly permission: ReservePermission
}

export function createHolder(options: HolderOptions): Holder {
  const { cloud, kube, ledger, log, permission, random, settings } = options

  /** While a pod has it, or waits for it, its node's look says how it is. */
  async function say(
    claim: Claim,
    { message, reason }: Pick<Claim, 'reason' | 'message'>,
    warns = false,
  ): Promise<void> {
    if (claim.phase !== 'Retained' || isSameTrouble(claim, { message, reason })) return
    await ledger.write((tx) => tx.changeClaim(claim, { reason, message }))
    if (warns && claim.reason !== reason) kube.notify(claimNotice(claim, reason, message))
  }

  async function store(claim: Claim, { id, tags }: Reservation): Promise<undefined> {
    const token = purposeOfReservation(tags)?.token ?? claim.reserveToken
    const cleared = claim.phase === 'Retained' ? { reason: '', message: '' } : {}
    await ledger.write((tx) => tx.changeClaim(claim, { reservation: id, reserveToken: token, ...cleared }))
    permission.note(undefined)
    log.info('address reserved', { pod: podText(claim), address: claim.address })
  }

  async function taken(
    claim: Claim,
    address: Ipv4,
    subnetId: string,
    why: string,
  ): Promise<Millis | undefined> {
    const found = await cloud.describeReservations({ addresses: [address], subnetId }, 'warm-refill')
    const its = found.find(({ tags }) => {
      const purpose = purposeOfReservation(tags)
      return purpose?.clusterId === settings.clusterId && podText(purpose) === podText(claim)
    })
    if (its !== undefined) return store(claim, its)
    const { name, namespace, phase } = claim
    const remedy = `delete its claim, so that the pod gets another address: tke-eni delete vipc ${name} -n ${namespace} --force`
    if (phase === 'Retained') await say(claim, { reason: 'AddressTaken', message: why }, true)
    else kube.notify(claimNotice(claim, 'AddressTaken', `${why} Nothing kept it; ${remedy}`))
    return settings.reconcileEvery
  }

  return {
    async hold(claim) {
      const { address, reserveToken, subnetId } = claim
      if (address === undefined || subnetId === undefined) return undefined
      if (ledger.nodeOf(address) !== undefined) {
        await say(claim, parked(address, claim.eniId))
        return undefined
      }
      if (permission.refused()) {
        await say(claim, { reason: 'Unreserved', message: unreserved(claim, permission.why()) }, true)
        return undefined
      }
      if (reserveToken === undefined) {
        await ledger.write((tx) => tx.changeClaim(claim, { reserveToken: randomToken(random) }))
        return 0
      }
      try {
        const request = reserveRequest(claim, subnetId, address, settings.clusterId)
        return await store(claim, await cloud.reserveIp(request, 'warm-refill'))
      } catch (error) {
        const { message } = error as Error
        switch (errorCode(error)) {
          case 'conflict':
            return taken(claim, address, subnetId, message)
          case 'denied':
            permission.note(message)
            return 0
          default:
            throw error
        }
      }
    },
  }
}

function unreserved({ address }: Claim, why: string | undefined): string {
  return `nothing keeps ${address} from others: it is on no ENI, and cannot be reserved${why === undefined ? '' : ` (${why})`}`
}
