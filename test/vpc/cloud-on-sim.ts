// The port `Cloud` on the simulated cloud in process, under a clock of its own.
import type { TestContext } from 'node:test'
import { silentLog } from '../../internal/base/log.ts'
import { seededRandom } from '../../internal/base/random.ts'
import { createCloud } from '../../internal/vpc/cloud.ts'
import { createLimiter } from '../../internal/vpc/limiter.ts'
import { simTransport } from '../fake/sim-transport.ts'
import { VirtualClock } from '../fake/virtual-clock.ts'
import { openWorld, subnetA, T0 } from '../sim/vpc/world.ts'

export const pod = 'waiting-pod'

export function setUp(t: TestContext) {
  const sim = openWorld()
  t.after(() => sim.close())
  const clock = new VirtualClock(T0)
  const random = seededRandom(2)
  let reachable = true
  const transport = simTransport({ sim, clock, random, reachable: () => reachable })
  const limiter = createLimiter({ clock, random, log: silentLog })
  const cloud = createCloud({ transport, clock, random, limiter, log: silentLog })
  const sent = (action: string) => limiter.status().find((lane) => lane.action === action)?.sent ?? 0
  const create = (n: number | string, secondaryIps = 0, tags: Record<string, string> = {}) =>
    cloud.createEni(
      {
        name: `eni ${n}`,
        description: '',
        subnetId: subnetA,
        securityGroups: [],
        secondaryIps,
        tags,
        clientToken: `t${n}`,
      },
      pod,
    )
  return {
    sim,
    clock,
    cloud,
    sent,
    create,
    setReachable(is: boolean) {
      reachable = is
    },
  }
}

/** An ENI that is available, on no instance. */
export async function freeEni(
  { clock, create }: Pick<ReturnType<typeof setUp>, 'clock' | 'create'>,
  n: string,
  ips = 0,
): Promise<string> {
  const { id } = await clock.runUntil(create(n, ips))
  await clock.advance(3000)
  return id
}
