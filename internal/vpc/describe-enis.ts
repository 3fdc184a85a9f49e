// Finds ENIs: by id in calls that concurrent callers share, so that waiting for many ENIs costs few calls; by tags or
// instance page by page.
import { IpamError } from '../ipam/errors.ts'
import type { CloudEni, EniId } from '../ipam/types.ts'
import type { EniQuery, Priority } from '../ports.ts'
import type { Answer } from './answer.ts'
import { describeHalves, listIds } from './by-ids.ts'
import { type Caller, reading } from './caller.ts'
import { pageSize } from './limits.ts'
import { readPages } from './pages.ts'
import { parseEni, parseEniId } from './parse.ts'
import { hasTags, listTags, tagFilters } from './tags.ts'

const common = { product: 'vpc', action: 'DescribeNetworkInterfaces', mutates: false } as const

/** An ENI as answered. It is parsed by who asked for it: what is wrong with one ENI must not hurt who asked for others. */
interface RawEni {
  readonly id: EniId
  readonly answer: Answer
}

interface Batch {
  readonly ids: Set<EniId>
  readonly found: Promise<readonly RawEni[]>
}

/** `describeEnis` of the port. */
export type FindEnis = (query: EniQuery, priority: Priority) => Promise<readonly CloudEni[]>

export function eniFinder(caller: Caller): FindEnis {
  /** Calls that wait for their turn: others of their priority may join. */
  const open = new Map<Priority, Batch>()

  async function byIds(ids: ReadonlySet<EniId>, priority: Priority): Promise<readonly CloudEni[]> {
    const doing = `describe ENIs ${listIds(ids)}`
    for (const id of ids) {
      // Refused here, because the API would refuse the whole shared call.
      if (parseEniId(id) === undefined)
        throw new IpamError('bad_input', `Cannot ${doing}: "${id}" is no id of an ENI`)
    }
    const batches = new Set([...ids].map((id) => join(id, priority)))
    const found = await Promise.all([...batches].map((batch) => batch.found))
    const mine = new Map(found.flat().flatMap(({ id, answer }) => (ids.has(id) ? [[id, answer]] : [])))
    return reading({ ...common, doing }, () => [...mine.values()].map(parseEni))
  }

  function join(id: EniId, priority: Priority): Batch {
    const current = open.get(priority)
    if (current !== undefined && (current.ids.has(id) || current.ids.size < pageSize)) {
      current.ids.add(id)
      return current
    }
    const ids = new Set([id])
    const close = () => {
      if (open.get(priority) === batch) open.delete(priority)
    }
    const batch: Batch = { ids, found: describeTogether(ids, priority, close).finally(close) }
    open.set(priority, batch)
    return batch
  }

  /** `ids` may grow until `close` is called, when the call is sent. */
  async function describeTogether(
    ids: ReadonlySet<EniId>,
    priority: Priority,
    close: () => void,
  ): Promise<readonly RawEni[]> {
    try {
      return await describe(ids, priority, close)
    } catch (error) {
      return describeHalves(error, [...ids], (half) => describe(new Set(half), priority))
    }
  }

  function describe(ids: ReadonlySet<EniId>, priority: Priority, onSend = () => {}) {
    return caller.call({
      ...common,
      priority,
      get doing() {
        return `describe ENIs ${listIds(ids)}`
      },
      params: () => {
        onSend()
        return { NetworkInterfaceIds: [...ids], Limit: pageSize }
      },
      read: rawEnis,
    })
  }

  async function byTags(
    tags: Readonly<Record<string, string>>,
    priority: Priority,
  ): Promise<readonly CloudEni[]> {
    const doing = `list ENIs with tags ${listTags(tags)}`
    // Without a filter every ENI of the account would be in the answer.
    const filters = tagFilters(tags)
    if (filters.length === 0) throw new IpamError('bad_input', 'Cannot list ENIs by tags: no tag is given')
    const found = await readPages((offset) =>
      caller.call({
        ...common,
        doing,
        priority,
        params: () => ({ Filters: filters, Offset: offset, Limit: pageSize }),
        read: (answer) => ({ items: rawEnis(answer), total: answer.count('TotalCount') }),
      }),
    )
    if (found === undefined) {
      throw new IpamError('unavailable', `Cannot ${doing}: the list did not hold still while it was read`)
    }
    const enis = reading({ ...common, doing }, () => found.map(({ answer }) => parseEni(answer)))
    return enis.filter((eni) => hasTags(eni, tags))
  }

  return async (query, priority) => {
    if ('tags' in query) return byTags(query.tags, priority)
    return query.ids.length === 0 ? [] : byIds(new Set(query.ids), priority)
  }
}

function rawEnis(answer: Answer): readonly RawEni[] {
  return answer
    .objects('NetworkInterfaceSet')
    .map((eni) => ({ id: eni.text('NetworkInterfaceId'), answer: eni }))
}
