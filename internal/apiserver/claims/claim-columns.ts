// The columns of `kubectl get vip`, `kubectl get vipc` and `kubectl get eipc`.
import { type Millis, parseDuration } from '../../value/millis.ts'
import { asText, at, type KubeObject } from '../object.ts'
import { age, column, printer } from '../printers.ts'
import type { Column, Printer } from '../resource.ts'
import { expiryText } from './expiry-text.ts'

const wide = (name: string, description: string): Column => ({ ...column(name, 1), description })
const shown = (name: string, description: string): Column => ({ ...column(name), description })
const ageShown = shown('Age', 'Time since the claim was made.')
const phaseShown = shown('Phase', 'Pending, Attaching, Bound, Retained or Releasing.')
const nodeShown = shown('Node', 'Node that the pod is on.')
const policyShown = shown('Policy', 'Immediate: the claim ends with its pod. Never: it stays.')
const ownerShown = wide('Owner', 'The workload that the claim goes with.')
const message = wide('Message', 'Why it is not as it should be.')

/** `none` where kubectl would leave a hole in the row. */
const status = (object: KubeObject, field: string): string => asText(at(object, 'status', field)) || none
const none = '<none>'

export const addressPrinter: Printer = printer(
  [
    shown('Phase', 'Attaching, Assigned, Retained or Releasing.'),
    shown('Namespace/Pod', 'The pod that has the address, or that it is kept for.'),
    nodeShown,
    ageShown,
    wide('ENI', 'Network interface that carries the address.'),
    wide('Subnet', 'Subnet that the address is from.'),
    wide('Zone', 'Zone of the subnet.'),
    wide(
      'Held-By',
      "What keeps the address from others: its pod, a reservation of the VPC, or the interface it's on.",
    ),
    message,
  ],
  (vip, now) => [
    status(vip, 'phase'),
    `${asText(at(vip, 'spec', 'claimRef', 'namespace'))}/${asText(at(vip, 'spec', 'claimRef', 'name'))}`,
    status(vip, 'node'),
    age(vip, now),
    status(vip, 'eniID'),
    status(vip, 'subnetID'),
    status(vip, 'zone'),
    heldBy(vip),
    status(vip, 'message'),
  ],
)

/** How long the leader keeps what does not say so itself, as its setting is now. */
export type ClaimExpiry = () => Millis | undefined

export const claimPrinter = (claimExpiry: ClaimExpiry): Printer =>
  printer(
    [
      phaseShown,
      shown('IP', 'The address.'),
      nodeShown,
      policyShown,
      shown('Expires', 'When the address is given back without a pod.'),
      ageShown,
      ownerShown,
      wide('Subnet', 'Subnet that the address is from.'),
      message,
    ],
    (claim, now) => [
      status(claim, 'phase'),
      status(claim, 'vpcIP'),
      status(claim, 'node'),
      asText(at(claim, 'spec', 'deletePolicy')),
      expires(claim, now, claimExpiry),
      age(claim, now),
      ownerOf(claim),
      status(claim, 'subnetID'),
      status(claim, 'message'),
    ],
  )

export const eipClaimPrinter = (claimExpiry: ClaimExpiry): Printer =>
  printer(
    [
      phaseShown,
      shown('IP', 'The public address.'),
      shown('EIP', 'Id of the EIP.'),
      nodeShown,
      policyShown,
      shown('Expires', 'When the EIP is given back without a pod.'),
      ageShown,
      wide('Private-IP', 'Address of the pod that the EIP is on.'),
      wide('Bandwidth', 'In Mbps, of an EIP that is made for the pod.'),
      wide('ISP', 'Line of an EIP that is made for the pod.'),
      wide('Cost', 'What it is paid for by just now; idle: it serves nobody.'),
      ownerShown,
      message,
    ],
    (claim, now) => [
      status(claim, 'phase'),
      status(claim, 'publicIP'),
      status(claim, 'eipID'),
      status(claim, 'node'),
      asText(at(claim, 'spec', 'deletePolicy')),
      expires(claim, now, claimExpiry),
      age(claim, now),
      status(claim, 'privateIP'),
      wished(claim, 'bandwidth'),
      wished(claim, 'isp'),
      status(claim, 'cost'),
      ownerOf(claim),
      status(claim, 'message'),
    ],
  )

function wished(claim: KubeObject, field: string): string {
  const value = at(claim, 'spec', field)
  return value === undefined ? none : String(value)
}

function heldBy(vip: KubeObject): string {
  const reservation = asText(at(vip, 'status', 'reservationID'))
  if (reservation !== '') return reservation
  if (asText(at(vip, 'status', 'podUID')) !== '') return 'pod'
  return status(vip, 'eniID')
}

function expires(claim: KubeObject, now: number, claimExpiry: ClaimExpiry): string {
  const expiry = Date.parse(asText(at(claim, 'status', 'expiresAt')))
  return expiryText({
    isReleasing: claim.metadata.deletionTimestamp !== undefined,
    policy: asText(at(claim, 'spec', 'deletePolicy')),
    left: Number.isNaN(expiry) ? undefined : expiry - now,
    keptFor: parseDuration(asText(at(claim, 'spec', 'claimExpiredDuration'))) ?? claimExpiry(),
  })
}

function ownerOf(claim: KubeObject): string {
  const kind = asText(at(claim, 'status', 'owner', 'kind'))
  return kind === '' ? none : `${kind}/${asText(at(claim, 'status', 'owner', 'name'))}`
}
