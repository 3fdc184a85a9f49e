// What `kubectl explain vip`, `kubectl explain vipc` and `kubectl explain eipc` say.
import type { JsonObject } from '../object.ts'

const text = (description: string): JsonObject => ({ type: 'string', description })
const time = (description: string): JsonObject => ({ type: 'string', format: 'date-time', description })
const group = (description: string, properties: JsonObject): JsonObject => ({
  type: 'object',
  description,
  properties,
})

const place = {
  node: text('Node that the pod is on; none while the address is only kept.'),
  podUID: text('Uid of the pod that has the claim now; none while the address is only kept.'),
  eniID: text(
    'Elastic network interface that carries the address, while one does: a kept address rests on it for a few minutes.',
  ),
  subnetID: text('Subnet of the VPC that the address is from.'),
  zone: text('Availability zone of the subnet: a static pod can only run on nodes of this zone.'),
}

const keeping = {
  reservationID: text(
    'Reservation of the VPC that keeps the address from others. A kept address without one stays on its network interface.',
  ),
  retainedAt: time('When the last pod of this name ended.'),
}

const why = {
  reason: text('One word for why it is not as it should be; empty when it is.'),
  message: text('The same as a sentence, with what the cloud said.'),
}

const owner = group('The topmost workload of the pod: the claim goes when it is deleted.', {
  apiVersion: text('API group and version of the workload.'),
  kind: text('Kind of the workload.'),
  name: text('Name of the workload, in the namespace of the claim.'),
  uid: text('Uid of the workload.'),
})

const type = { type: 'string', enum: ['Pod'], description: 'What the address is for.' }

export const claimSchema: JsonObject = group(
  'VpcIPClaim is the claim of a pod to an address of the VPC. It has the name of the pod. That of a static pod stays when the pod ends, and the next pod of that name gets the same address; deleting it gives the address back.',
  {
    spec: group('What the pod asks for.', {
      type,
      deletePolicy: {
        type: 'string',
        enum: ['Immediate', 'Never'],
        description:
          "Immediate: the claim ends with its pod. Never: it is static and stays (the pod's annotation tke.cloud.tencent.com/vpc-ip-claim-delete-policy).",
      },
      mode: {
        type: 'string',
        enum: ['shared', 'exclusive'],
        description:
          'shared: the address is one of several on a network interface (tke-route-eni). exclusive: the pod has an interface of its own (tke-direct-eni).',
      },
      claimExpiredDuration: text(
        'How long the claim is kept without a pod, such as "1h0m0s". Without it, as long as the leader\'s setting says.',
      ),
      nominatedVpcIP: text('The very address that the pod asks for.'),
      nominatedENISubnets: {
        type: 'array',
        items: { type: 'string' },
        description: 'Subnets that the address shall be from.',
      },
    }),
    status: group('What became of it.', {
      phase: {
        type: 'string',
        enum: ['Pending', 'Attaching', 'Bound', 'Retained', 'Releasing'],
        description:
          'Pending: no address yet. Attaching: it has one, which is being brought to its node. Bound: the pod has it. Retained: no pod, the address is kept. Releasing: the address is being given back, then the claim is gone.',
      },
      vpcIP: text('The address; the VpcIP of that name shows its side.'),
      ...place,
      ...keeping,
      expiresAt: time(
        'When the address is given back unless a pod of this name comes before. What counts is the time that passes, not where clocks are set.',
      ),
      owner,
      ...why,
    }),
  },
)

export const addressSchema: JsonObject = group(
  'VpcIP is an address of the VPC that is in use by a pod or kept for one. It is named as the address. To give it back, delete its VpcIPClaim.',
  {
    spec: group('Whose address it is.', {
      type,
      claimRef: group('The claim that has the address.', {
        apiVersion: text('API group and version of the claim.'),
        kind: text('Always VpcIPClaim.'),
        namespace: text('Namespace of the claim and of its pod.'),
        name: text('Name of the claim and of its pod.'),
        uid: text('Uid of the claim.'),
      }),
      subnetID: place.subnetID,
      zone: place.zone,
    }),
    status: group('Where it is.', {
      phase: {
        type: 'string',
        enum: ['Attaching', 'Assigned', 'Retained', 'Releasing'],
        description:
          'Attaching: it is being brought to the node of its pod; message says what the VPC answered. Assigned: a pod has it. Retained: it is kept for the next pod of that name. Releasing: it is being given back.',
      },
      ...place,
      ...keeping,
      ...why,
    }),
  },
)

export const eipClaimSchema: JsonObject = group(
  'EIPClaim is the claim of a pod to a public address, an EIP. It has the name of the pod. A static one stays when the pod ends, and the next pod of that name gets the same EIP; deleting it gives the EIP back.',
  {
    spec: group("What the pod's annotations ask for.", {
      type,
      deletePolicy: {
        type: 'string',
        enum: ['Immediate', 'Never'],
        description:
          "Immediate: the claim ends with its pod. Never: it is static and stays (the pod's annotation tke.cloud.tencent.com/eip-claim-delete-policy).",
      },
      claimExpiredDuration: text(
        'How long the claim is kept without a pod, such as "1h0m0s". Without it, as long as the leader\'s setting says.',
      ),
      source: {
        type: 'string',
        enum: ['created', 'specified'],
        description:
          "created: the EIP is made for the pod, and released with the claim (annotation tke.cloud.tencent.com/eip-attributes). specified: it is one of a list of its user's (tke.cloud.tencent.com/eip-id-list), and only ever unbound.",
      },
      bandwidth: { type: 'integer', description: 'Bandwidth to ask for, in Mbps.' },
      isp: text('Line to ask for: BGP, CMCC, CTCC or CUCC.'),
      chargeType: text('How traffic is paid for, in the words of the API of EIPs.'),
      eipIDs: {
        type: 'array',
        items: { type: 'string' },
        description: 'EIPs of the user that the pod may get one of.',
      },
      ordinal: {
        type: 'integer',
        description:
          'Which of eipIDs the pod gets, counted from 0: the number that its name ends in. Without it, any that is free.',
      },
    }),
    status: group('What became of it.', {
      phase: {
        type: 'string',
        enum: ['Pending', 'Attaching', 'Bound', 'Retained', 'Releasing'],
        description:
          "Pending: no EIP yet. Attaching: it has one, which is not bound to the pod's address. Bound: it is. Retained: no pod, the EIP is kept. Releasing: the EIP is being given back, then the claim is gone.",
      },
      publicIP: text('The public address.'),
      eipID: text('Id of the EIP.'),
      privateIP: text('Address of the pod that the EIP is on, or on its way to or from.'),
      node: text('Node that the pod is on; none while the EIP is only kept.'),
      podUID: text('Uid of the pod that has the claim now; none while the EIP is only kept.'),
      eniID: text('Elastic network interface of the private address.'),
      cost: {
        type: 'string',
        enum: ['none', 'user', 'idle', 'traffic', 'bandwidth', 'package'],
        description:
          "What it is paid for by just now. none: there is no EIP. user: it is its user's. idle: it is bound to nothing, which is paid for by the hour. traffic, bandwidth, package: it serves, and is paid for so.",
      },
      retainedAt: keeping.retainedAt,
      expiresAt: time(
        'When the EIP is given back unless a pod of this name comes before. What counts is the time that passes, not where clocks are set.',
      ),
      owner,
      ...why,
    }),
  },
)
