// The plugin as the process that a container runtime starts, before a real agent: exit code 0, or 1 with an error object that the
// runtime can read; the agent serves on, and no address is held by nobody.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { after, before } from 'node:test'
import { cniCode } from '../../internal/wire/cni-fault.ts'
import { type CniInput, cniInput } from './cni-inputs.ts'
import { fuzz } from './fuzz.ts'
import { assertSentence } from './outcome.ts'
import { type ServedAgent, serveAgent } from './served-agent.ts'

const main = new URL('../../cmd/main.ts', import.meta.url).pathname

const cleanup: (() => unknown)[] = []
let agent: ServedAgent
before(async () => {
  agent = await serveAgent({ after: (work) => void cleanup.push(work as () => unknown) })
  agent.world.sandbox('known', 'c-1')
})
after(async () => {
  for (const work of cleanup.reverse()) await work()
})

/** The kernel passes no NUL on, and no text with half a character. */
const startable = cniInput.filter(({ env }) =>
  Object.values(env).every((text) => !text.includes('\0') && text.isWellFormed()),
)

fuzz(
  '[R6] the plugin ends with an answer or an error object, whatever it is given',
  startable.map(({ env, stdin }) => ({ env, stdin: withSocket(stdin) })),
  async (input) => {
    const { code, stdout, stderr } = await run(input)
    assert.equal(stderr, '')
    assert.ok(code === 0 || code === 1, `exit code ${code}`)
    if (code === 1) {
      const fault = JSON.parse(stdout) as { cniVersion: unknown; code: unknown; msg: string }
      assert.equal(typeof fault.cniVersion, 'string')
      assert.notEqual(fault.code, cniCode.internal, fault.msg)
      assertSentence(fault.msg)
    } else if (stdout !== '') assert.equal(typeof JSON.parse(stdout), 'object')
    await agent.checkService()
  },
  { cost: 20 },
)

/** Made to meet our agent, where the text is a configuration still. */
function withSocket(stdin: Buffer): () => Buffer {
  return () =>
    stdin[0] === 0x7b
      ? Buffer.concat([Buffer.from(`{"socket":${JSON.stringify(agent.path)},`), stdin.subarray(1)])
      : stdin
}

function run({ env, stdin }: Pick<CniInput, 'env'> & { stdin: () => Buffer }) {
  const child = spawn(process.execPath, [main, 'cni'], { env })
  const said = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      said[name] += text
    })
  }
  child.stdin.on('error', () => {}).end(stdin()) // it may end before it has read all
  return new Promise<typeof said & { code: number | null }>((resolve) => {
    child.on('close', (code) => resolve({ ...said, code }))
  })
}
