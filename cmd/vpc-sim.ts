// `tke-eni vpc-sim`: the simulated cloud as a server of its own.
import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { systemClock } from '../internal/base/clock.ts'
import { createLog } from '../internal/base/log.ts'
import { systemRandom } from '../internal/base/random.ts'
import { IpamError } from '../internal/ipam/errors.ts'
import { seed } from '../internal/sim/vpc/admin-requests.ts'
import { ApiError } from '../internal/sim/vpc/api-error.ts'
import { serveVpcSim } from '../internal/sim/vpc/server.ts'
import { openVpcSim, type VpcSim } from '../internal/sim/vpc/sim.ts'
import { parseYaml } from '../internal/wire/yaml.ts'
import type { Host } from './host.ts'
import { serviceCommand } from './service-command.ts'
import { type VpcSimSettings, vpcSimSettings } from './settings/vpc-sim-settings.ts'
import { aborted } from './until-signal.ts'

export function define(host: Host): Command {
  return serviceCommand(host, { settings: vpcSimSettings, help, foreground: true, run: runVpcSim })
}

async function runVpcSim(settings: VpcSimSettings, signal: AbortSignal): Promise<void> {
  const log = createLog(settings.logLevel)
  const sim = openVpcSim({
    path: settings.db,
    random: systemRandom,
    region: settings.region,
    latency: { minMs: settings.latencyMin, maxMs: settings.latencyMax },
  })
  try {
    sim.credentials.add(settings.secretId, settings.secretKey)
    if (settings.seedFile !== undefined) plant(sim, settings.seedFile)
    const server = await serveVpcSim({
      sim,
      clock: systemClock,
      log,
      tcp: settings.listen,
      ...(settings.socket === undefined ? {} : { socketPath: settings.socket }),
      ...(settings.role === undefined ? {} : { role: { name: settings.role, lifeMs: settings.roleLife } }),
    })
    process.stdout.write(`vpc-sim listens on ${server.url}\n`)
    await aborted(signal)
    await server.close()
  } finally {
    sim.close()
  }
}

function plant(sim: VpcSim, path: string): void {
  try {
    seed(sim.admin, parseYaml(readFileSync(path, 'utf8'), 'seed file', path), systemClock.now())
  } catch (cause) {
    if (cause instanceof IpamError) throw cause
    const why = cause instanceof ApiError ? `${cause.code}: ${cause.message}` : (cause as Error).message
    throw new IpamError('bad_input', `Cannot use seed file "${path}": ${why}`, { cause })
  }
}

const help = `
A cloud of its own: VPC and CVM API with signatures at "/", metadata at "/latest/", and a side entrance at
"/sim/" for seeds, faults, limits and the audit (GET /sim lists them). Any SDK or CLI of Tencent Cloud can be pointed at it.

Examples:
  tke-eni vpc-sim --listen 127.0.0.1:8080 --db sim.db --seed-file seed.yaml
  curl -s http://127.0.0.1:8080/sim/audit
  curl -s -X PUT http://127.0.0.1:8080/sim/faults -d '{"outage":"unavailable"}'

seed.yaml:
  vpcs: [{ id: vpc-00000001, cidr: 10.0.0.0/16 }]
  subnets: [{ id: subnet-0000000a, vpcId: vpc-00000001, cidr: 10.0.1.0/24, zone: ap-guangzhou-3 }]
  instances: [{ id: ins-00000001, instanceType: S5.MEDIUM4, subnetId: subnet-0000000a }]`
