// The executable as users get it: one file, no Node.js, nothing beside it.
import assert from 'node:assert/strict'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'

const root = new URL('../..', import.meta.url).pathname
const built = join(root, 'dist', 'tke-eni')
const directory = mkdtempSync(join(tmpdir(), 'tke-eni-executable-'))
const executable = join(directory, 'tke-eni')
const plugin = join(directory, 'tke-route-eni')
after(() => rmSync(directory, { recursive: true }))

before(() => {
  execFileSync(process.execPath, [join(root, 'build.mjs')], { stdio: 'inherit' })
  cpSync(built, executable)
  symlinkSync(executable, plugin)
})

function run(args: readonly string[], env: Record<string, string> = {}, input = '', file = executable) {
  return spawnSync(file, args, { env, input, encoding: 'utf8', cwd: directory })
}

test('the executable runs with an empty environment and leaves nothing behind', () => {
  const { status, stdout } = run(['version', '-o', 'json'])
  assert.equal(status, 0)
  const info = JSON.parse(stdout)
  assert.equal(info.node, process.versions.node)
  assert.match(info.sqlite, /^3\./)
  assert.equal(info.codeCache, 'used')
  assert.deepEqual(readdirSync(directory).sort(), ['tke-eni', 'tke-route-eni'])
})

test('[D6] the executable is the CNI plugin under that name, and with CNI_COMMAND', () => {
  const env = { CNI_COMMAND: 'VERSION' }
  for (const file of [plugin, executable]) {
    const { status, stdout } = run([], env, '{"cniVersion":"1.0.0"}', file)
    assert.equal(status, 0)
    assert.equal(JSON.parse(stdout).cniVersion, '1.0.0')
  }
  const status = run(['version'], env)
  assert.match(status.stdout, /^tke-eni /)
})

test('the executable heeds no NODE_OPTIONS: they are meant for others', () => {
  assert.equal(run(['version'], { NODE_OPTIONS: '--require=/nowhere.js' }).status, 0)
})

test('the executable unpacks SQLite into a private directory and serves from it', async () => {
  const cache = join(directory, 'cache')
  const start = () =>
    spawn(executable, ['vpc-sim', '--listen', '127.0.0.1:0', '--db', ':memory:', '--log-level', 'error'], {
      env: { TKE_ENI_CACHE_DIR: cache },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
  // several at once: none may see another's half-written file
  const servers = [start(), start(), start()]
  for (const server of servers) {
    const [line] = await Promise.race([
      new Promise<string[]>((resolve) =>
        createInterface(server.stdout).once('line', (text) => resolve([text])),
      ),
      new Promise<string[]>((resolve) => server.once('close', () => resolve(['it ended']))),
    ])
    assert.match(line ?? '', /^vpc-sim listens on http:\/\/127\.0\.0\.1:\d+$/)
  }
  const ends = servers.map((server) => new Promise((resolve) => server.once('close', resolve)))
  for (const server of servers) server.kill('SIGTERM')
  assert.deepEqual(await Promise.all(ends), [0, 0, 0])
  assert.equal(readdirSync(cache).length, 1)
  assert.ok(existsSync(cache))
})
