// Three views and what comes of them. A row is a world of one node, n1 on ins-1, with one ENI, eni-1, unless it says otherwise.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tagsOf } from '../../internal/ipam/eni-tags.ts'
import { planSurvey } from '../../internal/ipam/plan-survey.ts'
import type { Suspect } from '../../internal/ipam/quarantine.ts'
import type {
  SurveyClaim,
  SurveyEni,
  SurveyPlan,
  SurveySettlement,
  SurveySnapshot,
} from '../../internal/ipam/survey.ts'
import type { CloudEni, EniMode, PodFact } from '../../internal/ipam/types.ts'
import { cidr, mac, nodeBounds, nth } from '../given.ts'

const policy = { staleFor: 5000, massLossAfter: 600_000 }
/** Two ENIs, of which one may be exclusive. */
const bounds = nodeBounds(
  { minWarm: 0, maxWarm: 3, maxEnis: 2, ipsPerEni: 5 },
  { minWarm: 0, maxWarm: 1, maxEnis: 1, ipsPerEni: 1 },
)
const firstView = 1_000_000
const secondView = firstView + 6000

function ledgerEni(change: Partial<SurveyEni> = {}, ...ips: readonly number[]): SurveyEni {
  return {
    key: 1,
    id: 'eni-1',
    node: 'n1',
    slot: 1,
    mode: 'shared',
    mac: mac('20:90:6f:00:00:01'),
    primaryIp: nth(200),
    state: 'attached',
    goal: 'serve',
    busy: false,
    touchedAt: 0,
    ips: ips.map((n) => ({ address: nth(n), state: 'bound', changedAt: 0, pod: undefined })),
    ...change,
  }
}

function cloudEni(change: Partial<CloudEni> = {}, ...ips: readonly number[]): CloudEni {
  return {
    id: 'eni-1',
    name: 'eni-1',
    subnetId: 'subnet-a',
    mac: mac('20:90:6f:00:00:01'),
    state: 'available',
    primary: false,
    instanceId: 'ins-1',
    primaryIp: nth(200),
    ips: ips.map((n) => ({ address: nth(n), state: 'available' })),
    tags: tags(),
    ...change,
  }
}

function tags(node = 'n1', instanceId = 'ins-1', slot = 1, clusterId = 'cls-1', mode: EniMode = 'shared') {
  return tagsOf({ clusterId, node, instanceId, slot, mode, token: `token-${slot}` })
}

/** An ENI that no ledger has. */
const orphan = (change: Partial<CloudEni> = {}, ...ips: readonly number[]) =>
  cloudEni(
    {
      id: 'eni-9',
      primaryIp: nth(209),
      mac: mac('20:90:6f:00:00:09'),
      tags: tags('n1', 'ins-1', 2),
      ...change,
    },
    ...ips,
  )

const exclusiveTags = tags('n1', 'ins-1', 2, 'cls-1', 'exclusive')

/** eni-9 as the ledger has it, with its own address for a pod. */
function exclusiveEni(change: Partial<SurveyEni> = {}): SurveyEni {
  const eni = ledgerEni({
    ...{
      key: 9,
      id: 'eni-9',
      slot: 2,
      mode: 'exclusive',
      mac: mac('20:90:6f:00:00:09'),
      primaryIp: nth(209),
    },
    ...change,
  })
  const { primaryIp } = eni
  return primaryIp === undefined
    ? eni
    : { ...eni, ips: [{ address: primaryIp, state: 'bound', changedAt: 0, pod: undefined }] }
}

function pod(name: string, node: string, n: number, change: Partial<PodFact> = {}): PodFact {
  return {
    namespace: 'default',
    name,
    uid: name,
    node,
    hostNetwork: false,
    terminal: false,
    deleting: false,
    wants: 'shared',
    ip: nth(n),
    keepsIp: false,
    ...change,
  }
}

type World = Partial<Omit<SurveySnapshot, 'kube'>> & { readonly absent?: readonly string[] }

