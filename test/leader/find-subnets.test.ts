// Whether a process may try to lead, by what the cloud shows of its subnets.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { seededRandom } from '../../internal/base/random.ts'
import { untilSubnetsFound } from '../../internal/leader/find-subnets.ts'
import { openVpcSim } from '../../internal/sim/vpc/sim.ts'
import { createCloud } from '../../internal/vpc/cloud.ts'
import { simTransport } from '../fake/sim-transport.ts'
import { VirtualClock } from '../fake/virtual-clock.ts'
import { LogBook } from '../node/log-book.ts'

const second = 1000
const [here, later] = ['subnet-00000001', 'subnet-00000002']

function look(t: TestContext, { subnetIds, reachable = true }: { subnetIds: string[]; reachable?: boolean }) {
  const clock = new VirtualClock()
  const random = seededRandom(1)
  const log = new LogBook()
  const sim = openVpcSim({ path: ':memory:', random, latency: { minMs: 1, maxMs: 5 } })
  t.after(() => sim.close())
  const vpcId = 'vpc-00000001'
  sim.admin.createVpc({ id: vpcId, cidr: '10.0.0.0/16' }, clock.now())
  const make = (id: string, cidr: string) =>
    sim.admin.createSubnet({ id, vpcId, cidr, zone: 'ap-guangzhou-3' }, clock.now())
  make(here, '10.0.1.0/24')
  const transport = simTransport({ sim, clock, random, reachable: () => reachable })
  const told: string[] = []
  let isOver = false
  const over = untilSubnetsFound(
    {
      cloudUntil: (signal) => createCloud({ transport, clock, random, log, signal }),
      subnetIds,
      region: 'ap-guangzhou',
      clock,
      random,
      log,
      tell: (status) => told.push(status),
    },
    new AbortController().signal,
  )
  void over.then(
    () => {
      isOver = true
    },
    () => {},
  )
  return { clock, log, told, make, over, isOver: () => isOver }
}

test('untilSubnetsFound() says nothing when all are there', async (t) => {
  const { clock, log, over } = look(t, { subnetIds: [here] })
  await clock.runUntil(over)
  assert.deepEqual(
    log.entries.filter(({ level }) => level !== 'debug'),
    [],
  )
})

test('[R6] untilSubnetsFound() keeps a leader of which no subnet is there from leading, and names subnet, setting and region', async (t) => {
  const { clock, told, make, isOver } = look(t, { subnetIds: [later] })
  await clock.advance(300 * second)
  assert.ok(!isOver())
  assert.equal(
    told[0],
    `Cannot use subnet "${later}" of --subnets: there is no such subnet in region "ap-guangzhou"; check --subnets and --region, and whose the credentials are`,
  )
  make(later, '10.0.2.0/24')
  await clock.advance(61 * second)
  assert.ok(isOver())
})

test('[R6] untilSubnetsFound() names the subnet that is not there, and lets the others serve', async (t) => {
  const { clock, log, told, over } = look(t, { subnetIds: [here, later] })
  await clock.runUntil(over)
  const [entry] = log.entries.filter(({ level }) => level === 'error')
  assert.match(String(entry?.fields['error']), new RegExp(`subnet "${later}" of --subnets`))
  assert.deepEqual(told, [])
})

test('[R6] untilSubnetsFound() refuses what can be no subnet', async (t) => {
  const { clock, over } = look(t, { subnetIds: [here, 'subnet-nope'] })
  const wanted = { code: 'bad_input', message: /`subnet-nope` .* is malformed/, hint: /^check --subnets: / }
  await assert.rejects(clock.runUntil(over), wanted)
})

test('[R3] untilSubnetsFound() keeps nobody from leading while the cloud does not answer', async (t) => {
  const { clock, log, isOver } = look(t, { subnetIds: [here], reachable: false })
  await clock.advance(15 * second)
  assert.ok(isOver())
  assert.equal(log.count('subnets not looked up'), 1)
})
