// Seeds of a small world (eip-model.ts): what must never be never is, and what should be comes to be when the world holds still. Then the
// same with a mistake in the plan, which must be found: otherwise the world is too kind.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type EipStep, type EipView, eipPolicy, planEip } from '../../internal/ipam/plan-eip.ts'
import { EipModel, type Plan, users, Wrong } from './eip-model.ts'

const seeds = 200
const stormy = 800
const calm = 600

/** What went wrong; undefined: nothing. */
function run(seed: number, plan?: Plan): string | undefined {
  const model = new EipModel(seed, plan)
  try {
    for (let i = 0; i < stormy; i++) model.step()
    model.quiet = true
    for (let i = 0; i < calm; i++) model.step()
  } catch (error) {
    if (error instanceof Wrong) return error.message
    throw error
  }
  const [odd] = model.unsettled()
  return odd === undefined ? undefined : `in the end ${odd}`
}

test('[R1] [R2] [E3] [E4] planEip() leaks no EIP, never holds one on two addresses, and comes to an end', () => {
  const found = Array.from({ length: seeds }, (_, seed) => ({ seed, wrong: run(seed) }))
  assert.deepEqual(
    found.filter(({ wrong }) => wrong !== undefined),
    [],
  )
})

const always = (view: EipView) => planEip(view)
const asIfNothingWasAsked = ({ row, ...view }: EipView) =>
  planEip({ ...view, row: { ...row, acted: undefined } })

const mistakes: Readonly<Record<string, Plan>> = {
  'acts again before the first act can be over': (view) => planEip(view, { ...eipPolicy, lateFor: 0 }),
  'takes a look from before an act for one from after it': (view) =>
    planEip(view, { ...eipPolicy, staleFor: 0 }),
  'forgets what it asked': asIfNothingWasAsked,
  'takes one look for proof': ({ look, ...view }) => always({ ...view, look: look && { ...look, since: 0 } }),
  "lets a user's go while a call may still unbind it": (view) => {
    const step = always(view)
    const { eip } = view.look ?? {}
    const isLeft = view.row.phase === 'Releasing' && view.row.wish.source === 'specified'
    return step.kind === 'wait' && isLeft && view.row.acted === 'disassociate' && eip?.state === 'unbound'
      ? { kind: 'remove' }
      : step
  },
  'lets a claim go that is still bound': (view) => {
    const step = always(view)
    return step.kind === 'disassociate' && view.row.phase === 'Releasing' ? { kind: 'remove' } : step
  },
  "releases a user's": (view) => {
    const { row } = view
    const step = always(view)
    return step.kind === 'remove' && row.wish.source === 'specified' && view.look?.eip?.state === 'unbound'
      ? { kind: 'release', eip: view.look.eip }
      : step
  },
  'never releases': (view) => {
    const step: EipStep = always(view)
    return step.kind === 'release' ? { kind: 'remove' } : step
  },
  'unbinds what a user has bound to something of his': (view) => {
    const step = always(view)
    return step.kind === 'trouble' && step.reason === 'EipInUse' && view.look?.eip !== undefined
      ? { kind: 'disassociate', eip: view.look.eip }
      : step
  },
  'does nothing about a pod that moves': (view) => {
    const step = always(view)
    return step.kind === 'disassociate' && view.row.podUid !== undefined
      ? { kind: 'done', eip: step.eip, at: undefined }
      : step
  },
}

for (const [mistake, plan] of Object.entries(mistakes))
  test(`the world finds a plan that ${mistake}`, () => {
    const found = Array.from({ length: seeds }, (_, seed) => seed).find(
      (seed) => run(seed, plan) !== undefined,
    )
    assert.notEqual(found, undefined)
  })

test('the world is no empty one', () => {
  const model = new EipModel(1)
  const seen = new Set<string>()
  for (let i = 0; i < stormy; i++) {
    model.step()
    for (const { state, id } of model.eips.values())
      seen.add(`${users.includes(id) ? "a user's" : 'ours'} ${state}`)
    for (const { acted, phase } of model.rows) seen.add(phase).add(`asked to ${acted}`)
  }
  for (const one of [
    'ours bound',
    "a user's bound",
    'ours gone',
    'Retained',
    'Releasing',
    'asked to release',
  ])
    assert.ok(seen.has(one), one)
})
