// The way to the simulated cloud on which calls about EIPs have chance of their own: what is drawn for all others does not depend on how often
// a leader looks for EIPs.
import { type Random, seededRandom } from '../../internal/base/random.ts'
import type { VpcSim } from '../../internal/sim/vpc/sim.ts'
import type { Transport } from '../../internal/vpc/transport.ts'
import { cloudLink } from '../sim/world/cloud-link.ts'
import type { Process } from '../sim/world/process.ts'

const ofEips = new Set([
  ...['AllocateAddresses', 'AssociateAddress', 'DisassociateAddress', 'ReleaseAddresses'],
  ...['DescribeAddresses', 'DescribeAddressQuota'],
])

/** What a cloud draws from: as `random` while it serves calls about anything else. */
export class DrawsApart implements Random {
  readonly #random: Random
  readonly #eips = seededRandom(11)
  #drawing: Random

  constructor(random: Random) {
    this.#random = random
    this.#drawing = random
  }

  next(): number {
    return this.#drawing.next()
  }

  /** The cloud, drawing apart. */
  serving(sim: VpcSim): VpcSim {
    const handle: VpcSim['handle'] = (action, ...call) => {
      this.#drawing = ofEips.has(action) ? this.#eips : this.#random
      try {
        return sim.handle(action, ...call)
      } finally {
        this.#drawing = this.#random
      }
    }
    return { ...sim, handle }
  }
}

/** As cloudLink(). `eips`: the process as calls about EIPs have it; it dies with the other. */
export function linkWithEipsApart(sim: VpcSim, process: Process, eips: Process): Transport {
  const link = cloudLink(sim, process)
  const apart = cloudLink(sim, eips)
  return {
    request(product, action, ...call) {
      return (ofEips.has(action) ? apart : link).request(product, action, ...call)
    },
  }
}
