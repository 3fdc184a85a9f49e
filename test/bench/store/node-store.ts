// Addresses handed out by a node's pool, with nothing behind it but its store.
import { systemClock } from '../../../internal/base/clock.ts'
import { silentLog } from '../../../internal/base/log.ts'
import { systemRandom } from '../../../internal/base/random.ts'
import { createLocalPool, type LocalPool } from '../../../internal/node/local-pool.ts'
import type { NodeLedger, Sandbox } from '../../../internal/ports.ts'
import { openDatabase } from '../../../internal/sqlite/database.ts'
import { nodeLedger } from '../../../internal/store/node/ledger.ts'
import { nodeMigrations } from '../../../migrations/index.ts'
import { benchPublication } from '../publication.ts'

const pods = 250
const repetitions = 6

/** Allocations a second with `width` of them under way at any time; the pool is emptied between the repetitions. */
export async function allocateThroughNode(path: string, width: number): Promise<number> {
  const db = openDatabase({ path, kind: 'node', migrations: nodeMigrations })
  try {
    const ledger = nodeLedger(db, systemClock, () => 'bench')
    const pool = createLocalPool({
      ledger,
      clock: systemClock,
      random: systemRandom,
      log: silentLog,
      nodeName: 'bench',
      notify() {},
    })
    const publication = benchPublication()
    await pool.follow({
      name: 'bench',
      uid: 'bench',
      annotations: {},
      publication,
      report: undefined,
      fault: undefined,
    })
    pool.setReady(new Set(publication.enis.map(({ mac }) => mac)), new Set())
    let seconds = 0
    for (let repetition = 0; repetition < repetitions; repetition += 1) {
      seconds += await fill(pool, width)
      await empty(ledger)
    }
    return (pods * repetitions) / seconds
  } finally {
    db.close()
  }
}

async function fill(pool: LocalPool, width: number): Promise<number> {
  let next = 0
  const work = async (): Promise<void> => {
    while (next < pods)
      await pool.allocate(sandbox(next++), { mode: 'shared', keepsIp: false }, 0, undefined, () => {})
  }
  const begin = performance.now()
  await Promise.all(Array.from({ length: width }, work))
  return (performance.now() - begin) / 1000
}

async function empty(ledger: NodeLedger): Promise<void> {
  await ledger.write((tx) => {
    for (const attachment of ledger.attachments()) tx.detach(attachment, 0, 'bench')
  })
}

function sandbox(number: number): Sandbox {
  return {
    containerId: `bench-${number}`,
    ifname: 'eth0',
    netns: `/run/netns/bench-${number}`,
    pod: { namespace: 'bench', name: `pod-${number}`, uid: `uid-${number}` },
  }
}
