// Reads of the kernel's state: `ip -N -json` in any network namespace, asked again when a dump was interrupted by a change.
import { IpamError } from '../ipam/errors.ts'
import { readBatch, readJson } from './batch.ts'
import type { LanePool } from './lane-pool.ts'

/** A busy node changes often, but not during each of these. */
const attempts = 10

/** Options of a lane that query() uses: numbers instead of names from /etc/iproute2. */
export const queryOptions = ['-N', '-json'] as const

/** The same, with the kind of each link. */
export const detailedOptions = ['-d', ...queryOptions] as const

/**
 * The JSON of each of `lines` in the namespace at path `netns` ('' for our own); undefined for a line that failed.
 * Throws `kernel` when `ip` cannot be run there. (`ip` forgets to print addresses after `link show`: ask for them first.)
 */
export async function query(
  lanes: LanePool,
  netns: string,
  lines: readonly string[],
): Promise<readonly unknown[]> {
  for (let attempt = 1; ; attempt += 1) {
    const answer = await lanes.use((lane) => {
      lane.begin(netns)
      return lane.finish(lines)
    })
    if (answer.output.includes('Dump was interrupted') && attempt < attempts) continue
    const { aborted } = readBatch(answer)
    if (aborted !== undefined) {
      throw new IpamError(
        'kernel',
        `Cannot read the network of ${netns === '' ? 'this node' : `"${netns}"`}: ${aborted}`,
      )
    }
    return readJson(lines, answer)
  }
}
