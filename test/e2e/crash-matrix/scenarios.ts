// What makes leader, agents and plugins pass their crash points.
import { addByHand, deleteNec, makeStrayLinks, removeByHand, removeStrayLinks } from './by-hand.ts'
import type { Scenario, Stimulus } from './matrix.ts'
import type { Rig } from './rig.ts'

/** Pods of a node that stay, and that come: more than the addresses of one ENI together. */
const few = 2
const many = 3

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
const requestsAreLost: Stimulus = {
  name: 'requests are lost',
  async run(rig) {
    const { cloud } = rig.cluster
    cloud.setFaults({ lostRequests: { CreateNetworkInterface: 1 } })
    await rig.joinBareNode()
    await rig.until('a creation had no answer', () => rig.unansweredIntents() > 0)
    cloud.setFaults({ lostRequests: {} })
  },
}
const aNodeJoins: Stimulus = { name: 'a node joins', run: (rig) => rig.joinBareNode() }
const aNodeLeaves: Stimulus = { name: 'a node leaves', run: (rig) => rig.removeBareNode() }
const creationsAreRefused: Stimulus = {
  name: 'creations are refused',
  async run(rig) {
    const before = rig.failedIntents()
    rig.cluster.cloud.setLimits({ enisPerVpc: 0 })
    await rig.joinBareNode()
    // One that died waiting for the answer does not know what became of the first request: it must not believe the next answers.
    await rig.until(
      'a creation is refused',
      () => rig.failedIntents() > before || rig.unansweredIntents() > 0,
    )
    rig.cluster.cloud.setLimits({ enisPerVpc: 1000 })
  },
}

const ledgerIsLost: Stimulus = { name: 'the ledger is lost', run: (rig) => rig.loseLedger() }
const ledgerAndNecAreLost: Stimulus = {
  name: 'the ledger and a NEC are lost',
  run: (rig) => rig.loseLedger(() => deleteNec(rig)),
}
const ownPodsCome: Stimulus = {
  name: 'pods with ENIs of their own come',
  run: (rig) => onEach(rig, (node) => rig.makeOwnPod(node)),
}
const ownPodsGo: Stimulus = {
  name: 'pods with ENIs of their own go',
  run: (rig) => onEach(rig, (node) => rig.endOwnPods(node)),
}
const eipPodsCome: Stimulus = {
  name: 'pods with public addresses come',
  run: (rig) => rig.makeEipPod(home(rig)),
}
const eipPodsGo: Stimulus = {
  name: 'pods with public addresses go',
  run: (rig) => rig.endEipPods(),
}
const eipsAreRefused: Stimulus = {
  name: 'public addresses are refused',
  async run(rig) {
    const { cloud } = rig.cluster
    const { eips } = cloud.setLimits({})
    cloud.setLimits({ eips: 0 })
    await rig.makeEipPod(home(rig))
    await rig.until('one is refused', () => rig.eipRefused())
    cloud.setLimits({ eips })
  },
}
const keepersCome: Stimulus = {
  name: 'pods that keep their addresses come',
  run: (rig) => rig.keepers.come(home(rig)),
}
const keepersAreRestarted: Stimulus = {
  name: 'pods that keep their addresses are restarted',
  async run(rig) {
    const { keepers } = rig
    await keepers.end()
    await rig.until('their pods are gone', () => keepers.areGone())
    await rig.until('their addresses are given back', () => keepers.areReturned(home(rig)))
    await keepers.return(home(rig))
  },
}
const keepersMove: Stimulus = {
  name: 'pods that keep their addresses move',
  async run(rig) {
    const { keepers } = rig
    await keepers.end()
    await rig.until('their pods are gone', () => keepers.areGone())
    await keepers.return(rig.served()[1] ?? home(rig))
  },
}
const keepersEnd: Stimulus = {
  name: 'pods that keep their addresses end',
  run: (rig) => rig.keepers.end(),
}
const keepersReturn: Stimulus = {
  name: 'pods that keep their addresses return',
  run: (rig) => rig.keepers.return(home(rig)),
}
const addressesAreGivenUp: Stimulus = {
  name: 'kept addresses are given up',
  async run(rig) {
    const { keepers } = rig
    await keepers.end()
    await rig.until('their pods are gone', () => keepers.areGone())
    await keepers.giveUp()
    await rig.until('their claims are gone', () => keepers.deleteClaims())
  },
}
const noneMayBeReserved: Stimulus = {
  name: 'pods that keep their addresses come, and none may be reserved',
  async run(rig) {
    rig.cluster.cloud.setFaults({ deny: { CreateReserveIpAddresses: 1 } })
    await keepersCome.run(rig)
  },
}
const parkedAreGivenUp: Stimulus = {
  name: 'parked addresses are given up',
  async run(rig) {
    await addressesAreGivenUp.run(rig)
    rig.cluster.cloud.setFaults({ deny: {} })
  },
}
const sandboxesAreChecked: Stimulus = {
  name: 'sandboxes are checked',
  run: (rig) => rig.checkSandboxes(),
}
const databaseIsLost: Stimulus = {
  name: "the agent's database is lost",
  run: (rig) => onEach(rig, (node) => rig.loseNodeDb(node)),
}

