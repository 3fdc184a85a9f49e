// From the change of a claim to everybody who watches: a claim is deleted, and its first event is that it is being released.
import type { Row } from '../figure.ts'
import { median } from '../statistics.ts'
import type { ClaimsClient } from './claims-client.ts'
import { group } from './claims-client.ts'
import type { ClaimsLeader } from './claims-leader.ts'
import type { KeptClaim } from './kept-claims.ts'
import type { Reference } from './reference.ts'

const samples = 20
const all = `${group}/vpcipclaims`

/** `claims` are deleted: twice as many as `samples` for each of `widths`. */
export async function measureWatches(
  leader: ClaimsLeader,
  reference: Reference,
  claims: readonly KeptClaim[],
  widths: readonly number[],
): Promise<Row[]> {
  const rows: Row[] = []
  let rest = claims
  for (const width of widths) {
    const some = rest.slice(0, samples)
    rest = rest.slice(samples)
    const paths = some.map(({ name, namespace }) => `${group}/namespaces/${namespace}/vpcipclaims/${name}`)
    const value = await fromChangeToEvents(
      leader.client,
      `${all}?watch=1&resourceVersion=${await newest(leader)}`,
      paths,
      width,
    )
    const other = await fromChangeToEvents(
      reference.client,
      '/watch',
      paths.map(() => '/'),
      width,
    )
    const what =
      width === 1 ? 'from a change to its event' : `from a change to its last event of ${width} watches`
    rows.push({
      what,
      value,
      unit: 'ms',
      reference: { what: 'a server that only writes them', value: other },
    })
  }
  return rows
}

/** From the request until all that is there has come, and with it the promise that nothing is missing. */
export async function measureFirstEvents({ client }: ClaimsLeader): Promise<number> {
  const query = 'watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true'
  const begin = performance.now()
  return new Promise((resolve, reject) => {
    const stop = client.watch(`${all}?${query}`, (line, at) => {
      if (!line.startsWith('{"type":"BOOKMARK"')) return
      stop.then((end) => end(), reject)
      resolve(at - begin)
    })
  })
}

/** Median milliseconds from the request that changes something until `width` watches have heard of it. */
async function fromChangeToEvents(
  client: ClaimsClient,
  watchPath: string,
  changes: readonly string[],
  width: number,
): Promise<number> {
  let heard = 0
  let onLast: (at: number) => void = () => {}
  const stops = await Promise.all(
    Array.from({ length: width }, () =>
      client.watch(watchPath, (line, at) => {
        if (line.includes('"MODIFIED"') && ++heard === width) onLast(at)
      }),
    ),
  )
  const times: number[] = []
  for (const path of changes) {
    heard = 0
    const begin = performance.now()
    const last = new Promise<number>((resolve) => {
      onLast = resolve
    })
    await client.call('DELETE', path)
    times.push((await last) - begin)
  }
  for (const stop of stops) stop()
  return median(times)
}

export async function newest({ client }: ClaimsLeader): Promise<string> {
  const { body } = await client.call('GET', `${all}?limit=1`)
  return (JSON.parse(body.toString('utf8')) as { metadata: { resourceVersion: string } }).metadata
    .resourceVersion
}
