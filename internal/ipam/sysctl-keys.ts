// Names of the kernel settings we keep (D3). A dot in a link's name is written as a slash, as sysctl(8) does.

export const forwardingKey = 'net.ipv4.ip_forward'

/** The key of a link's reverse-path filter; `all` for every link. */
export function rpFilterKey(link: string): string {
  return `net.ipv4.conf.${link.replaceAll('.', '/')}.rp_filter`
}
