// Public addresses on the built executable: the samples of the documentation as they are printed there, every way in which an EIP is given
// up, and what people see when the cloud gives none. Packets are counted at the public side of the dev cluster.
import assert from 'node:assert/strict'
import { after, before, describe } from 'node:test'
import { auditCluster } from '../../cmd/dev/audit.ts'
import { userEips } from '../../cmd/dev/topology.ts'
import { ownersRbac } from '../../internal/kube/rbac.ts'
import { runCommand } from '../../internal/linux/command.ts'
import { sandboxFault } from '../../internal/linux/sandbox.ts'
import { addressedPods } from './addressed.ts'
import { type MachineClock, startMachineClock } from './clock/machine-clock.ts'
import { created, specified } from './eips/samples.ts'
import { EipWorld, eipPod, minute } from './eips/world.ts'
import { copyOfExecutable } from './executable.ts'
import { explainSkip, missingPieces } from './pieces.ts'
import { type RealDevApi, startRealDevApi } from './real-dev-api.ts'
import { until } from './service.ts'
import { story } from './steps.ts'

const unfit = await sandboxFault(runCommand).catch((error: Error) => error.message)
const missing =
  explainSkip(missingPieces('kube-apiserver', 'iproute2', 'nftables', 'executable')) ||
  (unfit === undefined ? false : `no sandbox: ${unfit}`)
const homes = ['node-1', 'node-2'] as const

// The whole story takes ten minutes, and is told twice.
const isQuick = process.env['EIP_STORY'] === 'quick'
describe('EIPs on the embedded API server', () => tell(undefined))
if (!isQuick) describe('EIPs on a real kube-apiserver', () => tell(() => startRealDevApi(homes)))

