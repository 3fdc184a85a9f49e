// An IPv4 address as the canonical dotted text ("10.0.1.5"): readable in SQLite, JSON and logs as it is.

export type Ipv4 = string & { readonly brand: 'ipv4' }

/** The address in `text`, or undefined when it is not four decimal numbers of 0 to 255 without leading zeros. */
export function parseIpv4(text: string): Ipv4 | undefined {
  const parts = text.split('.')
  if (parts.length !== 4) return undefined
  for (const part of parts) if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined
  return text as Ipv4
}

/** The address as an unsigned 32-bit number. */
export function ipv4ToNumber(ip: Ipv4): number {
  return ip.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
}

/** The address of an unsigned 32-bit number. */
export function ipv4FromNumber(n: number): Ipv4 {
  return [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255].join('.') as Ipv4
}

/** Orders addresses by their number, so that 10.0.0.9 comes before 10.0.0.10. */
export function compareIpv4(a: Ipv4, b: Ipv4): number {
  return ipv4ToNumber(a) - ipv4ToNumber(b)
}
