// What it takes to choose for one of many pods that wait for EIPs of one list: each of them is looked at again and again.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { seededRandom } from '../../../internal/base/random.ts'
import type { CloudEip } from '../../../internal/ipam/types.ts'
import { createPicker } from '../../../internal/leader/eips/pick-for.ts'
import { insertEip, listedEip, pendingEip } from '../../apiserver/claims/claim-rows.ts'
import { ip, known } from '../../given.ts'
import { n1, openLeader } from '../../store/open-ledgers.ts'
import { podOn } from '../leader-world.ts'

const nodes = ['node-1', 'node-2', 'node-3']
const ids = ['eip-1', 'eip-2']

/** Pods on these nodes, `web-0` and so on: the first want EIPs of one list, of which `there` are there, the others one each. */
async function world(t: TestContext, wanting: number, others: number, there: readonly string[] = []) {
  const { clock, db, ledger } = openLeader(t)
  await clock.runUntil(
    ledger.write((tx) => {
      for (const name of nodes) tx.addNode({ ...n1, name, uid: `uid-${name}`, instanceId: `ins-${name}` })
    }),
  )
  const pods = Array.from({ length: wanting + others }, (_, nth) =>
    podOn(known(nodes[nth % nodes.length]), `web-${nth}`),
  )
  for (const [nth, { name, node = '', uid }] of pods.entries())
    insertEip(db, {
      ...pendingEip(name, { node, pod_uid: uid }),
      ...listedEip(nth < wanting ? ids : [`eip-own-${nth}`]),
    })
  const read: string[] = []
  const counted: typeof ledger = {
    ...ledger,
    pool(node) {
      read.push(node)
      return ledger.pool(node)
    },
  }
  const pick = createPicker({
    ...{ ledger: counted, random: seededRandom(1), cloud: { describeEips: async () => there.map(unbound) } },
    ...{ facts: { podsOn: () => [] }, livePod: ({ name }) => pods.find((pod) => pod.name === name) },
  })
  const claim = (name: string) => known(ledger.eips.claim({ namespace: 'default', name }))
  return { read, pick: (name: string) => pick(claim(name)) }
}

test('[R5] of many that choose at once of one list each node is read once, and each EIP goes to one', async (t) => {
  const { pick, read } = await world(t, 30, 0, ids)
  const picked = await Promise.all(Array.from({ length: 30 }, (_, nth) => pick(`web-${nth}`)))
  assert.deepEqual([read.length, new Set(read).size], [nodes.length, nodes.length])
  assert.deepEqual(picked.flatMap((one) => ('eip' in one ? one.eip : [])).toSorted(byText), ids)
})

test('[R5] nothing is read of those that want no EIP of the list', async (t) => {
  const { pick, read } = await world(t, 1, 30)
  assert.ok('reason' in (await pick('web-0')))
  assert.deepEqual(read, ['node-1'])
})

function unbound(id: string): CloudEip {
  const nowhere = { eniId: undefined, privateIp: undefined, instanceId: undefined }
  return {
    ...{ id, address: ip('203.0.113.1'), state: 'unbound', ...nowhere, bandwidth: 1, isp: 'BGP', name: '' },
    ...{ chargeType: undefined, arrears: false, blocked: false, tags: {} },
  }
}

function byText(a: string, b: string): number {
  return a < b ? -1 : 1
}
