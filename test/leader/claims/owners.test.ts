// What is read of the ledger for the workloads that claims go with.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '../../../internal/base/log.ts'
import { seededRandom } from '../../../internal/base/random.ts'
import { createOwners, unknownUid } from '../../../internal/leader/claims/owners.ts'
import { insertClaim, retained } from '../../apiserver/claims/claim-rows.ts'
import { KubeTwin } from '../../sim/world/kube-twin.ts'
import { immortal, newMachine, Process } from '../../sim/world/process.ts'
import { openLeader } from '../../store/open-ledgers.ts'

// A rebuilt ledger knows no uid: claims were read once for each workload, which with a thousand StatefulSets took as long as a lease lasts.
test('[R4][S7] claims of workloads of an earlier ledger are read once at a look, however many workloads there are', async (t) => {
  const { clock, db, ledger } = openLeader(t)
  const random = seededRandom(1)
  const process = new Process(newMachine('leader', random), clock, immortal, () => {})
  const names = Array.from({ length: 20 }, (_, i) => `web-${i}`)
  for (const [i, name] of names.entries()) {
    const owner = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: `set-${i}`, uid: unknownUid }
    insertClaim(db, retained(name, `10.0.0.${i}`, { owner: JSON.stringify(owner) }))
  }
  const read: string[] = []
  const woken: string[] = []
  const owners = createOwners({
    kube: new KubeTwin(clock, random).leader(process),
    ledger: {
      ...ledger,
      claimsOfOwner(uid) {
        read.push(uid)
        return ledger.claimsOfOwner(uid)
      },
    },
    clock,
    log: silentLog,
    wake: ({ name }) => woken.push(name),
  })
  t.after(() => owners.stop())
  owners.keep()
  assert.deepEqual([read, woken], [[unknownUid], names], 'a look')
  await clock.advance(10_000)
  assert.deepEqual([read.slice(1), woken.slice(names.length)], [[unknownUid], names], 'a list of workloads')
})
