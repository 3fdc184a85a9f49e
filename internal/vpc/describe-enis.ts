// Finds ENIs: by id in calls that concurrent callers share, so that waiting for many ENIs costs few calls; by tags or
// instance page by page.
import { IpamError } from '../ipam/errors.ts'
import type { CloudEni, EniId } from '../ipam/types.ts'
import type { EniQuery, Priority } from '../ports.ts'
import type { Answer } from './answer.ts'
import { listIds } from './by-ids.ts'
import { type Caller, reading } from './caller.ts'
import { pageSize } from './limits.ts'
import { readPages } from './pages.ts'
import { parseEni, parseEniId } from './parse.ts'
import { type Raw, sharedById } from './shared-ids.ts'
import { hasTags, listTags, tagFilters } from './tags.ts'

const common = { product: 'vpc', action: 'DescribeNetworkInterfaces', mutates: false } as const

/** `describeEnis` of the port. */
export type FindEnis = (query: EniQuery, priority: Priority) => Promise<readonly CloudEni[]>

export function eniFinder(caller: Caller): FindEnis {
  const find = sharedById((ids, priority, onSend) =>
    caller.call({
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
    }),
  )

  async function byIds(ids: ReadonlySet<EniId>, priority: Priority): Promise<readonly CloudEni[]> {
    const doing = `describe ENIs ${listIds(ids)}`
    for (const id of ids) {
      // Refused here, because the API would refuse the whole shared call.
      if (parseEniId(id) === undefined)
        throw new IpamError('bad_input', `Cannot ${doing}: "${id}" is no id of an ENI`)
    }
    const found = await find(ids, priority)
    return reading({ ...common, doing }, () => found.map(parseEni))
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

function rawEnis(answer: Answer): readonly Raw[] {
  return answer
    .objects('NetworkInterfaceSet')
    .map((eni) => ({ id: eni.text('NetworkInterfaceId'), answer: eni }))
}
