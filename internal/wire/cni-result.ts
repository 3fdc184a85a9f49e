// The answer to ADD, in the form of the version asked for, behind what earlier plugins of the list made.
import type { Ipv4 } from '../value/ipv4.ts'
import type { Mac } from '../value/mac.ts'
import type { CniConfig } from './cni-request.ts'
import { isAtLeast } from './cni-version.ts'
import type { JsonObject } from './json.ts'

/** A pod that has its address. */
export interface PodConnection {
  readonly address: Ipv4
  /** The next hop inside the pod. */
  readonly gateway: Ipv4
  readonly netns: string
  readonly mtu: number
  readonly pod: { readonly name: string; readonly mac: Mac }
  readonly host: { readonly name: string; readonly mac: Mac }
}

/** The result object of ADD, for the configuration's version; what `prevResult` had comes first and is kept as it was. */
export function formatAddResult(config: CniConfig, connection: PodConnection): JsonObject {
  const before = config.prevResult
  const earlier = before?.interfaces ?? []
  const { cniVersion } = config
  // mtu of an interface came with 1.1, "version" of an address went with 1.0
  const mtu = isAtLeast(cniVersion, '1.1.0') ? { mtu: connection.mtu } : {}
  const version = isAtLeast(cniVersion, '1.0.0') ? {} : { version: '4' }
  return {
    cniVersion,
    interfaces: [
      ...earlier,
      { name: connection.host.name, mac: connection.host.mac, ...mtu },
      { name: connection.pod.name, mac: connection.pod.mac, ...mtu, sandbox: connection.netns },
    ],
    ips: [
      ...(before?.ips ?? []),
      {
        ...version,
        address: `${connection.address}/32`,
        gateway: connection.gateway,
        interface: earlier.length + 1,
      },
    ],
    routes: [...(before?.routes ?? []), { dst: '0.0.0.0/0', gw: connection.gateway }],
    dns: { ...before?.dns, ...config.dns },
  }
}
