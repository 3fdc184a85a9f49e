// Lists of all claims, each beside the same bytes from a server that only stringifies what it has in memory.
import type { Row } from '../figure.ts'
import { median } from '../statistics.ts'
import { asTable, type ClaimsClient, group, plain } from './claims-client.ts'
import type { ClaimsLeader } from './claims-leader.ts'
import { processorTime } from './processor-time.ts'
import type { Reference } from './reference.ts'
import { startStallMeter } from './stall-meter.ts'

const rounds = 10
const page = 500
const all = `${group}/vpcipclaims`
const instead = 'JSON.stringify of the same over TLS'

export async function measureLists(
  leader: ClaimsLeader,
  reference: Reference,
  count: number,
): Promise<Row[]> {
  const get =
    (client: ClaimsClient, path: string, accept = plain) =>
    async (): Promise<number> =>
      (await client.call('GET', path, accept)).ms
  const [ours, theirs] = [leader.client, reference.client]
  const starts = Array.from({ length: Math.ceil(count / page) }, (_, i) => i * page)
  const pagesOfTheirs = async (): Promise<number> => {
    let ms = 0
    for (const at of starts) ms += (await theirs.call('GET', `/page?at=${at}&limit=${page}`)).ms
    return ms
  }
  const one = `${group}/namespaces/team-001/vpcipclaims/web-001-1`
  const selectors = {
    'by its address': `${all}?fieldSelector=status.vpcIP%3D10.1.1.1`,
    'by its name': `${group}/namespaces/team-001/vpcipclaims?fieldSelector=metadata.name%3Dweb-001-1`,
  }
  const [mineBefore, theirsBefore] = [processorTime(leader.pid()), processorTime(reference.pid)]
  const whole = await beside(get(ours, all), get(theirs, '/list'))
  const processor = {
    mine: (processorTime(leader.pid()) - mineBefore) / (rounds + 1),
    other: (processorTime(reference.pid) - theirsBefore) / (rounds + 1),
  }
  const pages = await beside(() => inPages(ours, all), pagesOfTheirs)
  const table = await beside(get(ours, all, asTable), get(theirs, '/table'))
  const single = await beside(get(ours, one), get(theirs, '/one'))
  const rows: Row[] = [
    row('list of all', whole),
    row('list of all, processor time', processor),
    row(`list of all, in pages of ${page}`, pages),
    row('list of all, as kubectl gets its table', table),
    row('get of one', single),
  ]
  for (const [how, path] of Object.entries(selectors)) {
    const { mine } = await beside(get(ours, path), get(theirs, '/one'))
    rows.push(row(`list that selects one, ${how}`, { mine, other: single.other }, 'get of one from memory'))
  }
  return rows
}

/** How long each leaves others without an answer while somebody reads the whole list. */
export async function measureStalls(leader: ClaimsLeader, reference: Reference): Promise<Row> {
  const longest = async (port: number, list: () => Promise<unknown>): Promise<number> => {
    const meter = startStallMeter(port)
    const samples: number[] = []
    await list()
    await meter.longest()
    for (let round = 0; round < rounds; round++) {
      await list()
      samples.push(await meter.longest())
    }
    await meter.stop()
    return median(samples)
  }
  const mine = await longest(leader.healthPort, () => leader.client.call('GET', all))
  const other = await longest(reference.healthPort, () => reference.client.call('GET', '/list'))
  return row('longest wait of others during a list of all', { mine, other })
}

interface Beside {
  readonly mine: number
  readonly other: number
}

/** Medians of both, in turns. The first of each is not counted. */
async function beside(mine: () => Promise<number>, other: () => Promise<number>): Promise<Beside> {
  const [ofMine, ofOther]: [number[], number[]] = [[], []]
  await mine()
  await other()
  for (let round = 0; round < rounds; round++) {
    ofMine.push(await mine())
    ofOther.push(await other())
  }
  return { mine: median(ofMine), other: median(ofOther) }
}

function row(what: string, { mine, other }: Beside, reference = instead): Row {
  return { what, value: mine, unit: 'ms', reference: { what: reference, value: other } }
}

async function inPages(client: ClaimsClient, path: string): Promise<number> {
  let ms = 0
  for (let next = ''; ; ) {
    const answer = await client.call('GET', `${path}?limit=${page}${next}`)
    ms += answer.ms
    const { metadata } = JSON.parse(answer.body.toString('utf8')) as { metadata: { continue?: string } }
    if (metadata.continue === undefined) return ms
    next = `&continue=${metadata.continue}`
  }
}
