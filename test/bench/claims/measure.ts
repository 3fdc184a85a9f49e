// What static claims that wait for their pods cost their leader, and those who ask for them.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { residentMegabytes } from '../executable/leader-memory.ts'
import type { Figure, Row } from '../figure.ts'
import { median } from '../statistics.ts'
import { asTable, group } from './claims-client.ts'
import { type ClaimsLeader, prepareLeader } from './claims-leader.ts'
import { measureDeletions } from './deleting.ts'
import { keptClaims } from './kept-claims.ts'
import { measureLists, measureStalls } from './listing.ts'
import { processorTime } from './processor-time.ts'
import { startReference } from './reference.ts'
import { measureFirstEvents, measureWatches } from './watching.ts'

const count = 20_000
const starts = 5
const widths = [1, 100] as const

export async function measureClaims(executable: string, parent: string): Promise<Figure> {
  const directory = join(parent, 'claims')
  mkdirSync(directory)
  const empty = await prepareLeader(executable, join(directory, 'none'), [])
  const without = await measureIdle(empty).finally(() => empty.close())
  const claims = keptClaims(count)
  const leader = await prepareLeader(executable, join(directory, 'many'), claims)
  try {
    const idle = await measureIdle(leader)
    const resident = () => residentMegabytes(leader.pid())
    const before = resident()
    const list = (await leader.client.call('GET', all)).body
    const afterOne = resident()
    for (let i = 1; i < 10; i++) await leader.client.call('GET', all)
    const afterTen = resident()
    const table = (await leader.client.call('GET', all, asTable)).body
    const reference = await startReference(directory, { list, table })
    const rows: Row[] = [
      row('start-up until it answers', 'ms', idle.start, 'without claims', without.start),
      row('resident after its start', 'MB', idle.resident, 'without claims', without.resident),
      row('resident after a survey', 'MB', idle.surveyed, 'without claims', without.surveyed),
      row('resident after one list of all', 'MB', afterOne, 'before', before),
      row('resident after ten lists of all', 'MB', afterTen, 'before', before),
      row(
        'processor time of a round when nothing happens',
        'ms',
        idle.round,
        'without claims',
        without.round,
      ),
      { what: 'survey of all reservations: calls of the VPC', value: idle.surveyCalls, unit: 'calls' },
      { what: 'survey of all reservations', value: idle.surveyMs, unit: 'ms' },
      ...(await measureLists(leader, reference, count)),
      await measureStalls(leader, reference),
      { what: 'watch that begins with all', value: await measureFirstEvents(leader), unit: 'ms' },
      ...(await measureWatches(leader, reference, claims.slice(0, 40), widths)),
      ...(await measureDeletions(leader, claims.slice(40, 1060))),
    ]
    await reference.close()
    await leader.stop()
    leader.loseLedger()
    rows.push({
      what: 'start-up without its ledger, which is made anew',
      value: await leader.start(),
      unit: 'ms',
    })
    return {
      id: 'claims',
      title: `a leader with ${count} static addresses whose pods are gone`,
      rows,
      notes: [
        `the list of all has ${(list.length / 1e6).toFixed(1)} MB, its table ${(table.length / 1e6).toFixed(1)} MB`,
        'a cluster of 20 nodes; rounds are every second here, every 30 s by default',
      ],
    }
  } finally {
    await leader.close()
  }
}

const all = `${group}/vpcipclaims`

function row(what: string, unit: Row['unit'], value: number, beside: string, reference: number): Row {
  return { what, unit, value, reference: { what: beside, value: reference } }
}

interface Idle {
  readonly start: number
  readonly resident: number
  readonly surveyed: number
  readonly surveyCalls: number
  readonly surveyMs: number
  readonly round: number
}

const idleMs = 10_000

/** It runs when this ends. */
async function measureIdle(leader: ClaimsLeader): Promise<Idle> {
  const samples: number[] = []
  for (let i = 0; i < starts; i++) {
    if (i > 0) await leader.stop()
    samples.push(await leader.start())
  }
  const resident = residentMegabytes(leader.pid())
  const { calls: surveyCalls, ms: surveyMs } = await untilSurveyed(leader)
  const surveyed = residentMegabytes(leader.pid())
  const before = processorTime(leader.pid())
  await pause(idleMs)
  const round = (processorTime(leader.pid()) - before) / (idleMs / 1000)
  return { start: median(samples), resident, surveyed, surveyCalls, surveyMs, round }
}

/** Its calls come one after the other: none for so long means that there is none left. */
const quietMs = 1000

async function untilSurveyed({ cloudCalls }: ClaimsLeader): Promise<{ calls: number; ms: number }> {
  const begin = performance.now()
  const read = async (): Promise<number> => (await cloudCalls())['DescribeReserveIpAddresses']?.calls ?? 0
  let [calls, at] = [await read(), begin]
  while (calls === 0 || performance.now() - at < quietMs) {
    await pause(20)
    const now = await read()
    if (now !== calls) [calls, at] = [now, performance.now()]
  }
  return { calls, ms: at - begin }
}
