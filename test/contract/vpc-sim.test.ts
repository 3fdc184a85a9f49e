// The contract of the VPC API on the simulated cloud: in process under a clock of its own, and over HTTP with the SDK.
import { sleep, systemClock } from '../../internal/base/clock.ts'
import { serveVpcSim } from '../../internal/sim/vpc/server.ts'
import { far, medium, openWorld, subnetA, T0, vpcId } from '../sim/vpc/world.ts'
import { sdkRequest } from './sdk-request.ts'
import { changingVpcContract, readOnlyVpcContract, type VpcSubject } from './vpc.contract.ts'

const place = { vpcId, subnetId: subnetA, instanceId: medium, farInstanceId: far }

async function inProcess(): Promise<VpcSubject> {
  const sim = openWorld()
  let now = T0
  return {
    request: async (action, params) => sim.handle(action, params, now),
    async wait() {
      now = sim.nextDue() ?? now + 1000
    },
    close: async () => sim.close(),
  }
}

async function overHttp(): Promise<VpcSubject> {
  const sim = openWorld({ latency: { minMs: 2, maxMs: 10 }, limits: { rateLimits: false } })
  sim.credentials.add('AKIDcontract', 'key')
  const server = await serveVpcSim({ sim, clock: systemClock, tcp: { host: '127.0.0.1', port: 0 } })
  return {
    request: sdkRequest({
      endpoint: new URL(server.url).host,
      protocol: 'http://',
      region: sim.region,
      credential: { secretId: 'AKIDcontract', secretKey: 'key' },
    }),
    wait: () => sleep(systemClock, 5),
    async close() {
      await server.close()
      sim.close()
    },
  }
}

for (const [name, open] of [
  ['the simulator in process', inProcess],
  ['the simulator over HTTP', overHttp],
] as const) {
  readOnlyVpcContract(name, open)
  changingVpcContract(name, place, open)
}
