// The next hop inside every pod: an address that no VPC can have, on no link, answered for by a permanent neighbour entry.
import type { Ipv4 } from '../value/ipv4.ts'

export const podGateway = '169.254.1.1' as Ipv4
