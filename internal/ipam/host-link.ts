// The name of a pod's host-side link: stable for a sandbox interface, within Linux' 15 characters.

export const hostLinkPrefix = 'tke'

/** "tke" and 11 hexadecimal digits of a hash (cyrb53) of container id and interface. */
export function hostLinkName(containerId: string, ifname: string): string {
  let a = 0xdeadbeef
  let b = 0x41c6ce57
  for (const char of `${containerId}/${ifname}`) {
    const code = char.codePointAt(0) ?? 0
    a = Math.imul(a ^ code, 2654435761)
    b = Math.imul(b ^ code, 1597334677)
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909)
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909)
  const hash = (b >>> 0).toString(16).padStart(8, '0') + (a >>> 0).toString(16).padStart(8, '0')
  return hostLinkPrefix + hash.slice(0, 11)
}
