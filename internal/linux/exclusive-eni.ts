// An ENI's link on its way into a pod's namespace and back (X2). It is looked for by its MAC each time, in both namespaces: names change
// on the way, and whoever was killed half-way is followed by somebody who goes on from wherever the link is.
import { IpamError } from '../ipam/errors.ts'
import type { ExclusiveWiring } from '../ipam/types.ts'
import { type BatchLine, firstFault, readBatch } from './batch.ts'
import type { Batcher } from './batcher.ts'
import { findEniLink } from './eni-link.ts'
import { cleanLines, giveLines, ownEniLines, takeLines } from './exclusive-lines.ts'
import { inspectEni } from './inspect-eni.ts'
import type { LanePool } from './lane-pool.ts'
import { requireLinkName, requireNetnsPath } from './names.ts'
import { isNetns } from './netns.ts'
import { query } from './query.ts'
import { rows } from './read-kernel.ts'

export interface EniMover {
  readonly host: Batcher
  readonly pods: LanePool
  /** Its lanes have detailedOptions. */
  readonly details: LanePool
  /** Path of the node's namespace, as seen from anywhere. */
  readonly home: () => string
}

type Place = Pick<ExclusiveWiring, 'mac' | 'netns' | 'ifname'>

/** A link that this call has moved is brought back when the rest fails. Throws `kernel`, `bad_input`. */
export async function giveEni(mover: EniMover, wiring: ExclusiveWiring): Promise<void> {
  const { ifname, netns } = wiring
  requirePlace(wiring)
  if (!isNetns(netns)) throw failed('give', wiring, 'there is no such network namespace')
  const links = await linksIn(mover, netns)
  const own = findEniLink(links, wiring)
  if (own?.name === ifname) return await furnish(mover, wiring)
  if (links.some((link) => link['ifname'] === ifname))
    throw failed('give', wiring, `its network namespace has another link "${ifname}" already`)
  if (own !== undefined) await takeEni(mover, wiring) // under another name
  const link = findEniLink(await linksIn(mover, ''), wiring)
  if (link === undefined) throw failed('give', wiring, 'no link on the node has its MAC')
  try {
    await runOnNode(mover, 'give', wiring, giveLines(link, wiring))
    await furnish(mover, wiring)
  } catch (error) {
    // Also when the move itself failed: it may be the new name only that the kernel refused.
    await takeEni(mover, wiring).catch(() => {})
    throw error
  }
}

/** The link is down then, without addresses, routes and alias. Nothing when it is nowhere. Throws `kernel`, `bad_input`. */
export async function takeEni(mover: EniMover, place: Place): Promise<void> {
  requirePlace(place)
  const own = findEniLink(await linksIn(mover, place.netns), place)
  if (own !== undefined) return await runInPod(mover, 'take', place, takeLines(own, place.mac, mover.home()))
  const link = findEniLink(await linksIn(mover, ''), place)
  if (link !== undefined) await runOnNode(mover, 'take', place, cleanLines(link, place.mac))
}

async function furnish(mover: EniMover, wiring: ExclusiveWiring): Promise<void> {
  await runInPod(mover, 'give', wiring, ownEniLines(wiring))
  const faults = await inspectEni(mover.details, wiring)
  if (faults.length > 0) throw failed('give', wiring, faults.join('; '))
}

async function runOnNode(
  { host }: EniMover,
  doing: Doing,
  place: Place,
  lines: readonly BatchLine[],
): Promise<void> {
  const fault = firstFault(lines, await host.run(lines))
  if (fault !== undefined) throw failed(doing, place, fault)
}

async function runInPod(
  { pods }: EniMover,
  doing: Doing,
  place: Place,
  lines: readonly BatchLine[],
): Promise<void> {
  const answer = await pods.use((lane) => {
    lane.begin(place.netns)
    return lane.finish(lines.map(({ text }) => text))
  })
  const fault = firstFault(lines, readBatch(answer))
  if (fault !== undefined) throw failed(doing, place, `in the pod, ${fault}`)
}

/** Of the namespace at `netns`, '' for the node's; none when there is no such namespace (any more). */
async function linksIn({ details }: EniMover, netns: string): Promise<ReturnType<typeof rows>> {
  if (netns !== '' && !isNetns(netns)) return []
  try {
    const [answer] = await query(details, netns, ['link show'])
    return rows(answer)
  } catch (fault) {
    if (netns === '' || isNetns(netns)) throw fault
    return []
  }
}

function requirePlace({ ifname, netns }: Place): void {
  requireLinkName(ifname)
  requireNetnsPath(netns)
}

type Doing = 'give' | 'take'

function failed(doing: Doing, { ifname, mac, netns }: Place, what: string): IpamError {
  const where = `${doing === 'give' ? 'to' : 'from'} a pod ("${ifname}" in "${netns}")`
  return new IpamError('kernel', `Cannot ${doing} ENI ${mac} ${where}: ${what}`)
}
