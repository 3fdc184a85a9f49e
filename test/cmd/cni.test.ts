// The plugin as a process, against a node agent that is a few lines of test.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

const directory = mkdtempSync(join(tmpdir(), 'tke-eni-cni-'))
after(() => rmSync(directory, { recursive: true }))

const main = new URL('../../cmd/main.ts', import.meta.url).pathname
const add = { CNI_COMMAND: 'ADD', CNI_CONTAINERID: 'a', CNI_NETNS: '/run/netns/a', CNI_IFNAME: 'eth0' }

function run(env: Record<string, string>, stdin: string, args: readonly string[] = []) {
  const child = spawn(process.execPath, [main, ...args], { env })
  let stdout = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stdin.on('error', () => {}).end(stdin)
  return new Promise<{ code: number | null; stdout: string }>((resolve) => {
    child.on('close', (code) => resolve({ code, stdout }))
  })
}

function config(socket: string, more: Record<string, unknown> = {}): string {
  return JSON.stringify({ cniVersion: '1.1.0', name: 'tke', type: 'tke-route-eni', socket, ...more })
}

let sockets = 0
async function agent(serve: (socket: Socket, line: string) => void) {
  const path = join(directory, `${++sockets}.sock`)
  const server = createServer((socket) => {
    let text = ''
    socket.on('error', () => {})
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      if (text.endsWith('\n')) serve(socket, text)
    })
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  return { path, [Symbol.dispose]: () => server.close() }
}

test('[D6] the plugin answers VERSION by itself', async () => {
  const { code, stdout } = await run({ CNI_COMMAND: 'VERSION' }, '{"cniVersion":"1.0.0"}')
  assert.equal(code, 0)
  assert.deepEqual(JSON.parse(stdout).cniVersion, '1.0.0')
})

test('[D6] the plugin hands the request to the agent and prints its result', async () => {
  const seen: unknown[] = []
  using server = await agent((socket, line) => {
    seen.push(JSON.parse(line))
    socket.end('{"v":1,"result":{"cniVersion":"1.1.0","ips":[]}}\n')
  })
  const env = { ...add, CNI_ARGS: 'K8S_POD_NAME=web', CNI_PATH: '/opt/cni/bin' }
  const { code, stdout } = await run(env, config(server.path), ['cni'])
  assert.equal(code, 0)
  assert.equal(stdout, '{"cniVersion":"1.1.0","ips":[]}\n')
  assert.deepEqual(seen, [
    {
      v: 1,
      command: 'ADD',
      containerId: 'a',
      netns: '/run/netns/a',
      ifname: 'eth0',
      args: { K8S_POD_NAME: 'web' },
      config: JSON.parse(config(server.path)),
    },
  ])
})

test('[D6] the plugin prints nothing when the agent has no result', async () => {
  using server = await agent((socket) => socket.end('{"v":1,"result":null}\n'))
  assert.deepEqual(await run({ ...add, CNI_COMMAND: 'DEL' }, config(server.path)), { code: 0, stdout: '' })
})

test("[D6] the plugin prints the agent's refusal in the version asked for", async () => {
  using server = await agent((socket) => socket.end('{"v":1,"error":{"code":11,"msg":"Cannot x: y"}}\n'))
  const { code, stdout } = await run(add, config(server.path, { cniVersion: '0.4.0' }))
  assert.equal(code, 1)
  assert.deepEqual(JSON.parse(stdout), { cniVersion: '0.4.0', code: 11, msg: 'Cannot x: y' })
})

test('[R3] without an agent every command fails so that the runtime tries again', async () => {
  const nowhere = join(directory, 'nowhere.sock')
  for (const [command, wanted] of [
    ['ADD', 11],
    ['DEL', 11],
    ['STATUS', 50],
  ] as const) {
    const { code, stdout } = await run({ ...add, CNI_COMMAND: command }, config(nowhere))
    assert.equal(code, 1)
    const fault = JSON.parse(stdout)
    assert.equal(fault.code, wanted)
    assert.match(fault.msg, /the node agent at ".*nowhere.sock" cannot be reached \(ENOENT\)/)
    assert.match(fault.details, /systemctl status tke-eni-node/)
  }
})

for (const [what, serve, says] of [
  ['hangs up', (socket: Socket) => socket.end(), /hung up without an answer/],
  ['never answers', () => {}, /did not answer within 1s/],
  ['answers nonsense', (socket: Socket) => socket.end('what?\n'), /Cannot understand the answer/],
  ['answers without end', (socket: Socket) => socket.write('x'.repeat(2_000_000)), /it is longer than/],
] as const) {
  test(`[R6] the plugin fails in time and with a sentence when the agent ${what}`, async () => {
    using server = await agent(serve)
    const { code, stdout } = await run(add, config(server.path, { timeout: '1s' }))
    assert.equal(code, 1)
    assert.match(JSON.parse(stdout).msg, says)
  })
}

test('[R6] the plugin refuses what it cannot read without asking the agent, in the version asked for or the newest', async () => {
  for (const [env, stdin, wanted, cniVersion] of [
    [add, '', 6, '1.1.0'],
    [add, '{"cniVersion":', 6, '1.1.0'],
    [add, `"${'x'.repeat(600_000)}"`, 6, '1.1.0'],
    [{ ...add, CNI_IFNAME: '' }, config('/x', { cniVersion: '0.3.1' }), 4, '0.3.1'],
    [{ ...add, CNI_COMMAND: 'DANCE' }, '{"cniVersion":"1.0.0"}', 4, '1.0.0'],
    [add, config('/x', { cniVersion: '0.1.0' }), 1, '1.1.0'],
  ] as const) {
    const { code, stdout } = await run(env, stdin)
    assert.equal(code, 1)
    const fault = JSON.parse(stdout)
    assert.deepEqual([fault.code, fault.cniVersion], [wanted, cniVersion], stdin.slice(0, 80))
  }
})
