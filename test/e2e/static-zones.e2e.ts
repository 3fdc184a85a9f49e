// Static pods in a cluster of two zones, on the built executable: whoever makes one anew says nothing of zones, the emptiest node is in the
// wrong one, and the pod has its address again all the same. Nodes are labelled as on TKE, where a zone is a number to Kubernetes.
import assert from 'node:assert/strict'
import { after, before, describe } from 'node:test'
import type { DevApi } from '../../cmd/dev/api.ts'
import { type DevCluster, startDevCluster } from '../../cmd/dev/cluster.ts'
import { lastWords } from '../../cmd/dev/look.ts'
import { createPod, deletePod, listPods, type SeenPod } from '../../cmd/dev/pods.ts'
import { formatPools, readPools } from '../../cmd/dev/pools.ts'
import { query } from '../../cmd/dev/query.ts'
import { at, listAt, textAt } from '../../internal/kube/json.ts'
import { runCommand } from '../../internal/linux/command.ts'
import { sandboxFault } from '../../internal/linux/sandbox.ts'
import { addressedPods } from './addressed.ts'
import { copyOfExecutable } from './executable.ts'
import { explainSkip, missingPieces } from './pieces.ts'
import { startRealDevApi } from './real-dev-api.ts'
import { temporaryFolder, until } from './service.ts'
import { story } from './steps.ts'

const unfit = await sandboxFault(runCommand).catch((error: Error) => error.message)
const nodes = ['node-1', 'node-2', 'node-3']
/** Alone in its zone. */
const far = 'node-3'
const rounds = 10

describe('static pods in two zones, with our own API server', () =>
  tell(undefined, explainSkip(missingPieces('iproute2', 'executable'))))
describe('static pods in two zones, with a real kube-apiserver', () =>
  tell(() => startRealDevApi(nodes), explainSkip(missingPieces('kube-apiserver', 'iproute2', 'executable'))))

function tell(openApi: (() => Promise<DevApi>) | undefined, lacks: string | false): void {
  const missing = lacks || (unfit === undefined ? false : `no sandbox: ${unfit}`)
  const step = story(missing, () => `${formatPools(readPools(cluster))}\n${lastWords(cluster)}`)
  let api: DevApi | undefined
  let cluster: DevCluster
  let address: string | undefined

  before(async () => {
    if (missing) return
    api = await openApi?.()
    cluster = await startDevCluster({
      directory: temporaryFolder('zones'),
      ...(api === undefined ? {} : { api }),
      leaderFlags: ['--reconcile-interval=2s', '--enable-static-ip'],
      nodeFlags: ['--cooldown=1s', '--report-interval=1s'],
      logLevel: 'info',
      program: [copyOfExecutable()],
    })
  })
  after(async () => {
    await cluster?.close()
    await api?.close()
  })

  step('[S4] a static pod has its first address in the zone where it runs', async () => {
    for (const _ of nodes) await cluster.addNode()
    assert.deepEqual(new Set(cluster.nodes().map(({ zone }) => zone)).size, 2)
    await createPod(cluster.kube, 'web-0', far, 'static')
    // Whoever looks for room does not look here.
    for (const i of [1, 2, 3]) await createPod(cluster.kube, `crowd-${i}`, far)
    const [pod] = await addressedPods(cluster, ['web-0', 'crowd-1', 'crowd-2', 'crowd-3'])
    address = pod?.address
    assert.ok(address !== undefined)
  })

  step(
    `[S10] ${rounds} times it is made anew without a word of zones, and runs where its address is`,
    async () => {
      for (let round = 1; round <= rounds; round++) {
        const pod = await anew()
        assert.deepEqual([pod.node, pod.address], [far, address], `round ${round}`)
      }
      const zone = cluster.nodes().find(({ name }) => name === far)?.zone
      assert.equal(zone, 'ap-guangzhou-4')
      assert.match(JSON.stringify(await placed('web-0')), /"values":\["100004"\]/)
      await createPod(cluster.kube, 'plain')
      assert.equal(await placed('plain'), undefined)
    },
  )

  step(
    '[S10] without a leader it is made at once, wherever there is room, and is told later where it belongs',
    async () => {
      await gone('web-0')
      await cluster.haltLeader()
      const began = Date.now()
      await createPod(cluster.kube, 'web-0', undefined, 'static')
      assert.ok(Date.now() - began < 3000)
      assert.equal(await placed('web-0'), undefined)
      cluster.resumeLeader()
      await until('an event says where it belongs', async () =>
        (await eventsOf('web-0')).includes('in zone ap-guangzhou-4; let the pod be scheduled there'),
      )
      assert.notEqual(await nodeOf('web-0'), far)
      const pod = await anew()
      assert.deepEqual([pod.node, pod.address], [far, address])
    },
  )

  async function anew(): Promise<SeenPod> {
    await gone('web-0')
    await createPod(cluster.kube, 'web-0', undefined, 'static')
    const [pod] = await addressedPods(cluster, ['web-0'])
    assert.ok(pod !== undefined)
    return pod
  }

  async function gone(name: string): Promise<void> {
    await deletePod(cluster.kube, name)
    await until(`${name} is gone`, async () => (await nodeOf(name)) === undefined)
    await until('its address is kept', () => phaseOf(name) === 'Retained')
  }

  async function nodeOf(wanted: string): Promise<string | undefined> {
    return (await listPods(cluster.kube)).find(({ name }) => name === wanted)?.node
  }

  function phaseOf(name: string): string | undefined {
    const sql = 'SELECT phase FROM claim WHERE name = ?'
    return query<{ phase: string }>(cluster.leader.db, 'leader', sql, name)[0]?.phase
  }

  /** The pod's affinity. */
  async function placed(name: string): Promise<unknown> {
    const path = `/api/v1/namespaces/default/pods/${name}`
    return at(await cluster.kube.call({ doing: 'get the pod', path }), 'spec', 'affinity')
  }

  async function eventsOf(name: string): Promise<string> {
    const path = '/api/v1/namespaces/default/events'
    const events = listAt(await cluster.kube.call({ doing: 'list events', path }), 'items')
    const ofPod = events.filter((event) => textAt(event, 'involvedObject', 'name') === name)
    return ofPod.map((event) => textAt(event, 'message')).join('\n')
  }
}
