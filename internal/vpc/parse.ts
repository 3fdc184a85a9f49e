// API objects as our own facts. All throw MalformedAnswer: an ENI with a state or an address that we cannot read
// must stop the caller, because a guess could give one address to two pods.
import type {
  CloudEni,
  CloudEniQuota,
  CloudInstance,
  CloudIp,
  CloudSubnet,
  EniId,
  SubnetId,
} from '../ipam/types.ts'
import type { Reservation } from '../ports.ts'
import { parseCidr } from '../value/cidr.ts'
import { type Ipv4, parseIpv4 } from '../value/ipv4.ts'
import { parseMac } from '../value/mac.ts'
import { type Answer, MalformedAnswer } from './answer.ts'

const eniStates = new Map<string, CloudEni['state']>(
  Object.entries({
    PENDING: 'pending',
    AVAILABLE: 'available',
    ATTACHING: 'attaching',
    DETACHING: 'detaching',
    DELETING: 'deleting',
  } as const),
)

const ipStates = new Map<string, CloudIp['state']>(
  Object.entries({
    PENDING: 'pending',
    AVAILABLE: 'available',
    MIGRATING: 'migrating',
    DELETING: 'deleting',
  } as const),
)

/** The id in `text`, or undefined when no call would take it as one. */
export function parseEniId(text: string): EniId | undefined {
  return /^eni-[0-9a-z]{8,}$/.test(text) ? text : undefined
}

export function parseEni(answer: Answer): CloudEni {
  const addresses = answer.objects('PrivateIpAddressSet')
  const primaryIp = addresses.find((ip) => ip.flag('Primary'))
  if (primaryIp === undefined) {
    throw new MalformedAnswer(`${answer.place}.PrivateIpAddressSet`, 'a primary address', addresses.length)
  }
  refuseTwins(answer, addresses)
  const attachment = answer.optionalObject('Attachment')
  // A newer word, documented for another field, that means available and attached.
  const eniState = (text: string) =>
    text === 'INUSE' && attachment !== undefined ? 'available' : eniStates.get(text)
  return {
    id: answer.parsed('NetworkInterfaceId', 'the id of an ENI', parseEniId),
    name: answer.anyText('NetworkInterfaceName'),
    subnetId: answer.text('SubnetId'),
    mac: answer.parsed('MacAddress', 'a MAC address', parseMac),
    state: answer.parsed('State', 'a known state', eniState),
    primary: answer.flag('Primary'),
    instanceId: attachment?.text('InstanceId'),
    primaryIp: parseAddress(primaryIp),
    ips: addresses.filter((ip) => ip !== primaryIp).map(parseIp),
    tags: parseTags(answer),
  }
}

function refuseTwins({ place }: Answer, addresses: readonly Answer[]): void {
  const seen = new Set<Ipv4>()
  for (const address of addresses.map(parseAddress)) {
    if (seen.has(address))
      throw new MalformedAnswer(`${place}.PrivateIpAddressSet`, 'each address once', address)
    seen.add(address)
  }
}

function parseIp(answer: Answer): CloudIp {
  if (answer.flag('Primary'))
    throw new MalformedAnswer(`${answer.place}.Primary`, 'only one primary address', true)
  const state = answer.parsed('State', 'a known state', (text) => ipStates.get(text))
  return { address: parseAddress(answer), state }
}

export function parseAddress(answer: Answer): Ipv4 {
  return answer.parsed('PrivateIpAddress', 'an IPv4 address', parseIpv4)
}

export function parseTags(answer: Answer): Readonly<Record<string, string>> {
  const tags: [string, string][] = answer.optionalObjects('TagSet').map((tag) => {
    return [tag.text('Key'), tag.anyText('Value')]
  })
  return Object.fromEntries(tags)
}

/** The id in `text`, or undefined when no call would take it as one. */
export function parseReservationId(text: string): string | undefined {
  return /^rsvip-[0-9a-z]{8,}$/.test(text) ? text : undefined
}

/** Messages name it: one of any length would make them endless. */
function parseVpcId(text: string): string | undefined {
  return text.length <= 64 ? text : undefined
}

const reservationStates = new Map([
  ['Bind', { bound: true }],
  ['UnBind', { bound: false }],
])

/** The pages' examples leave the subnet out. */
export type SeenReservation = Omit<Reservation, 'subnetId'> & { readonly subnetId: SubnetId | undefined }

export function parseReservation(answer: Answer): SeenReservation {
  return {
    id: answer.parsed('ReserveIpId', 'the id of a reservation', parseReservationId),
    vpcId: answer.parsed('VpcId', 'the id of a VPC', parseVpcId),
    subnetId: answer.anyText('SubnetId') || undefined,
    address: answer.parsed('ReserveIpAddress', 'an IPv4 address', parseIpv4),
    ...answer.parsed('State', 'a known state', (text) => reservationStates.get(text)),
    tags: parseTags(answer),
  }
}

export function parseSubnet(answer: Answer): CloudSubnet {
  return {
    id: answer.text('SubnetId'),
    vpcId: answer.text('VpcId'),
    cidr: answer.parsed('CidrBlock', 'an IPv4 block', parseCidr),
    zone: answer.text('Zone'),
    available: answer.count('AvailableIpAddressCount'),
  }
}

export function parseInstance(answer: Answer): CloudInstance {
  return {
    id: answer.text('InstanceId'),
    zone: answer.object('Placement').text('Zone'),
    vpcId: answer.object('VirtualPrivateCloud').anyText('VpcId'),
    instanceType: answer.text('InstanceType'),
    cpus: answer.count('CPU'),
    state: answer.text('InstanceState'),
    addresses: answer.texts('PrivateIpAddresses').map((text, i) => {
      const address = parseIpv4(text)
      if (address !== undefined) return address
      throw new MalformedAnswer(`${answer.place}.PrivateIpAddresses[${i}]`, 'an IPv4 address', text)
    }),
  }
}

export function parseEniQuota(answer: Answer): CloudEniQuota {
  return { enis: answer.count('EniQuantity'), ipsPerEni: answer.count('EniPrivateIpAddressQuantity') }
}
