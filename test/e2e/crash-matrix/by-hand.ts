// What people do past leader and agents: in the cloud's console, and with `ip link` on a node.
import type { DevNode } from '../../../cmd/dev/cluster.ts'
import { query } from '../../../cmd/dev/query.ts'
import { clusterId, podSubnets, vpc } from '../../../cmd/dev/topology.ts'
import { tagsOf } from '../../../internal/ipam/eni-tags.ts'
import { hostLinkName } from '../../../internal/ipam/host-link.ts'
import { necPath } from '../../../internal/kube/nec-api.ts'
import { nodeNetns } from '../../../internal/sim/fabric/fabric-lines.ts'
import type { Audit } from '../../../internal/sim/vpc/audit.ts'
import { type Console, cloudConsole } from '../../sim/world/console.ts'
import { inSandbox } from './in-sandbox.ts'
import type { Rig } from './rig.ts'

/** Somebody adds to what the leader has: an address, and an ENI that looks like ours. The ENI of the bare node is taken off. */
export async function addByHand(rig: Rig): Promise<void> {
  const hand = handOf(rig)
  const [{ name, instanceId }, eni] = firstEni(rig, rig.served()[0])
  const tags = tagsOf({ clusterId, node: name, instanceId, slot: 3, mode: 'shared', token: 'by hand' })
  await rig.until('an ENI is made', () =>
    hand.create({ vpc: vpc.id, subnet: podSubnets[0].id, tags, ips: 1 }),
  )
  await rig.until('an address is added', () => hand.assign(eni, 1)) // it has room: its node has few pods now
  const [bare, its] = firstEni(rig, rig.bare())
  await rig.until('its ENI is off', () => isOff(rig, its, bare))
  await rig.cluster.killLeader() // its survey comes with its start
}

/** Somebody takes away an idle address, and the ENI of the bare node. */
export async function removeByHand(rig: Rig): Promise<void> {
  const hand = handOf(rig)
  const [node = ''] = rig.served()
  const owned = addressesInUse(rig, node)
  const enis = new Set(enisOf(rig, node).map(({ id }) => id))
  const idle = audit(rig).ips.find((ip) => enis.has(ip.eniId) && !ip.primary && !owned.has(ip.address))
  if (idle !== undefined)
    await rig.until('an address is taken away', () => hand.unassign(idle.eniId, idle.address))
  const [bare, its] = firstEni(rig, rig.bare())
  await rig.until('its ENI is gone', () => isGone(rig, its, bare))
  await rig.cluster.killLeader()
}

/** If not, it is taken off, unless the cloud is busy with it. */
function isOff(rig: Rig, eni: string, { instanceId }: DevNode): boolean {
  const found = findEni(rig, eni)
  if (found?.state !== 'AVAILABLE') return found === undefined
  if (found.instanceId !== null) handOf(rig).detach(eni, instanceId)
  return found.instanceId === null
}

function isGone(rig: Rig, eni: string, node: DevNode): boolean {
  if (isOff(rig, eni, node)) handOf(rig).remove(eni)
  return findEni(rig, eni) === undefined
}

/** That of the bare node. */
export async function deleteNec(rig: Rig): Promise<void> {
  const [{ name }] = firstEni(rig, rig.bare())
  await rig.cluster.kube.call({ doing: `delete NEC "${name}"`, method: 'DELETE', path: necPath(name) })
}

/** A link that looks like a pod's and says not whose: each agent finds it as it starts. */
export async function makeStrayLinks(rig: Rig): Promise<void> {
  rig.strays++
  await onStrayLinks(rig, (link) => ['add', link, 'type', 'veth', 'peer', 'name', 'stray'])
  await rig.until('it is in quarantine', () => rig.served().every((node) => isQuarantined(rig, node)))
}

export async function removeStrayLinks(rig: Rig): Promise<void> {
  await onStrayLinks(rig, (link) => ['del', link])
  await rig.until('nothing is in quarantine', () => !rig.served().some((node) => isQuarantined(rig, node)))
}

async function onStrayLinks(rig: Rig, change: (link: string) => readonly string[]): Promise<void> {
  const { host } = rig.cluster
  for (const node of rig.served()) {
    await inSandbox(host, ['ip', '-n', nodeNetns(node), 'link', ...change(strayLink(rig))])
    await host.call('killAgent', { node })
  }
}

/** Each time another one: what comes back after it was gone for good is no stray but a leftover. */
function strayLink({ strays }: Rig): string {
  return hostLinkName(`stray-${strays}`, 'eth0')
}

function isQuarantined(rig: Rig, node: string): boolean {
  const sql = 'SELECT 1 FROM quarantine WHERE subject = ?'
  return query(rig.cluster.nodeDb(node), 'node', sql, strayLink(rig)).length > 0
}

function handOf({ cluster }: Rig): Console {
  return cloudConsole(cluster.cloud, () => Date.now())
}

function audit({ cluster: { cloud } }: Rig): Audit {
  const now = Date.now()
  cloud.advance(now)
  return cloud.admin.audit(now)
}

function findEni(rig: Rig, wanted: string): Audit['enis'][number] | undefined {
  return audit(rig).enis.find(({ id }) => id === wanted)
}

function enisOf(rig: Rig, name: string | undefined): Audit['enis'] {
  const node = rig.cluster.nodes().find((one) => one.name === name)
  return audit(rig).enis.filter((one) => one.instanceId === node?.instanceId && !one.primary)
}

/** The ENI that the node had first, and its node. */
function firstEni(rig: Rig, name: string | undefined): readonly [DevNode, string] {
  const node = rig.cluster.nodes().find((one) => one.name === name)
  const [eni] = enisOf(rig, name)
  if (node === undefined || eni === undefined) throw new Error(`node "${name}" has no ENI`)
  return [node, eni.id]
}

function addressesInUse({ cluster }: Rig, node: string): ReadonlySet<string> {
  const rows = query<{ address: string }>(cluster.nodeDb(node), 'node', 'SELECT address FROM attachment')
  return new Set(rows.map(({ address }) => address))
}
