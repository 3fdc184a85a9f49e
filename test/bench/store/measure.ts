// Q2: how many allocations a second are on disk when they are answered.
import { closeSync, fdatasyncSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Figure, Row } from '../figure.ts'
import { allocateThroughLeader } from './leader-store.ts'
import { allocateThroughNode } from './node-store.ts'

const widths = [1, 8, 64] as const

export async function measureStores(parent: string): Promise<Figure> {
  const directory = join(parent, 'stores')
  mkdirSync(directory)
  const reference = { what: 'one write of 64 bytes and fdatasync each', value: syncsPerSecond(directory) }
  const rows: Row[] = []
  for (const width of widths) {
    const value = await allocateThroughLeader(join(directory, `leader-${width}.db`), width)
    rows.push({ what: `leader's store, ${width} at once`, value, unit: '/s', reference })
  }
  for (const width of widths) {
    const value = await allocateThroughNode(join(directory, `node-${width}.db`), width)
    rows.push({ what: `node's store, ${width} at once`, value, unit: '/s', reference })
  }
  return {
    id: 'q2',
    title: 'allocations a second, each on disk before it is answered',
    rows,
    notes: [
      'the leader takes three commits for one: the intent, the cloud taking it, the outcome',
      'the node chooses among 261 addresses and takes one commit',
    ],
  }
}

function syncsPerSecond(directory: string): number {
  const file = openSync(join(directory, 'reference'), 'a')
  const record = Buffer.alloc(64, 'x')
  const begin = performance.now()
  let count = 0
  while (performance.now() - begin < 1000) {
    writeSync(file, record)
    fdatasyncSync(file)
    count += 1
  }
  const seconds = (performance.now() - begin) / 1000
  closeSync(file)
  return count / seconds
}