function snapshot({ absent = [], ...world }: World, readAt: number): SurveySnapshot {
  const node = (name: string, instanceId: string, shared: number) =>
    ({ name, instanceId, phase: 'active', bounds, room: { shared, exclusive: shared } }) as const
  return {
    clusterId: 'cls-1',
    readAt,
    nodes: [node('n1', 'ins-1', 2), node('n2', 'ins-2', 0)],
    enis: [ledgerEni({}, 5, 6)],
    touched: new Set(),
    cloud: [cloudEni({}, 5, 6)],
    reservations: undefined,
    claims: [],
    pods: [],
    kube: {
      nodes: new Set(['n1', 'n2']),
      instances: new Set(['ins-1', 'ins-2']),
      absent: new Set(absent),
      necs: new Map(),
    },
    cidrs: new Map([['subnet-a', cidr('10.0.1.0/24')]]),
    ...world,
  }
}

const settled = ({ settlements }: SurveyPlan) => settlements.map(inShort)

function inShort(settlement: SurveySettlement): string {
  switch (settlement.kind) {
    case 'adopt-eni': {
      const { eni, mode, node, slot, state, goal, formerInstance: former } = settlement
      return `adopt ${mode === 'shared' ? '' : `${mode} `}${eni.id} on ${node}/${slot} ${state} ${goal}${former === undefined ? '' : ` leaving ${former}`}`
    }
    case 'adopt-ip':
    case 'drop-ip':
    case 'unassign-ip':
      return `${settlement.kind} ${settlement.address}`
    case 'correct-eni':
      return `${settlement.eniId} is ${settlement.state}`
    case 'forget-eni':
      return `forget ${settlement.eniId}`
    case 'release-reservation':
      return `release ${settlement.id}`
    case 'find-reservation':
      return `${settlement.claim.name} has ${settlement.id}`
    case 'lose-reservation':
      return `${settlement.claim.name} has no ${settlement.claim.reservation}`
  }
}

const suspected = (suspects: readonly Suspect[]) =>
  suspects.map(({ kind, subject, held }) => `${kind} ${subject}${held ? ' held' : ''}`)

interface Row {
  readonly does: string
  readonly world: World
  /** Settled by the second view that agrees. */
  readonly want?: readonly string[]
  /** What stays in quarantine then. */
  readonly left?: readonly string[]
  /** Nothing is suspected at all. */
  readonly innocent?: true
}

