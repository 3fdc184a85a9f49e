// Reads a list page by page although it changes meanwhile. The API counts offsets in its present list, so a deletion
// before the offset would silently skip items; pages therefore overlap, and a page that shares nothing is read again earlier.

export interface Page<T> {
  readonly items: readonly T[]
  /** Length of the whole list now. */
  readonly total: number
}

export interface Keyed {
  readonly id: string
}

const overlap = 10
const stepBack = 90
/** As many pages as the list has, and as many again and a few more for disturbances. */
const mostPages = (length: number) => 200 + 2 * Math.ceil(length / stepBack)
/** Whatever the answers say of their length. */
const maxPages = 20_000

/** All items, each once and as last seen; undefined when the list never held still. The API must keep its order. */
export async function readPages<T extends Keyed>(
  page: (offset: number) => Promise<Page<T>>,
): Promise<readonly T[] | undefined> {
  const seen = new Map<string, T>()
  let offset = 0
  let longest = 0
  for (let pages = 0; pages < Math.min(maxPages, mostPages(longest)); pages++) {
    const { items, total } = await page(offset)
    longest = Math.max(longest, total)
    if (offset > 0 && !items.some(({ id }) => seen.has(id))) {
      offset = Math.max(0, offset - stepBack)
      continue
    }
    for (const item of items) seen.set(item.id, item)
    if (offset + items.length >= total) return [...seen.values()]
    if (items.length === 0) return undefined
    offset += Math.max(1, items.length - overlap)
  }
  return undefined
}
