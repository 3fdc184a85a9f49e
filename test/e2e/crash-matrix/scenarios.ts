// What makes leader, agents and plugins pass their crash points.
import type { Scenario, Stimulus } from './matrix.ts'
import type { Rig } from './rig.ts'

const few = 2
/** More than the addresses of one ENI. */
const many = 11

const podsCome: Stimulus = {
  name: 'pods come',
  run: (rig) => onEach(rig, (node) => rig.makePods(node, many)),
}
const podsGo: Stimulus = {
  name: 'pods go',
  run: (rig) => onEach(rig, (node) => rig.endPods(node, few)),
}
const answersAreLost: Stimulus = {
  name: 'answers are lost',
  async run(rig) {
    const actions = ['CreateNetworkInterface', 'AttachNetworkInterface', 'AssignPrivateIpAddresses']
    rig.cluster.cloud.setFaults({ loseNextAnswers: Object.fromEntries(actions.map((action) => [action, 1])) })
    await podsCome.run(rig)
  },
}
const callsAreRefused: Stimulus = {
  name: 'calls are refused',
  async run(rig) {
    rig.cluster.cloud.setLimits({ enisPerVpc: 0 })
    await podsCome.run(rig)
    await rig.until('a creation has failed', () => rig.failedIntents() > 0)
    rig.cluster.cloud.setLimits({ enisPerVpc: 1000 })
  },
}

/** Work for the leader: every cloud call, granted, lost and refused; nodes that come and go. */
export const leaderScenarios: readonly Scenario[] = [
  { steps: [podsCome, podsGo] },
  {
    steps: [
      { name: 'a node joins', run: (rig) => rig.joinBareNode() },
      { name: 'a node leaves', run: (rig) => rig.removeBareNode() },
    ],
  },
  { steps: [answersAreLost, podsGo] },
  {
    steps: [podsCome, { name: 'the ledger is lost', run: (rig) => rig.loseLedger() }, podsGo],
  },
  {
    steps: [
      { name: 'a node joins', run: (rig) => rig.joinBareNode() },
      { name: 'hands in the console', run: (rig) => rig.meddle() },
      { name: 'a node leaves', run: (rig) => rig.removeBareNode() },
    ],
  },
  { steps: [callsAreRefused, podsGo] },
]

/** Work for the agents and the plugin. */
export const nodeScenarios: readonly Scenario[] = [
  { steps: [podsCome, podsGo] },
  { steps: [{ name: 'sandboxes are checked', run: (rig) => rig.checkSandboxes() }] },
  {
    steps: [{ name: 'an agent starts for the first time', run: (rig) => rig.addNode() }],
    helps: (left) => [...left].some((point) => point.includes('setBootId')),
  },
  {
    steps: [
      podsCome,
      { name: "the agent's database is lost", run: (rig) => onEach(rig, (node) => rig.loseNodeDb(node)) },
      podsGo,
    ],
  },
]

async function onEach(rig: Rig, work: (node: string) => Promise<void>): Promise<void> {
  for (const node of rig.served()) await work(node)
}
