// Exclusive ENIs that pods have and the ledger does not know of (its file was lost, or a backup took its place). Such a link is not on the
// node, so that no survey shows it; but it says whose it is, in the namespace where it is.
import type { Log } from '../base/log.ts'
import { hostLinkName } from '../ipam/host-link.ts'
import type { EniInPod } from '../ipam/link-identity.ts'
import type { Attachment, Linux, NodeEni, NodeKube, NodeLedger, SandboxKey } from '../ports.ts'
import type { Mac } from '../value/mac.ts'
import type { LocalPool } from './local-pool.ts'
import type { NodeSettings } from './settings.ts'

export interface GivenEnis {
  /** Adopts the sandboxes that have these, which are free by the ledger and not on the node. Each is sought once as long as it is away. Throws `kernel`, `storage`. */
  adopt(away: readonly Pick<NodeEni, 'mac' | 'primaryIp'>[]): Promise<void>
  /** Brings back the ENI of a sandbox that the ledger does not have; nothing when it has none. Throws `kernel`, `storage`. */
  remove(key: SandboxKey, reason: string): Promise<void>
}

export interface GivenEnisOptions {
  readonly ledger: NodeLedger
  readonly linux: Linux
  readonly pool: Pick<LocalPool, 'bounds'>
  readonly log: Log
  readonly settings: NodeSettings
  readonly notify: NodeKube['notify']
}

export function createGivenEnis(options: GivenEnisOptions): GivenEnis {
  const { ledger, linux, log, notify, pool, settings } = options
  let sought: ReadonlySet<Mac> = new Set()

  /** To look into every namespace takes a while: only where such ENIs may be. */
  function mayBe(): boolean {
    return ledger.enis().some(({ mode }) => mode === 'exclusive') || pool.bounds()?.exclusive.maxEnis !== 0
  }

  return {
    async adopt(away) {
      const now = new Set(away.map(({ mac }) => mac))
      const fresh = away.filter(({ mac }) => !sought.has(mac))
      const given = fresh.length === 0 ? [] : await linux.findEnis()
      const found = given.filter(({ address, mac }) =>
        fresh.some((eni) => eni.mac === mac && eni.primaryIp === address),
      )
      const adopted =
        found.length === 0
          ? []
          : await ledger.write((tx) => found.map(attachmentOfEni).filter((each) => tx.adopt(each)))
      sought = now // only now: what could not be stored is sought again
      for (const { address, containerId, pod } of adopted) {
        log.info('pod adopted', { address, ...pod, container: containerId })
      }
      if (adopted.length === 0) return
      const pods = adopted.length === 1 ? '1 pod' : `${adopted.length} pods`
      const message = `found ${pods} with an ENI of their own that the database of this node did not have: adopted, and left as they are`
      const about = { kind: 'Node', name: settings.nodeName } as const
      notify({ about, type: 'Normal', reason: 'Adopted', message })
    },
    async remove(key, reason) {
      const hostLink = hostLinkName(key.containerId, key.ifname)
      if (!mayBe() || ledger.letGo(hostLink)) return
      const eni = (await linux.findEnis()).find((each) => isOf(each, key))
      if (eni === undefined) return
      const { address, mac } = eni
      await linux.takeEni(eni)
      await ledger.write((tx) => tx.letGo({ hostLink, address }, tx.now + settings.cooldown, reason))
      log.info('unknown ENI brought back', { mac, address, container: key.containerId, reason })
    },
  }
}

function isOf(eni: EniInPod, { containerId, ifname }: SandboxKey): boolean {
  return eni.containerId === containerId && eni.ifname === ifname
}

export function attachmentOfEni({ mac: _, ...identity }: EniInPod): Attachment {
  return { ...identity, hostLink: hostLinkName(identity.containerId, identity.ifname) }
}
