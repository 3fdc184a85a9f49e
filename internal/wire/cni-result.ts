// The answer to ADD, in the form of the version asked for, behind what earlier plugins of the list made.
import type { Ipv4 } from '../value/ipv4.ts'
import type { Mac } from '../value/mac.ts'
import type { CniConfig } from './cni-request.ts'
import { isAtLeast } from './cni-version.ts'
import type { JsonObject } from './json.ts'

/** A pod that has its address. */
export interface PodConnection {
  readonly address: Ipv4
  /** Bits of the address's block as the pod has it. */
  readonly bits: number
  /** The next hop inside the pod. */
  readonly gateway: Ipv4
  readonly netns: string
  readonly mtu: number | undefined
  readonly pod: { readonly name: string; readonly mac: Mac }
  /** The other end of the pod's link; undefined where there is none on the node. */
  readonly host: { readonly name: string; readonly mac: Mac } | undefined
}

/** The result object of ADD, for the configuration's version; what `prevResult` had comes first and is kept as it was. */
export function formatAddResult(config: CniConfig, connection: PodConnection): JsonObject {
  const before = config.prevResult
  const earlier = before?.interfaces ?? []
  const { cniVersion } = config
  // mtu of an interface came with 1.1, "version" of an address went with 1.0
  const tellMtu = connection.mtu !== undefined && isAtLeast(cniVersion, '1.1.0')
  const mtu = tellMtu ? { mtu: connection.mtu } : {}
  const version = isAtLeast(cniVersion, '1.0.0') ? {} : { version: '4' }
  const { host, pod } = connection
  const others = host === undefined ? earlier : [...earlier, { ...host, ...mtu }]
  return {
    cniVersion,
    interfaces: [...others, { ...pod, ...mtu, sandbox: connection.netns }],
    ips: [
      ...(before?.ips ?? []),
      {
        ...version,
        address: `${connection.address}/${connection.bits}`,
        gateway: connection.gateway,
        interface: others.length,
      },
    ],
    routes: [...(before?.routes ?? []), { dst: '0.0.0.0/0', gw: connection.gateway }],
    dns: { ...before?.dns, ...config.dns },
  }
}