const rows: readonly Row[] = [
  { does: 'finds nothing where all views agree', world: {}, innocent: true },
  {
    does: 'forgets an address that its ENI does not have any more',
    world: { cloud: [cloudEni({}, 5)] },
    want: ['drop-ip 10.0.1.6'],
  },
  {
    does: 'takes an address in that its ENI has',
    world: { cloud: [cloudEni({}, 5, 6, 7)] },
    want: ['adopt-ip 10.0.1.7'],
  },
  {
    does: 'leaves an address alone that the cloud is moving in or out',
    world: {
      cloud: [
        cloudEni({
          ips: [
            { address: nth(5), state: 'available' },
            { address: nth(6), state: 'deleting' },
            { address: nth(7), state: 'pending' },
          ],
        }),
      ],
    },
    innocent: true,
  },
  {
    does: 'does not miss an address that is being unassigned, or that came just now',
    world: {
      enis: [
        ledgerEni({
          ips: [
            { address: nth(5), state: 'unassigning', changedAt: 0, pod: undefined },
            { address: nth(6), state: 'bound', changedAt: secondView, pod: undefined },
          ],
        }),
      ],
      cloud: [cloudEni()],
    },
    innocent: true,
  },
  {
    does: 'notes that an ENI was taken off its node',
    world: { cloud: [cloudEni({ instanceId: undefined }, 5, 6)] },
    want: ['eni-1 is available'],
  },
  {
    does: 'notes that an ENI is on its node',
    world: { enis: [ledgerEni({ state: 'available' }, 5, 6)] },
    want: ['eni-1 is attached'],
  },
  {
    does: 'forgets an ENI that does not exist',
    world: { cloud: [] },
    want: ['forget eni-1'],
  },
  {
    does: 'holds an ENI that is on another instance, and touches nothing of it',
    world: { cloud: [cloudEni({ instanceId: 'ins-2' }, 5)] },
    left: ['eni-elsewhere eni-1 held'],
  },
  {
    does: 'holds an ENI that was given to another cluster',
    world: { cloud: [cloudEni({ tags: tags('n1', 'ins-1', 1, 'cls-2') }, 5)] },
    left: ['eni-retagged eni-1 held'],
  },
  {
    does: 'goes on serving from an ENI that has lost its tag, and says so',
    world: { cloud: [cloudEni({ tags: {} }, 5, 6)] },
    left: ['eni-untagged eni-1'],
  },
  {
    does: 'judges nothing that an intent is about',
    world: { enis: [ledgerEni({ busy: true }, 5, 6)], cloud: [] },
    innocent: true,
  },
  {
    does: 'judges nothing that was touched since the view may be from',
    world: {
      enis: [ledgerEni({ touchedAt: firstView - 5000 }, 5, 6)],
      cloud: [],
      touched: new Set(['eni-1']),
    },
    innocent: true,
  },
  {
    does: 'judges nothing that the cloud is working on',
    world: { cloud: [cloudEni({ state: 'detaching' })] },
    innocent: true,
  },
  {
    does: 'adopts an ENI on its node, in the slot it was made for',
    world: { cloud: [cloudEni({}, 5, 6), orphan({}, 10, 11, 12, 13)] },
    want: ['adopt eni-9 on n1/2 attached serve'],
  },
  {
    does: 'adopts one that is attached to nothing when the node can use all it has',
    world: { cloud: [cloudEni({}, 5, 6), orphan({ instanceId: undefined }, 10, 11)] },
    want: ['adopt eni-9 on n1/2 available serve'],
  },
  {
    does: 'gives it back when the node has no use for it',
    world: { cloud: [cloudEni({}, 5, 6), orphan({ instanceId: undefined }, 10, 11, 12)] },
    want: ['adopt eni-9 on n1/2 available delete'],
  },
  {
    does: 'gives one back for which there is no slot',
    world: {
      enis: [
        ledgerEni({}, 5, 6),
        ledgerEni({ key: 2, id: 'eni-2', slot: 2, mac: undefined, primaryIp: nth(202) }),
      ],
      cloud: [cloudEni({}, 5, 6), cloudEni({ id: 'eni-2', primaryIp: nth(202) }), orphan()],
    },
    want: ['adopt eni-9 on n1/3 attached delete'],
  },
  {
    does: '[R7] takes one that a pod uses, be there a slot or not',
    world: {
      enis: [
        ledgerEni({}, 5, 6),
        ledgerEni({ key: 2, id: 'eni-2', slot: 2, mac: undefined, primaryIp: nth(202) }),
      ],
      cloud: [cloudEni({}, 5, 6), cloudEni({ id: 'eni-2', primaryIp: nth(202) }), orphan({}, 10)],
      pods: [pod('p', 'n1', 10)],
    },
    want: ['adopt eni-9 on n1/3 attached serve'],
  },
  {
    does: 'gives back what was made for a node that does not exist, as one that leaves',
    world: {
      cloud: [cloudEni({}, 5, 6), orphan({ tags: tags('n9', 'ins-9'), instanceId: 'ins-9' })],
      absent: ['n9'],
    },
    want: ['adopt eni-9 on n9/1 attached delete leaving ins-9'],
  },
  {
    does: 'waits for a node that nobody has asked for yet',
    world: { cloud: [cloudEni({}, 5, 6), orphan({ tags: tags('n9', 'ins-9'), instanceId: undefined })] },
    left: ['eni-orphan eni-9'],
  },
  {
    does: 'never takes over what is on another instance than it was made for',
    world: { cloud: [cloudEni({}, 5, 6), orphan({ instanceId: 'ins-2' })] },
    left: ['eni-orphan eni-9 held'],
  },
  {
    does: 'leaves what names no node to a person',
    world: {
      cloud: [cloudEni({}, 5, 6), orphan({ instanceId: undefined, tags: { 'tke-eni-cluster': 'cls-1' } })],
    },
    left: ['eni-orphan eni-9 held'],
  },
  {
    does: 'leaves an ENI alone that an open intent may have made',
    world: { cloud: [cloudEni({}, 5, 6), orphan()], touched: new Set(['token-2']) },
    innocent: true,
  },
  {
    does: 'never touches the primary ENI of an instance, whatever its tags',
    world: { cloud: [cloudEni({}, 5, 6), orphan({ primary: true })] },
    innocent: true,
  },
  {
    does: '[X2] finds nothing where an exclusive ENI has its own address',
    world: {
      enis: [ledgerEni({}, 5, 6), exclusiveEni()],
      cloud: [cloudEni({}, 5, 6), orphan({ tags: exclusiveTags })],
    },
    innocent: true,
  },
  {
    does: '[X2] takes in no secondary address that somebody adds to an exclusive ENI',
    world: {
      enis: [ledgerEni({}, 5, 6), exclusiveEni()],
      cloud: [cloudEni({}, 5, 6), orphan({ tags: exclusiveTags }, 90)],
    },
    innocent: true,
  },
  {
    does: '[X2] adopts an exclusive ENI by its tag, and not what others may have put on it',
    world: { cloud: [cloudEni({}, 5, 6), orphan({ tags: exclusiveTags }, 10)] },
    want: ['adopt exclusive eni-9 on n1/2 attached serve'],
  },
  {
    does: '[X2] adopts an exclusive ENI that is attached to nothing when the node wants one',
    world: { cloud: [cloudEni({}, 5, 6), orphan({ tags: exclusiveTags, instanceId: undefined })] },
    want: ['adopt exclusive eni-9 on n1/2 available serve'],
  },
  {
    does: '[X3] gives an exclusive ENI back beyond its own maximum, though the instance has a place',
    world: {
      enis: [exclusiveEni({ key: 3, id: 'eni-3', slot: 1, primaryIp: nth(203) })],
      cloud: [
        cloudEni({ id: 'eni-3', primaryIp: nth(203), tags: exclusiveTags }),
        orphan({ tags: exclusiveTags }),
      ],
    },
    want: ['adopt exclusive eni-9 on n1/2 attached delete'],
  },
  {
    does: '[R7][X2] takes an exclusive ENI that a pod uses, be there a place or not',
    world: {
      enis: [exclusiveEni({ key: 3, id: 'eni-3', slot: 1, primaryIp: nth(203) })],
      cloud: [
        cloudEni({ id: 'eni-3', primaryIp: nth(203), tags: exclusiveTags }),
        orphan({ tags: exclusiveTags }),
      ],
      pods: [pod('p', 'n1', 209)],
    },
    want: ['adopt exclusive eni-9 on n1/2 attached serve'],
  },
  {
    does: 'holds an address that pods on two nodes show',
    world: { pods: [pod('a', 'n1', 5), pod('b', 'n2', 5)] },
    left: ['ip-doubled 10.0.1.5 held'],
  },
  {
    does: 'leaves two pods of one node to that node, and one that ends out of it',
    world: { pods: [pod('a', 'n1', 5), pod('b', 'n1', 5), pod('c', 'n2', 5, { deleting: true })] },
    innocent: true,
  },
  {
    does: 'tells of a pod that shows an address of ours which the ledger does not have',
    world: { pods: [pod('a', 'n1', 77)] },
    left: ['pod-stray default/a'],
  },
  {
    // It had no network, nor had the pod that the address was kept for, and nobody was told.
    does: 'tells of a pod that shows an address which is kept for another one, on their node',
    world: {
      pods: [pod('a', 'n1', 5)],
      claims: [{ namespace: 'default', name: 'web-0', address: nth(5) } as SurveyClaim],
    },
    left: ['pod-stray default/a'],
  },
  {
    does: 'tells nothing of a pod that shows what is kept for it',
    world: {
      pods: [pod('a', 'n1', 5)],
      claims: [{ namespace: 'default', name: 'a', address: nth(5) } as SurveyClaim],
    },
    innocent: true,
  },
  {
    does: 'holds an address that a pod shows on another node than the ledger has it on',
    world: { pods: [pod('b', 'n2', 6)] },
    left: ['ip-elsewhere 10.0.1.6 held'],
  },
]

