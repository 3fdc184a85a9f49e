// What distinguishes a test build (build.mjs --test-build) from the executable that is released, and nothing else.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { copyOfExecutable } from './executable.ts'
import { explainSkip, missingPieces } from './pieces.ts'

const skip = explainSkip(missingPieces('executable', 'test-build'))
const call = {
  env: {
    TKE_ENI_DIE_AT: 'cni.exchange.before',
    CNI_COMMAND: 'DEL',
    CNI_CONTAINERID: 'c1',
    CNI_IFNAME: 'eth0',
  },
  input: '{"cniVersion":"1.0.0","name":"tke-eni","type":"tke-route-eni","socket":"/nowhere/cni.sock"}',
  encoding: 'utf8',
} as const

test('the released executable contains no crash point', { skip }, () => {
  const hasCrashPoints = (name: string) => {
    const bytes = readFileSync(join(import.meta.dirname, '../../dist', name))
    return ['TKE_ENI_DIE_AT', 'die-at.', 'test-waits.'].map((text) => bytes.includes(text))
  }
  assert.deepEqual(hasCrashPoints('tke-eni'), [false, false, false])
  assert.deepEqual(hasCrashPoints('tke-eni-test'), [true, true, true])
})

test('the released executable does not die where a test build does', { skip }, () => {
  assert.equal(spawnSync(copyOfExecutable(), call).signal, null)
  assert.equal(spawnSync(copyOfExecutable('tke-eni-test'), call).signal, 'SIGKILL')
})