function tell(startApi: (() => Promise<RealDevApi>) | undefined): void {
  const step = story(missing, () => world.explain())
  /** Of what tests with a virtual clock show as well. */
  const atLength: typeof step = isQuick ? () => {} : step
  let api: RealDevApi | undefined
  let world: EipWorld
  let masqBefore = ''

  before(async () => {
    if (missing) return
    api = await startApi?.()
    world = await EipWorld.start({ program: [copyOfExecutable()], api, nodes: homes.length })
    masqBefore = await world.masqConfig()
  })
  after(async () => {
    await world?.close()
    await api?.close()
  })

  const pod = (name: string, annotations: Readonly<Record<string, string>>, node: string = homes[0]) =>
    world.apply(name, eipPod(name, annotations, node))
  const scale = (replicas: number) =>
    world.kubectl('patch', 'sts', 'busybox', '-p', JSON.stringify({ spec: { replicas } }))
  /** An instance of this size takes two EIPs. */
  const gone = async (...names: readonly string[]) => {
    await world.kubectl('delete', 'pod', ...names)
    for (const name of names) await world.phase(name, undefined)
  }
  const ofPods = () => world.eips().filter(({ id }) => !userEips.some((one) => one === id))

  step(
    '[E1][E11] the first sample as it is printed: an EIP is made, and packets pass both ways',
    async (t) => {
      await world.apply('created', created)
      const [claim] = await world.bound('busybox-0')
      await world.show(t, 'get', 'eipc')
      const wide = await world.show(t, 'get', 'eipc', '-o', 'wide')
      assert.match(
        wide,
        /^NAME +PHASE +IP +EIP +NODE +POLICY +EXPIRES +AGE +PRIVATE-IP +BANDWIDTH +ISP +COST/,
      )
      assert.match(
        wide,
        /\nbusybox-0 +Bound +\S+ +eip-\w+ +node-\d +Never +never +\S+ +10\.\S+ +100 +BGP +traffic /,
      )
      await world.show(t, 'describe', 'eipc', 'busybox-0')
      await world.passes('busybox-0')
      const annotation = 'jsonpath={.metadata.annotations.tke\\.cloud\\.tencent\\.com/eip-public-ip}'
      await until('the pod shows it', async () => {
        return (await world.kubectl('get', 'pod', 'busybox-0', '-o', annotation)) === claim?.address
      })
      await world.show(t, 'get', 'pod', 'busybox-0', '-o', annotation)
    },
  )

  atLength(
    '[E9] what the pod sends is not masqueraded, and all else of that ConfigMap is as it was',
    async (t) => {
      const source = `"${world.claim('busybox-0')?.privateIp}/32"`
      await world.masqConfigIs(`of ${source}`, (config) => config.includes(source))
      await world.show(t, '-n', 'kube-system', 'get', 'cm', 'ip-masq-agent-config', '-o', 'yaml')
      // As the documentation has people edit it; and one more time over what the leader has written.
      const mine = { ...JSON.parse(masqBefore), NonMasqueradeSrcCIDRs: ['172.16.0.2/32'] }
      const config = JSON.stringify(mine)
      const patch = JSON.stringify({ data: { config } })
      await world.kubectl('-n', 'kube-system', 'patch', 'cm', 'ip-masq-agent-config', '-p', patch)
      await world.masqConfigIs('of both', (now) => now.includes(source) && now.includes('"172.16.0.2/32"'))
      masqBefore = config
    },
  )

  step('[E2] its policy keeps the EIP for the next pod of the name', async () => {
    const before = world.claim('busybox-0')
    await world.kubectl('delete', 'pod', 'busybox-0')
    await until(
      'there is another pod',
      async () => (await addressedPods(world.cluster, ['busybox-0'])).length > 0,
    )
    const [now] = await world.bound('busybox-0')
    assert.deepEqual([now?.eip, now?.address], [before?.eip, before?.address])
    await world.passes('busybox-0')
  })

  step('[E6] kubectl delete eipc <podname> -n <namespace>', async (t) => {
    const refused = await world.show(t, 'delete', 'eipc', 'busybox-0', '-n', 'default')
    assert.match(refused, /its pod is there on node/)
    await world.kubectl('delete', 'sts', 'busybox')
    await world.phase('busybox-0', 'Retained')
    await world.show(t, 'get', 'eipc', '-o', 'wide')
    const { address, eip } = world.claim('busybox-0') ?? assert.fail()
    await until('the EIP is on nothing', () => world.eip(eip)?.state === 'UNBIND')
    await world.noneComesIn(address ?? '')
    const deleted = await world.show(t, 'delete', 'eipc', 'busybox-0', '-n', 'default')
    assert.match(deleted, /"busybox-0" deleted/)
    assert.deepEqual([world.claim('busybox-0'), ofPods()], [undefined, []])
  })

  atLength('[E6] --claim-expired-duration=1h: a kept EIP says when it goes', async (t) => {
    await api?.grant(ownersRbac())
    await world.cluster.haltLeader()
    world.cluster.resumeLeader(['--claim-expired-duration=1h', '--enable-ownerref'])
    await world.apply('created', created)
    await world.bound('busybox-0')
    await scale(0)
    await world.phase('busybox-0', 'Retained')
    assert.match(
      await world.show(t, 'get', 'eipc', '-o', 'wide'),
      / in (1h|60m|59m) .* StatefulSet\/busybox /,
    )
  })

  atLength('[E6] --enable-ownerref: it goes with its workload', async (t) => {
    await world.kubectl('delete', 'sts', 'busybox')
    await world.phase('busybox-0', undefined)
    assert.deepEqual(ofPods(), [])
    await world.show(t, 'get', 'eipc')
  })

  step('[E4] the second sample as it is printed: each pod has the EIP of its number', async (t) => {
    await world.apply('specified', specified)
    await world.bound('busybox-0')
    await scale(3)
    await world.bound('busybox-0', 'busybox-1')
    const [one, two] = [world.claim('busybox-0'), world.claim('busybox-1')]
    assert.deepEqual([one?.eip, two?.eip], [...userEips])
    for (const name of ['busybox-0', 'busybox-1']) await world.passes(name)
    t.diagnostic(`busybox-2: ${JSON.stringify(world.claim('busybox-2'))}`)
    await world.show(t, 'get', 'eipc', '-o', 'wide')
    await world.show(t, 'get', 'events', '--field-selector=involvedObject.name=busybox-2')
    assert.notEqual(world.claim('busybox-2')?.phase, 'Bound')
  })

  step('[E4] of two that want one EIP the second gets it when the first has ended', async (t) => {
    await pod('alone', { 'eip-id-list': userEips[0] })
    await world.told('alone', 'EipTaken')
    await world.show(t, 'get', 'events', '--field-selector=involvedObject.name=alone')
    await scale(0)
    const [claim] = await world.bound('alone')
    assert.equal(claim?.eip, userEips[0])
    await world.passes('alone')
  })

  step('[E4] EIPs of the user are unbound, and never released', async () => {
    await world.kubectl('delete', 'pod', 'alone')
    await world.kubectl('delete', 'sts', 'busybox')
    for (const name of ['alone', 'busybox-0', 'busybox-1', 'busybox-2']) await world.phase(name, undefined)
    assert.deepEqual(
      world.eips().map(({ id, state }) => [id, state]),
      userEips.map((id) => [id, 'UNBIND']),
    )
  })

  step('[E3] an EIP that is not kept goes with its pod', async () => {
    await pod('short', { 'eip-attributes': '' })
    await world.bound('short')
    await world.passes('short')
    await world.kubectl('delete', 'pod', 'short')
    await world.phase('short', undefined)
    assert.deepEqual(ofPods(), [])
  })

  step('[E9] when no EIP is bound the ConfigMap is as its user has it', async () => {
    await world.masqConfigIs('nothing of ours', (config) => config === masqBefore)
  })

  step('[E1] wrong attributes are refused with what is allowed', async (t) => {
    await pod('wrong', { 'eip-attributes': '{"Bandwidth":"5000"}' })
    assert.match(await world.told('wrong', 'EIPRefused'), /allowed is a whole number of 1 to 100/)
    await world.show(t, 'describe', 'pod', 'wrong')
    await world.kubectl('delete', 'pod', 'wrong')
  })

  const mishaps: readonly Mishap[] = [
    {
      shows: '[E8]',
      what: 'no permission',
      name: 'denied',
      begin: ({ cluster }) => void cluster.cloud.setFaults({ deny: { AllocateAddresses: 1 } }),
      end: ({ cluster }) => void cluster.cloud.setFaults({ deny: {} }),
      says: /QcloudAccessForIPAMDRoleInQcloudAllocateEIP/,
    },
    {
      what: 'the quota of the account is used up',
      name: 'quota',
      begin: ({ cluster }) => void cluster.cloud.setLimits({ eips: userEips.length }),
      end: ({ cluster }) => void cluster.cloud.setLimits({ eips: 20 }),
      says: /2 of 2|quota/i,
    },
    {
      what: 'the account is in arrears',
      name: 'arrears',
      begin: ({ cluster }) => void cluster.cloud.setFaults({ noBalance: true }),
      end: ({ cluster }) => void cluster.cloud.setFaults({ noBalance: false }),
      says: /arrears|balance|money/i,
    },
    {
      what: 'the task that makes it fails',
      name: 'unmade',
      begin: ({ cluster }) => void cluster.cloud.setFaults({ failTasks: { AllocateAddresses: 1 } }),
      end: ({ cluster }) => void cluster.cloud.setFaults({ failTasks: {} }),
      says: /came to nothing/,
    },
    {
      what: 'the task that binds it fails',
      name: 'unbound',
      begin: ({ cluster }) => void cluster.cloud.setFaults({ failTasks: { AssociateAddress: 1 } }),
      end: ({ cluster }) => void cluster.cloud.setFaults({ failTasks: {} }),
      says: /came to nothing/,
    },
  ]
  for (const { begin, end, name, says, shows = '[E11]', what } of mishaps) {
    atLength(`${shows} ${what}: the pod runs and is told, and gets its EIP when it is over`, async (t) => {
      begin(world)
      await pod(name, { 'eip-attributes': '{"Bandwidth":"5"}' })
      await addressedPods(world.cluster, [name])
      const events = () =>
        world.kubectl('get', 'events', `--field-selector=involvedObject.name=${name},type=Warning`)
      await until(`${name} is told`, async () => says.test(await events()), [], 2 * minute)
      await world.show(t, 'get', 'events', `--field-selector=involvedObject.name=${name}`)
      await world.show(t, 'get', 'eipc', name, '-o', 'wide')
      end(world)
      await world.bound(name)
      await world.show(t, 'get', 'eipc', name, '-o', 'wide')
      await world.passes(name)
      await gone(name)
    })
  }

  atLength('[R2] answers that are lost after their effect: one EIP is made, and bound', async () => {
    world.cluster.cloud.setFaults({ loseNextAnswers: { AllocateAddresses: 1, AssociateAddress: 1 } })
    const before = ofPods().length
    await pod('unheard', { 'eip-attributes': '' })
    await world.bound('unheard')
    assert.equal(ofPods().length, before + 1)
    await world.passes('unheard')
    await gone('unheard')
  })

  atLength(
    '[R1] the leader is killed while EIPs are made: each pod has one, and nothing is left over',
    async (t) => {
      const names = [1, 2, 3, 4].map((n) => `amid-${n}`)
      await Promise.all(names.map((name, i) => pod(name, { 'eip-attributes': '' }, homes[i % 2])))
      let kills = 0
      const isDone = () => names.every((name) => world.claim(name)?.phase === 'Bound')
      while (!isDone() && kills < 4) {
        const seen = JSON.stringify(world.claims())
        await until('something has happened', () => JSON.stringify(world.claims()) !== seen, [], minute)
        await world.cluster.killLeader()
        kills++
      }
      await world.bound(...names)
      for (const name of names) await world.passes(name)
      t.diagnostic(`killed ${kills} times`)
      assert.equal(ofPods().length, world.claims().length)
    },
  )

  atLength('[E3] the EIPs of all of them go', async () => {
    await gone('amid-1', 'amid-2', 'amid-3', 'amid-4')
    assert.deepEqual(ofPods(), [])
  })

  step('[E7] a static pod with an EIP moves to another node, and keeps both', async (t) => {
    const keeps = {
      'vpc-ip-claim-delete-policy': 'Never',
      'eip-attributes': '',
      'eip-claim-delete-policy': 'Never',
    }
    await pod('mover', keeps)
    await world.bound('mover')
    await world.passes('mover')
    const before = world.claim('mover')
    for (const home of [homes[1], homes[0]]) {
      await world.kubectl('delete', 'pod', 'mover')
      await world.podGone('mover')
      await pod('mover', keeps, home)
      await addressedPods(world.cluster, ['mover'])
      await world.bound('mover')
      await world.passes('mover')
      const now = world.claim('mover')
      assert.deepEqual([now?.eip, now?.privateIp], [before?.eip, before?.privateIp])
    }
    await world.show(t, 'get', 'vipc,eipc', '-o', 'wide')
  })

  step('[R1] all pods end: nothing is left over, and nothing of the user is touched', async () => {
    await world.kubectl('delete', 'pods', '--all')
    await world.phase('mover', 'Retained')
    await world.kubectl('delete', 'eipc', 'mover')
    await world.kubectl('delete', 'vipc', 'mover')
    await until('no claim is left', () => world.claims().length === 0, [], 2 * minute)
    assert.deepEqual(
      world.eips().map(({ id }) => id),
      [...userEips],
    )
    await world.masqConfigIs('nothing of ours', (config) => config === masqBefore)
    let audit = await auditCluster(world.cluster)
    const settled = async () => {
      audit = await auditCluster(world.cluster)
      return audit.leaks.length === 0
    }
    await until('all is settled', settled, [], minute).catch(() => {})
    assert.deepEqual([audit.leaks, audit.doubles], [[], []])
  })
}

