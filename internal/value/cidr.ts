// An IPv4 block ("10.0.1.0/24") and the arithmetic a VPC subnet needs.
import { type Ipv4, ipv4FromNumber, ipv4ToNumber, parseIpv4 } from './ipv4.ts'

export type Cidr = string & { readonly brand: 'cidr' }

/** The block in `text`, or undefined when it is malformed or has host bits set. */
export function parseCidr(text: string): Cidr | undefined {
  const [address, bits, ...rest] = text.split('/')
  if (address === undefined || bits === undefined || rest.length > 0 || !/^\d{1,2}$/.test(bits))
    return undefined
  const base = parseIpv4(address)
  if (base === undefined || Number(bits) > 32) return undefined
  return ipv4ToNumber(base) % 2 ** (32 - Number(bits)) === 0 ? (text as Cidr) : undefined
}

/** First number, prefix length and number of addresses of the block. */
export function cidrRange(cidr: Cidr): { first: number; bits: number; size: number } {
  const [address = '', bits = '32'] = cidr.split('/')
  return { first: ipv4ToNumber(address as Ipv4), bits: Number(bits), size: 2 ** (32 - Number(bits)) }
}

/** Is `ip` inside `cidr`? */
export function cidrContains(cidr: Cidr, ip: Ipv4): boolean {
  const { first, size } = cidrRange(cidr)
  const n = ipv4ToNumber(ip)
  return n >= first && n < first + size
}

/** The subnet's gateway: a VPC subnet keeps its first host address for it. */
export function gatewayOf(cidr: Cidr): Ipv4 {
  return ipv4FromNumber(cidrRange(cidr).first + 1)
}
