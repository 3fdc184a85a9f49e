// What an agent does to kernel, database and NEC, and what the runtime does after trouble.

import { nodeDefaults } from '../../../internal/node/settings.ts'
import type { Sandbox } from '../../../internal/ports.ts'
import { known } from '../../given.ts'
import { publishedEni } from '../../ipam/pools.ts'
import type { Act, Stage } from './cell.ts'

const agentOf = ({ world }: Stage) => known(world.agent)

/** A runtime asks until it succeeds. */
async function untilDone({ clock }: Stage, ask: () => Promise<unknown>): Promise<void> {
  for (let tries = 0; tries < 5; tries++) {
    try {
      await clock.runUntil(ask())
      return
    } catch {
      await clock.advance(1000)
    }
  }
  throw new Error('Cannot go on: it failed five times')
}

const pod = ({ world }: Stage, containerId = 'c-1'): Sandbox => world.sandbox('a', containerId)

async function giveNewSandbox(on: Stage): Promise<void> {
  await untilDone(on, () => agentOf(on).remove(pod(on)))
  on.world.kernel.destroyNamespace('/run/netns/c-1')
  await untilDone(on, () => agentOf(on).add(pod(on, 'c-2'), undefined))
}

const addition = {
  steps: ['ledger.attach', 'linux.connectPod'],
  prepare: async () => {},
  run: (on: Stage) => agentOf(on).add(pod(on), undefined),
  ends: { inUse: 1, idle: 2, returned: 0 },
} as const

/** Three addresses, one in use: nothing is surplus with a maximum of 2 idle. */
async function added(on: Stage): Promise<void> {
  await on.clock.runUntil(agentOf(on).add(pod(on), undefined))
}

export const acts = {
  add: {
    ...addition,
    words: 'CNI ADD; afterwards the runtime makes another sandbox, with DEL of the first',
    afterwards: async (on, heard) => {
      if (heard !== 'success') await giveNewSandbox(on)
    },
  },
  'add-again': {
    ...addition,
    words: 'CNI ADD; afterwards the runtime asks again for the same sandbox',
    afterwards: async (on) => {
      await untilDone(on, () => agentOf(on).add(pod(on), undefined))
      const first = on.world.ledger.attachments()[0]?.address
      await untilDone(on, () => agentOf(on).add(pod(on), undefined))
      if (on.world.ledger.attachments()[0]?.address !== first) throw new Error('another address')
    },
  },
  'add-lost': {
    ...addition,
    words: 'CNI ADD; afterwards the runtime makes another sandbox, and DEL of the first never comes',
    afterwards: async (on, heard) => {
      if (heard === 'success') return
      on.world.kernel.destroyNamespace('/run/netns/c-1')
      await untilDone(on, () => agentOf(on).add(pod(on, 'c-2'), undefined))
    },
  },
  del: {
    words: 'CNI DEL; the runtime asks until it succeeds',
    steps: ['linux.disconnectPod', 'ledger.detach'],
    prepare: added,
    run: (on) => agentOf(on).remove(pod(on)),
    afterwards: (on) => untilDone(on, () => agentOf(on).remove(pod(on))),
    ends: { inUse: 0, idle: 3, returned: 0 },
  },
  'del-lost': {
    words: 'CNI DEL, which is never asked for again; sandbox and pod are gone',
    steps: ['linux.disconnectPod', 'ledger.detach'],
    prepare: added,
    run(on) {
      on.world.kernel.destroyNamespace('/run/netns/c-1')
      return agentOf(on).remove(pod(on))
    },
    afterwards: async (on) => {
      on.world.kernel.destroyNamespace('/run/netns/c-1')
      on.world.showPods([])
    },
    ends: { inUse: 0, idle: 3, returned: 0 },
  },
  'take-over': {
    words: 'a new ENI appears in the NEC',
    steps: ['ledger.sync', 'linux.apply'],
    prepare: async () => {},
    trigger: ({ world }) => world.publish([publishedEni(1, '1', '2', '3'), publishedEni(2, '1')]),
    afterwards: async () => {},
    ends: { inUse: 0, idle: 4, returned: 0 },
  },
  'give-back': {
    words: 'surplus is given back',
    steps: ['ledger.giveBack', 'kube.report'],
    prepare: async () => {},
    when({ world, clock }) {
      const returning = world.ledger.ips().some(({ state }) => state === 'returning')
      return (
        returning ||
        clock.now() - (world.ledger.releaseTimer('shared') ?? clock.now()) >= nodeDefaults.releaseEvery
      )
    },
    afterwards: async () => {},
    ends: { inUse: 0, idle: 2, returned: 1 },
  },
} satisfies Record<string, Act>

export type ActId = keyof typeof acts
