// Exclusive ENIs where pods have them: looked for in all network namespaces of the runtime, because a node whose database is lost knows
// neither its pods' namespaces nor what is in them. Each ENI says whose it is by the alias that giveEni() left.
import { readdirSync, type Stats, statSync } from 'node:fs'
import { join } from 'node:path'
import { type EniInPod, readEniAlias } from '../ipam/link-identity.ts'
import type { LanePool } from './lane-pool.ts'
import { isNetns } from './netns.ts'
import { isHostLink } from './pod-link.ts'
import { query } from './query.ts'
import { readLinks, rows } from './read-kernel.ts'

/** `own` is the path of the node's namespace. */
export async function findEnis(
  lanes: LanePool,
  directories: readonly string[],
  own: string,
): Promise<readonly EniInPod[]> {
  const home = identify(own)
  const found: EniInPod[] = []
  for (const path of directories.flatMap(namespacesIn)) {
    if (identify(path) !== home) found.push(...(await enisIn(lanes, path)))
  }
  return found
}

async function enisIn(lanes: LanePool, path: string): Promise<readonly EniInPod[]> {
  const [answer] = await query(lanes, path, ['link show']).catch((fault: unknown) => {
    if (isNetns(path)) throw fault
    return [] // it ended meanwhile
  })
  const aliases = new Map(rows(answer).map(({ ifalias, ifname }) => [ifname, String(ifalias)]))
  return readLinks(answer).flatMap(({ mac, name }) => {
    // In a test, all nodes of a cluster may keep their namespaces in one place.
    const identity = isHostLink(name) ? undefined : readEniAlias(aliases.get(name))
    if (identity === undefined || mac === undefined) return []
    // The runtime may know the namespace by another path: it will use that again.
    const netns = identify(identity.netns) === identify(path) ? identity.netns : path
    return [{ ...identity, mac, netns }]
  })
}

function namespacesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
      .toSorted()
      .map((name) => join(directory, name))
      .filter(isNetns)
  } catch {
    return [] // another runtime's
  }
}

/** The same for two paths of one namespace. */
function identify(path: string): string | undefined {
  const stats: Stats | undefined = statSync(path, { throwIfNoEntry: false })
  return stats === undefined ? undefined : `${stats.dev} ${stats.ino}`
}
