// The public side of the dev cluster: an EIP that is bound in the simulated cloud is reached from out there, and its pod's packets
// leave with it. The binding is done by hand here, through the API.
import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import { type DevCluster, startDevCluster } from '../../cmd/dev/cluster.ts'
import { lastWords, ping } from '../../cmd/dev/look.ts'
import { createPod, type SeenPod } from '../../cmd/dev/pods.ts'
import { systemClock } from '../../internal/base/clock.ts'
import { runCommand } from '../../internal/linux/command.ts'
import { sandboxFault } from '../../internal/linux/sandbox.ts'
import { addressedPods } from './addressed.ts'
import { copyOfExecutable } from './executable.ts'
import { explainSkip, missingPieces } from './pieces.ts'
import { temporaryFolder, until } from './service.ts'
import { story } from './steps.ts'

const unfit = await sandboxFault(runCommand).catch((error: Error) => error.message)
const missing =
  explainSkip(missingPieces('iproute2', 'nftables', 'executable')) ||
  (unfit === undefined ? false : `no sandbox: ${unfit}`)
const step = story(missing, () => lastWords(cluster))

let cluster: DevCluster
let one: SeenPod
let two: SeenPod
let eip: { readonly id: string; readonly address: string }

before(async () => {
  if (missing) return
  cluster = await startDevCluster({
    directory: temporaryFolder('public'),
    leaderFlags: [],
    nodeFlags: [],
    logLevel: 'info',
    program: [copyOfExecutable()],
  })
})

after(() => cluster?.close())

step('a pod without an EIP has no way out', async () => {
  await cluster.addNode()
  await createPod(cluster.kube, 'one', 'node-1')
  await createPod(cluster.kube, 'two', 'node-1')
  const pods = await addressedPods(cluster, ['one', 'two'])
  assert.ok(pods[0] && pods[1])
  ;[one, two] = [pods[0], pods[1]]
  assert.equal((await out(one)).received, 0)
})

step('with an EIP it is reached from out there, and reaches what is there', async () => {
  eip = cluster.cloud.admin.createEip({}, systemClock.now())
  await bind(one)
  await until('packets come in', async () => (await into()).received > 0)
  assert.deepEqual([(await into()).received, (await out(one)).received], [3, 3])
  assert.equal((await out(two)).received, 0)
})

step('without it again, nothing passes', async () => {
  await call('DisassociateAddress', { AddressId: eip.id })
  await until('packets stay out', async () => (await into()).received === 0)
  assert.equal((await out(one)).received, 0)
  await until('it is free', () => audited()?.state === 'UNBIND')
})

step('an EIP in arrears carries nothing, and does again when it is paid', async () => {
  await bind(two)
  await until('packets come in', async () => (await into()).received > 0)
  cluster.cloud.admin.troubleEip(eip.id, { arrears: true }, systemClock.now())
  await until('packets stay out', async () => (await into()).received === 0)
  cluster.cloud.admin.troubleEip(eip.id, { arrears: false }, systemClock.now())
  await until('packets come in', async () => (await into()).received > 0)
})

async function call(action: string, params: object): Promise<void> {
  cluster.cloud.handle(action, params, systemClock.now())
  await fetch(`${cluster.vpcUrl}/sim`) // whoever serves the cloud looks when it has something to do
}

async function bind({ address }: SeenPod): Promise<void> {
  const ip = cluster.cloud.admin.audit(systemClock.now()).ips.find((one) => one.address === address)
  assert.ok(ip)
  await call('AssociateAddress', {
    AddressId: eip.id,
    NetworkInterfaceId: ip.eniId,
    PrivateIpAddress: ip.address,
  })
}

function audited() {
  return cluster.cloud.admin.audit(systemClock.now()).eips.find(({ id }) => id === eip.id)
}

function into() {
  return cluster.host.call('pingFromOutside', { to: eip.address, count: 3, intervalMs: 50 })
}

async function out(pod: SeenPod) {
  const { address } = await cluster.host.call('outside', null)
  return ping(cluster, pod, address, 3, 50)
}
