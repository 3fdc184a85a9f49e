import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type EipPurpose, eipTags } from '../../internal/ipam/eip-tags.ts'
import { type EipsView, judgeEips, leftFor } from '../../internal/ipam/judge-eips.ts'
import type { CloudEip, PodFact } from '../../internal/ipam/types.ts'
import { ip } from '../given.ts'

function eip(id: string, purpose: Partial<EipPurpose> = {}, more: Partial<CloudEip> = {}): CloudEip {
  const said = {
    clusterId: 'cls-1',
    namespace: 'shop',
    name: 'web-0',
    token: `token-${id}`,
    policy: 'Never',
  } as const
  return {
    ...{ id, address: ip('9.9.9.9'), state: 'unbound', eniId: undefined, privateIp: undefined },
    ...{ instanceId: undefined, bandwidth: 5, chargeType: 'TRAFFIC_POSTPAID_BY_HOUR', isp: 'CMCC' },
    ...{ arrears: false, blocked: false, name: '' },
    tags: eipTags({ ...said, expireAfter: undefined, owner: undefined, ...purpose }),
    ...more,
  }
}

const none = {
  clusterId: 'cls-1',
  holders: new Map(),
  tokens: new Map<string, string | undefined>(),
  claimed: new Set<string>(),
  waiting: new Set<string>(),
  pods: [],
}
const wish = { source: 'created', bandwidth: 1, isp: 'BGP', chargeType: 'TRAFFIC_POSTPAID_BY_HOUR' } as const
const pod: PodFact = {
  ...{
    namespace: 'shop',
    name: 'web-0',
    uid: 'u1',
    node: 'n1',
    hostNetwork: false,
    terminal: false,
    deleting: false,
  },
  ...{ wants: 'shared', ip: undefined, keepsIp: false },
  eip: {
    wish: { ...wish, label: undefined, tags: {}, raw: {}, policy: 'Immediate', expireAfter: undefined },
  },
}

const rows: readonly { does: string; eips: readonly CloudEip[]; more?: object; want: readonly string[] }[] = [
  { does: 'keeps what is to be kept', eips: [eip('a')], want: ['a Retained'] },
  { does: 'lets go what is not', eips: [eip('a', { policy: 'Immediate' })], want: ['a Releasing'] },
  { does: 'gives it to the pod of its name', eips: [eip('a')], more: { pods: [pod] }, want: ['a Attaching'] },
  {
    does: 'gives none to a pod that asks for one of a list',
    eips: [eip('a')],
    more: { pods: [{ ...pod, eip: { fault: 'no' } }] },
    want: ['a Retained'],
  },
  {
    does: 'spares those that claims have',
    eips: [eip('a')],
    more: { holders: new Map([['a', pod]]) },
    want: [],
  },
  {
    does: 'spares those that allocations may bring',
    eips: [eip('a')],
    more: { tokens: new Map([['token-a', undefined]]) },
    want: [],
  },
  { does: 'spares those of other clusters', eips: [eip('a', { clusterId: 'cls-2' })], want: [] },
  { does: "spares users' own", eips: [eip('a', {}, { tags: {} })], want: [] },
  { does: 'spares those that are on their way out', eips: [eip('a', {}, { state: 'releasing' })], want: [] },
  {
    does: 'gives back one of a name that has another',
    eips: [eip('a')],
    more: { claimed: new Set(['shop/web-0']) },
    want: ['a orphan'],
  },
  {
    does: 'leaves it to a claim that waits for one',
    eips: [eip('a')],
    more: { claimed: new Set(['shop/web-0']), waiting: new Set(['shop/web-0']) },
    want: [],
  },
  {
    does: 'keeps of two the one that carries something',
    eips: [eip('a'), eip('b', {}, { privateIp: ip('10.0.0.5'), eniId: 'eni-1', state: 'bound' })],
    want: ['b Retained', 'a orphan'],
  },
]

for (const { does, eips, more, want } of rows)
  test(`[R4] judgeEips() ${does}`, () => {
    const { claims, orphans } = judgeEips({ ...none, eips, ...more })
    const found = [
      ...claims.map((one) => `${one.eip.id} ${one.phase}`),
      ...orphans.map(({ id }) => `${id} orphan`),
    ]
    assert.deepEqual(found, want)
  })

test('[R1][R4] judgeEips() gives a token that somebody has copied to one claim only', () => {
  const copied = { ...none, eips: [eip('a'), eip('b', { name: 'web-1', token: 'token-a' })] }
  const tokens = (view: EipsView) => judgeEips(view).claims.map((claim) => `${claim.name} ${claim.token}`)
  assert.deepEqual(tokens(copied), ['web-0 token-a', 'web-1 undefined'])
  const known = {
    holders: new Map([['a', pod]]),
    tokens: new Map([['token-a', 'a']]),
    claimed: new Set(['shop/web-0']),
  }
  assert.deepEqual(tokens({ ...copied, ...known }), ['web-1 undefined'])
  assert.partialDeepStrictEqual(leftFor({ namespace: 'shop', name: 'web-1' }, { ...copied, ...known }), {
    eip: { id: 'b' },
    token: undefined,
  })
})

test('[R4] judgeEips() asks for a kept one as it is', () => {
  const { claims } = judgeEips({ ...none, eips: [eip('a', { expireAfter: 600_000 })] })
  assert.partialDeepStrictEqual(claims[0]?.wish, {
    bandwidth: 5,
    isp: 'CMCC',
    policy: 'Never',
    expireAfter: 600_000,
  })
})
