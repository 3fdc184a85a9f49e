import assert from 'node:assert/strict'
import { appendFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../e2e/service.ts'
import { createArming } from './arming.ts'
import { crashFolder, files } from './crash-folder.ts'

test('createArming() hears line by line where processes have been and died', () => {
  const executable = join(temporaryFolder('arming'), 'tke-eni')
  const arming = createArming(executable)
  const say = (text: string) => appendFileSync(join(crashFolder(executable), files.journal), text)
  say('reached leader.a.before\npassed leader.a.before\ndied leader.a.after\nreached lead')
  const since = arming.now()
  say('er.b.before\npassed leader.b.before\n')
  assert.deepEqual(arming.deaths(), ['leader.a.after'])
  assert.deepEqual(arming.reached(), ['leader.a.before', 'leader.b.before'])
  assert.deepEqual(arming.reached(0), ['leader.b.before'])
  assert.deepEqual(arming.passed(since), ['leader.b.before', 'leader.b.before'])
})

test('createArming() arms a file for each role, and takes them all away', () => {
  const executable = join(temporaryFolder('arming'), 'tke-eni')
  const arming = createArming(executable)
  const armed = () => readdirSync(crashFolder(executable)).filter((name) => name.startsWith(files.armed('')))
  arming.arm(['leader.a.before', 'node.b.after'])
  assert.deepEqual(armed(), ['die-at.leader', 'die-at.node'])
  arming.disarm()
  assert.deepEqual(armed(), [])
})
