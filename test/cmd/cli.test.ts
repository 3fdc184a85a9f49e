// The command line as a process: what a person or a script sees of it.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { commands } from '../../cmd/commands.ts'

const main = new URL('../../cmd/main.ts', import.meta.url).pathname
const directory = mkdtempSync(join(tmpdir(), 'tke-eni-cli-'))
after(() => rmSync(directory, { recursive: true }))

function run(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] },
  })
  return { status, stdout, stderr }
}

test('tke-eni without a command prints its help and ends with 2', () => {
  const { status, stdout, stderr } = run()
  assert.equal(status, 2)
  assert.equal(stdout, '')
  for (const { name } of commands) assert.match(stderr, new RegExp(`^  ${name} `, 'm'))
})

test('every command has help with an example', () => {
  assert.match(run('--help').stdout, /Usage: tke-eni <command>/)
  for (const { name } of [...commands, { name: 'cni' }]) {
    const { status, stdout, stderr } = run(name, '--help')
    assert.equal(status, 0, name)
    assert.match(stdout + stderr, /Examples?:/, name)
  }
  assert.equal(run('help', 'version').stdout, run('version', '--help').stdout)
})

test('[R6] tke-eni names the command or option that was meant', () => {
  const command = run('versoin')
  assert.equal(command.status, 2)
  assert.match(command.stderr, /Cannot run "versoin": there is no such command, did you mean "version"\?/)
  const option = run('vpc-sim', '--liste', 'x')
  assert.equal(option.status, 2)
  assert.match(option.stderr, /unknown option '--liste'/)
  assert.match(option.stderr, /--listen/)
})

test('[R6] a wrong setting ends a command with 2 before it does anything', () => {
  const file = join(directory, 'sim.yaml')
  writeFileSync(file, 'latency-min: 2s\n')
  const { status, stderr } = run(
    'vpc-sim',
    '--config',
    file,
    '--listen',
    '127.0.0.1:0',
    '--db',
    join(directory, 'no.db'),
  )
  assert.equal(status, 2)
  assert.equal(
    stderr,
    `tke-eni: Cannot start vpc-sim: setting "latency-min" is "2s" (from ${file}), above latency-max "1500ms"\n` +
      '  see "tke-eni vpc-sim --help"\n',
  )
})

test('tke-eni version tells what it is made of', () => {
  assert.match(
    run('version').stdout,
    /^tke-eni \d+\.\d+\.\d+, Node\.js 24\.\d+\.\d+, SQLite 3\.\d+\.\d+, \w+\n$/,
  )
  const info = JSON.parse(run('--version', '-o', 'json').stdout)
  assert.equal(info.node, process.versions.node)
})

test('tke-eni ends quietly when its reader has seen enough', () => {
  const line = `"${process.execPath}" "${main}" vpc-sim --help | true; echo "\${PIPESTATUS[0]}"`
  const { stdout, stderr } = spawnSync('bash', ['-c', line], { encoding: 'utf8' })
  assert.deepEqual({ stdout, stderr }, { stdout: '0\n', stderr: '' })
})

test('[R6] tke-eni says that its output cannot be written', () => {
  const line = `"${process.execPath}" "${main}" version > /dev/full`
  const { status, stderr } = spawnSync('bash', ['-c', line], { encoding: 'utf8' })
  assert.equal(stderr, 'tke-eni: Cannot write the output: ENOSPC: no space left on device, write\n')
  assert.equal(status, 1)
})

test('tke-eni completion bash completes commands and their options', () => {
  const script = join(directory, 'completion.bash')
  writeFileSync(script, run('completion', 'bash').stdout)
  const complete = (...words: string[]) => {
    const line = `source ${script}; COMP_WORDS=(tke-eni ${words.join(' ')}); COMP_CWORD=${words.length}; _tke_eni; echo "\${COMPREPLY[*]}"`
    return spawnSync('bash', ['-c', line], { encoding: 'utf8' }).stdout.trim()
  }
  assert.equal(complete('vers'), 'version')
  assert.equal(complete('version', '--ou'), '--output')
  assert.equal(complete('completion', 'f'), 'fish')
})
