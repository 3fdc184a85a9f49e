// The address of this machine that the API server most likely reaches.
import { networkInterfaces } from 'node:os'
import { IpamError } from '../ipam/errors.ts'
import { type Ipv4, parseIpv4 } from '../value/ipv4.ts'
import type { KubeClient } from './client.ts'

/** That of a connection to the API server; where that tells nothing, the first one of the machine. Throws as KubeClient.call, and bad_input. */
export async function ownAddress(client: KubeClient, signal?: AbortSignal): Promise<Ipv4> {
  const doing = 'connect to the API server'
  const answer = await client.open({ doing, path: '/version', ...(signal === undefined ? {} : { signal }) })
  const local = answer.socket.localAddress ?? ''
  answer.destroy()
  const found = parseIpv4(local.replace(/^::ffff:/, ''))
  if (found !== undefined && !found.startsWith('127.')) return found
  const others = Object.values(networkInterfaces()).flatMap((each) => each ?? [])
  const first = others.find(({ family, internal }) => family === 'IPv4' && !internal)
  const address = parseIpv4(first?.address ?? '')
  if (address !== undefined) return address
  throw new IpamError(
    'bad_input',
    'Cannot tell the API server where to find us: this machine has no IPv4 address',
    {
      hint: 'give one with --api-advertise-address',
    },
  )
}