for (const { does, world, want = [], left = [], innocent } of rows) {
  test(`[R1][R7]${does.replace(/^((?:\[\w+\])*) ?/, '$1 planSurvey() ')}`, () => {
    const once = planSurvey(snapshot(world, firstView), [], policy)
    assert.deepEqual(settled(once), [], 'nothing is settled after one view')
    assert.equal(once.suspects.length > 0, innocent !== true)
    assert.equal(once.again, innocent !== true)
    assert.ok(
      once.suspects.every(({ held }) => !held),
      'nothing is held after one view',
    )

    const tooSoon = planSurvey(snapshot(world, firstView + 4000), once.suspects, policy)
    assert.deepEqual(settled(tooSoon), [], 'a view within the lag is none')

    const twice = planSurvey(snapshot(world, secondView), once.suspects, policy)
    assert.deepEqual(settled(twice), want)
    assert.deepEqual(suspected(twice.suspects), left)

    const otherwise = planSurvey(snapshot({}, secondView), once.suspects, policy)
    assert.deepEqual([settled(otherwise), otherwise.suspects], [[], []], 'what was not so is forgotten')
  })
}

test('[R7] planSurvey() believes that most ENIs are gone only after a long time', () => {
  const enis = [1, 2, 3, 4, 5].map((n) =>
    ledgerEni({ key: n, id: `eni-${n}`, node: `n${n}`, primaryIp: nth(200 + n) }),
  )
  const world = { enis, cloud: [cloudEni({ primaryIp: nth(201) })] }
  let { suspects } = planSurvey(snapshot(world, firstView), [], policy)
  for (const after of [6000, 300_000, 599_999]) {
    const plan = planSurvey(snapshot(world, firstView + after), suspects, policy)
    assert.deepEqual(settled(plan), [])
    suspects = plan.suspects
  }
  const late = planSurvey(snapshot(world, firstView + 606_000), suspects, policy)
  assert.equal(late.settlements.length, 4)
})

test('[R7] planSurvey() keeps its suspicion of what cannot be judged now', () => {
  const gone = { cloud: [cloudEni({}, 5)] }
  const { suspects } = planSurvey(snapshot(gone, firstView), [], policy)
  const busy = { ...gone, enis: [ledgerEni({ busy: true }, 5, 6)] }
  const plan = planSurvey(snapshot(busy, secondView), suspects, policy)
  assert.deepEqual([settled(plan), plan.suspects, plan.again], [[], suspects, true])
})

test('planSurvey() gives two orphans two slots, and room only once', () => {
  const two = [
    orphan({ instanceId: undefined }, 10, 11),
    orphan({ id: 'eni-8', primaryIp: nth(208), instanceId: undefined }, 12),
  ]
  const world = { enis: [], cloud: two }
  const { suspects } = planSurvey(snapshot(world, firstView), [], policy)
  assert.deepEqual(settled(planSurvey(snapshot(world, secondView), suspects, policy)), [
    'adopt eni-9 on n1/2 available serve',
    'adopt eni-8 on n1/1 available delete',
  ])
})