describe('EIPs whose time is over', () => {
  const step = story(missing || explainSkip(missingPieces('root', 'unshare', 'cc')), () => world.explain())
  let clock: MachineClock
  let world: EipWorld
  before(async () => {
    if (missing || missingPieces('root', 'unshare', 'cc').length > 0) return
    clock = await startMachineClock(copyOfExecutable(), 1)
    const leaderFlags = ['--claim-expired-duration=5m']
    world = await EipWorld.start({ program: clock.program, clock: clock.world, leaderFlags, nodes: 1 })
  })
  after(async () => {
    await world?.close()
    await clock?.stop()
  })

  step('[E6] five minutes after its pod the EIP is released, whether or not a leader runs', async (t) => {
    await world.apply(
      'web',
      eipPod('web', { 'eip-attributes': '', 'eip-claim-delete-policy': 'Never' }, homes[0]),
    )
    await world.bound('web')
    const { eip } = world.claim('web') ?? assert.fail()
    await world.kubectl('delete', 'pod', 'web')
    await world.phase('web', 'Retained')
    await world.show(t, 'get', 'eipc')
    await until('the EIP is on nothing', () => world.eip(eip)?.state === 'UNBIND')
    await world.cluster.haltLeader()
    clock.pass(4 * minute)
    world.cluster.resumeLeader()
    await until('kubectl sees claims', async () => (await world.try('get', 'eipc')).code === 0)
    await world.show(t, 'get', 'eipc')
    assert.equal(world.claim('web')?.phase, 'Retained')
    await world.cluster.haltLeader()
    clock.pass(minute)
    world.cluster.resumeLeader()
    await world.phase('web', undefined)
    assert.equal(world.eip(eip), undefined)
  })
})

interface Mishap {
  /** A requirement. */
  readonly shows?: string
  readonly what: string
  /** Of the pod. */
  readonly name: string
  readonly begin: (world: EipWorld) => void
  readonly end: (world: EipWorld) => void
  /** An event of the pod. */
  readonly says: RegExp
}
