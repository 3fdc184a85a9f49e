// Describes many things by id, in calls that the API accepts.
import { errorCode } from '../ipam/errors.ts'
import { pageSize } from './limits.ts'

type Describe<T> = (ids: readonly string[]) => Promise<readonly T[]>

/** What `describe` gives for all `ids`, in as few calls as may be. Ids that do not exist are left out, and so is what nobody asked for. */
export async function describeByIds<T extends { readonly id: string }>(
  ids: Iterable<string>,
  describe: Describe<T>,
): Promise<readonly T[]> {
  const unique = [...new Set(ids)]
  const chunks: string[][] = []
  for (let at = 0; at < unique.length; at += pageSize) chunks.push(unique.slice(at, at + pageSize))
  const found = await Promise.all(chunks.map((chunk) => describeExisting(chunk, describe)))
  const byId = new Map(found.flat().map((one) => [one.id, one]))
  return unique.flatMap((id) => byId.get(id) ?? [])
}

async function describeExisting<T>(ids: readonly string[], describe: Describe<T>): Promise<readonly T[]> {
  try {
    return await describe(ids)
  } catch (error) {
    return describeHalves(error, ids, describe)
  }
}

/** Some actions leave unknown ids out, others refuse the whole call: then halves are asked until the unknown ones stand alone. */
export async function describeHalves<T>(
  error: unknown,
  ids: readonly string[],
  describe: Describe<T>,
): Promise<readonly T[]> {
  if (errorCode(error) !== 'not_found') throw error
  if (ids.length <= 1) return []
  const middle = ids.length >> 1
  const halves = [ids.slice(0, middle), ids.slice(middle)]
  const found = await Promise.all(halves.map((half) => describeExisting(half, describe)))
  return found.flat()
}

/** `"a", "b" and 98 more`, for messages. */
export function listIds(ids: Iterable<string>): string {
  const all = [...ids]
  const shown = all.slice(0, 5).map((id) => `"${id}"`)
  return shown.join(', ') + (all.length > shown.length ? ` and ${all.length - shown.length} more` : '')
}