/** Work for the leader: every cloud call, granted, lost and refused; nodes that come and go. There is a node without an agent. */
export const leaderScenarios: readonly Scenario[] = [
  { steps: [podsCome, podsGo] },
  { steps: [requestsAreLost, aNodeLeaves] },
  {
    steps: [
      { name: 'somebody adds to it by hand', run: addByHand },
      { name: 'somebody takes away by hand', run: removeByHand },
    ],
  },
  { steps: [podsCome, ledgerIsLost, podsGo] },
  { steps: [creationsAreRefused, aNodeLeaves] },
  { steps: [ledgerAndNecAreLost] },
  { steps: [keepersCome, keepersAreRestarted, keepersMove, keepersEnd, keepersReturn, addressesAreGivenUp] },
  { steps: [eipPodsCome, ledgerIsLost, eipPodsGo] },
  { steps: [eipsAreRefused, eipPodsGo] },
  { steps: [aNodeJoins, aNodeLeaves] },
  { steps: [noneMayBeReserved, keepersMove, keepersEnd, ledgerIsLost, keepersReturn, parkedAreGivenUp] },
  { steps: [answersAreLost, podsGo] },
  { steps: [keepersCome, keepersEnd, ledgerIsLost, keepersMove, ledgerIsLost, addressesAreGivenUp] },
  { steps: [aNodeJoins, aNodeLeaves] },
]

/** Work for the agents and the plugin. */
export const nodeScenarios: readonly Scenario[] = [
  { steps: [podsCome, podsGo] },
  { steps: [sandboxesAreChecked] },
  { steps: [keepersCome, keepersAreRestarted, databaseIsLost, addressesAreGivenUp] },
  { steps: [podsCome, ownPodsCome, sandboxesAreChecked, databaseIsLost, ownPodsGo, podsGo] },
  {
    steps: [{ name: 'an agent starts for the first time', run: (rig) => rig.addNode() }],
    helps: (left) => [...left].some((point) => point.includes('setBootId')),
  },
  {
    steps: [
      podsCome,
      databaseIsLost,
      {
        name: "the agent's database is lost as pods go",
        async run(rig) {
          await databaseIsLost.run(rig)
          await podsGo.run(rig)
        },
      },
    ],
  },
  {
    steps: [
      { name: 'links of nobody come', run: makeStrayLinks },
      { name: 'links of nobody go', run: removeStrayLinks },
    ],
  },
]

/** Of the storm. In a second turn processes die where the first one was the first to lead. */
export const stormTurn: readonly Stimulus[] = [
  podsCome,
  eipPodsCome,
  keepersCome,
  sandboxesAreChecked,
  aNodeJoins,
  ledgerAndNecAreLost,
  ledgerIsLost,
  databaseIsLost,
  podsGo,
  eipPodsGo,
  addressesAreGivenUp,
  aNodeLeaves,
]
/** The first one with an agent. */
function home(rig: Rig): string {
  return rig.served()[0] ?? ''
}

async function onEach(rig: Rig, work: (node: string) => Promise<void>): Promise<void> {
  for (const node of rig.served()) await work(node)
}
