// The agent's socket and callers who write anything, in pieces of any size, and hang up whenever they like: each gets one answer or
// none, and whoever behaves is served meanwhile and afterwards.
import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import fc from 'fast-check'
import { decodeAgentAnswer, maxLine } from '../../internal/wire/agent-protocol.ts'
import { cniCode } from '../../internal/wire/cni-fault.ts'
import { commands, validConfig } from './cni-inputs.ts'
import { fuzz } from './fuzz.ts'
import { mutateText, mutation } from './mutate.ts'
import { oddText } from './odd.ts'
import { assertSentence } from './outcome.ts'
import { exchange, type ServedAgent, serveAgent } from './served-agent.ts'

const cleanup: (() => unknown)[] = []
let agent: ServedAgent
before(async () => {
  agent = await serveAgent({ after: (work) => void cleanup.push(work as () => unknown) })
  agent.world.sandbox('known', 'c-1')
})
after(async () => {
  for (const work of cleanup.reverse()) await work()
})

const validRequest = {
  v: 1,
  command: 'ADD',
  containerId: 'c-1',
  netns: '/run/netns/c-1',
  ifname: 'eth0',
  args: { K8S_POD_NAMESPACE: 'default', K8S_POD_NAME: 'web', K8S_POD_UID: 'u-1' },
  config: validConfig,
}

/** A request line: right, or wrong in places, or nothing like one. */
const line: fc.Arbitrary<string> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .tuple(fc.constantFrom(...commands), fc.array(mutation, { maxLength: 3 }))
      .map(([command, changes]) => mutateText({ ...validRequest, command }, changes)),
  },
  { weight: 1, arbitrary: oddText },
  { weight: 1, arbitrary: fc.json() },
)

interface Caller {
  readonly bytes: Buffer
  /** Where it is cut in pieces. */
  readonly cuts: readonly number[]
  readonly hangUp: boolean
}

const bytes: fc.Arbitrary<Buffer> = fc.oneof(
  // One, several in one go, one without its end.
  {
    weight: 5,
    arbitrary: fc
      .array(line, { minLength: 1, maxLength: 3 })
      .map((lines) => Buffer.from(`${lines.join('\n')}\n`)),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(line, fc.nat(1000)).map(([text, cut]) => Buffer.from(`${text.slice(cut)}\n`)),
  },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }).map((all) => Buffer.from([...all, 10])) },
  { weight: 1, arbitrary: fc.constantFrom('x', '[', '\0', '{"v":1,').map((part) => flood(part)) },
)

/** Longer than any request may be, without an end. */
function flood(part: string): Buffer {
  return Buffer.alloc(maxLine + 70_000, part)
}

const caller: fc.Arbitrary<Caller> = fc.record({
  bytes,
  cuts: fc.array(fc.nat(2000), { maxLength: 5 }),
  hangUp: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
})

fuzz(
  '[R6] whatever is written to the socket is answered once or not at all, and others are served',
  fc.array(caller, { minLength: 1, maxLength: 4 }),
  async (callers) => {
    const texts = callers.map(({ bytes: all, cuts, hangUp }) => exchange(agent.path, cut(all, cuts), hangUp))
    const served = Promise.all(texts).then(() => agent.checkService())
    for (const [i, text] of (await Promise.all(texts)).entries())
      checkAnswer(text, callers[i]?.hangUp ?? false)
    await served
  },
  { cost: 4 },
)

function checkAnswer(text: string, hungUp: boolean): void {
  if (text === '' && hungUp) return
  assert.match(text, /^[^\n]+\n$/, 'one line')
  const answer = decodeAgentAnswer(text.trimEnd())
  if (!('error' in answer)) return
  assert.notEqual(answer.error.code, cniCode.internal, answer.error.message)
  assertSentence(answer.error.message)
}

function cut(all: Buffer, cuts: readonly number[]): readonly Buffer[] {
  const ends = [...cuts.map((at) => at % (all.length + 1)), all.length].toSorted((a, b) => a - b)
  return ends.map((end, i) => all.subarray(ends[i - 1] ?? 0, end)).filter((piece) => piece.length > 0)
}
