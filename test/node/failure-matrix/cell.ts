// One cell of the node's failure matrix: something the agent does, a step of it that goes wrong, and what must come of it.
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { VirtualClock } from '../../fake/virtual-clock.ts'
import { known } from '../../given.ts'
import { publishedEni } from '../../ipam/pools.ts'
import { NodeWorld } from '../node-world.ts'
import { arm, type MishapId, type Step } from './mishaps.ts'

const second = 1000

export interface Act {
  readonly words: string
  readonly steps: readonly Step[]
  /** Before it; the agent runs. */
  readonly prepare: (on: Stage) => Promise<void>
  /** Which of several such steps it is. */
  readonly when?: (on: Stage) => boolean
  /** What makes it begin. */
  readonly trigger?: (on: Stage) => void
  /** Somebody asks for it, and waits for an answer. */
  readonly run?: (on: Stage) => Promise<unknown>
  /** What the runtime does next: it does not give up. */
  readonly afterwards: (on: Stage, heard: Heard) => Promise<void>
  /** Addresses in use, idle and returned in the end. */
  readonly ends: { readonly inUse: number; readonly idle: number; readonly returned: number }
}

/** What whoever asked hears. `silence`: the agent died, or nobody asked. */
export type Heard = 'success' | 'error' | 'silence'

export interface Stage {
  readonly world: NodeWorld
  readonly clock: VirtualClock
}

export async function runNodeCell(t: TestContext, act: Act, step: Step, mishap: MishapId): Promise<Heard> {
  const clock = new VirtualClock()
  const world = new NodeWorld(t, clock)
  const stage = { world, clock }
  let died = false
  const happened = await begin(stage, act, () =>
    arm(world, {
      step,
      mishap,
      when: () => act.when?.(stage) ?? true,
      died: () => {
        died = true
      },
    }),
  )
  let heard: Heard = 'silence'
  act.trigger?.(stage)
  act.run?.(stage).then(
    () => {
      heard = 'success'
    },
    () => {
      heard = 'error'
    },
  )
  const until = clock.now() + 200 * second
  const asked = act.run !== undefined
  while (!died && heard === 'silence' && (asked || !happened()) && (await clock.step(until)));
  if (died) {
    world.crash()
    world.between = (ports) => ports
    await clock.runUntil(world.start())
  }
  assert.ok(happened(), 'it never came to that')
  await act.afterwards(stage, heard)
  await clock.advance(50 * second)
  assert.deepEqual(faults(stage, act), [])
  return heard
}

/** The armed ports are those of an agent that starts after everything before the act is done. */
async function begin(stage: Stage, act: Act, armed: () => () => boolean): Promise<() => boolean> {
  const { world, clock } = stage
  world.publish([publishedEni(1, '1', '2', '3')])
  await clock.runUntil(world.start())
  await clock.advance(5 * second)
  await act.prepare(stage)
  await clock.advance(5 * second)
  world.crash()
  const happened = armed()
  await clock.runUntil(world.start())
  await clock.advance(second)
  return happened
}

/** Ledger, kernel and NEC against each other. */
function faults({ world }: Stage, act: Act): string[] {
  const { kernel, ledger } = world
  const attachments = ledger.attachments()
  const list: string[] = []
  const linked = [...kernel.podLinks].map(([name, { address }]) => `${name} ${address}`)
  const wanted = attachments.map(({ hostLink, address }) => `${hostLink} ${address}`)
  for (const one of linked) if (!wanted.includes(one)) list.push(`link ${one} has no row`)
  for (const one of wanted) if (!linked.includes(one)) list.push(`${one} has no link`)
  const pods = attachments.map(({ address }) => address)
  const enis = new Set<string>(ledger.enis().map(({ primaryIp }) => primaryIp))
  const ruled = kernel.rules.flatMap(({ from, to }) => [from ?? to ?? '']).filter((one) => !enis.has(one))
  for (const address of new Set([...pods, ...ruled])) {
    const rules = ruled.filter((one) => one === address).length
    const want = pods.some((one) => one === address) ? 2 : 0
    if (rules !== want) list.push(`${rules} rules for ${address} in place of ${want}`)
  }
  for (const { mac } of ledger.enis()) {
    if (kernel.links.get(mac)?.up !== true) list.push(`the link of ${mac} is down`)
  }
  const ips = ledger.ips()
  const returned = ips.filter(({ state }) => state === 'returning')
  const have = {
    inUse: ips.filter(({ inUse }) => inUse).length,
    idle: ips.filter(({ inUse, state }) => !inUse && state !== 'returning').length,
    returned: returned.length,
  }
  if (JSON.stringify(have) !== JSON.stringify(act.ends)) list.push(JSON.stringify(have))
  const told = known(world.nec).report?.returned ?? []
  if (told.length !== returned.length) list.push(`the NEC shows ${told.length} returned`)
  return list
}
